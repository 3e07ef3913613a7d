// The fetching thread: lists of a million users are parsed, sorted and encoded here, while the lease is kept elsewhere. Started by
// fetch-thread.ts.
import { parentPort, workerData } from 'node:worker_threads';
import { SyncError } from '../domain/sync-error.js';
import {
  type FetchExchange,
  type FetchNote,
  type FetchReply,
  type FetchRequest,
  type FetchThreadData,
  toFailure,
} from './fetch-messages.js';
import { TenantFetcher } from './fetch-tenant.js';

const { tenants }: FetchThreadData = workerData;
const tell = (note: FetchNote | FetchExchange) => parentPort?.postMessage(note);
const fetchers = new Map(tenants.map((one) => [one.tenant, new TenantFetcher(one, tell)]));
const underWay = new Map<number, AbortController>();

async function serve({ id, tenant, basis }: Extract<FetchRequest, { kind: 'fetch' }>): Promise<void> {
  const aborting = new AbortController();
  underWay.set(id, aborting);
  try {
    const fetcher = fetchers.get(tenant);
    if (fetcher === undefined) throw new SyncError('fetch-failed', `There is no tenant ${tenant}.`);
    const fetched = await fetcher.fetch(basis, aborting.signal);
    // The bytes change hands, they are not copied.
    reply({ id, fetched }, fetched.changed ? [fetched.bytes.buffer] : []);
  } catch (error) {
    const failure = error instanceof SyncError ? error : new SyncError('fetch-failed', String(error));
    reply({ id, failure: toFailure(failure) }, []);
  } finally {
    underWay.delete(id);
  }
}

function reply(message: FetchReply, transfer: ArrayBuffer[]): void {
  parentPort?.postMessage(message, transfer);
}

parentPort?.on('message', (request: FetchRequest) => {
  if (request.kind === 'fetch') void serve(request);
  else underWay.get(request.id)?.abort();
});
