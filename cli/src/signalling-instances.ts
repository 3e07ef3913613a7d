// How a command reaches the signalling instances: all that have a lease in NATS, or one by its address.
import { CallsServiceClient } from '@sidestream/proto/calls/v1';
import {
  channelCredentials,
  type LeaseBook,
  listClientOptions,
  type SidestreamConfig,
  SidestreamError,
} from '@sidestream/service';
import { z } from 'zod';
import { withLeases } from './control-plane.js';

export interface SignallingOptions {
  readonly config: SidestreamConfig;
  /** `host:port` of one instance; NATS is not asked. */
  readonly address?: string | undefined;
}

export interface SignallingInstance {
  /** Its id, or its address where that is all that is known. */
  readonly id: string;
  /** `signalling at host:port`, for errors. */
  readonly who: string;
  readonly client: CallsServiceClient;
}

/** Leases of live instances are there at once. */
const leaseDeadlineMs = 3_000;

const lease = z.object({ grpc: z.string() });
type Lease = z.infer<typeof lease>;

/**
 * Gives the instances that live now, by id; their clients are closed afterwards.
 *
 * @throws SidestreamError `not-ready` when there is none
 */
export async function withSignalling<R>(
  options: SignallingOptions,
  use: (instances: readonly SignallingInstance[]) => Promise<R>,
): Promise<R> {
  const { config, address } = options;
  const addresses =
    address === undefined
      ? await withLeases({ config, prefix: 'signalling.', schema: lease }, firstLeases)
      : new Map([[address, address]]);
  if (addresses.size === 0) {
    const where = `NATS at ${config.nats.servers.join(', ')} has no lease signalling.*`;
    throw new SidestreamError('not-ready', `no signalling instance is running: ${where}`);
  }
  const instances = [...addresses].sort().map(([id, at]) => connect(config, id, at));
  try {
    return await use(instances);
  } finally {
    for (const { client } of instances) client.close();
  }
}

/**
 * Calls back for every instance that there is or that comes, until the signal aborts. What it is given ends when the instance's
 * lease does.
 *
 * @throws SidestreamError `not-ready` without NATS
 */
export async function followSignalling(
  { config, address }: SignallingOptions,
  follow: (instance: SignallingInstance, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const followed = new Map<string, { readonly at: string; readonly end: AbortController }>();
  const update = (addresses: ReadonlyMap<string, string>) => {
    for (const [id, { at, end }] of followed) {
      if (addresses.get(id) === at) continue;
      end.abort();
      followed.delete(id);
    }
    for (const [id, at] of addresses) {
      if (followed.has(id)) continue;
      const end = new AbortController();
      followed.set(id, { at, end });
      const instance = connect(config, id, at);
      void follow(instance, end.signal).finally(() => instance.client.close());
    }
  };
  const stopped = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const until = (book?: LeaseBook<Lease>) => {
    if (book === undefined) update(new Map([[address ?? '', address ?? '']]));
    else {
      book.onRefresh(() => update(addressesOf(book)));
      book.start();
    }
    return stopped;
  };
  try {
    if (address !== undefined) await until();
    else await withLeases({ config, prefix: 'signalling.', schema: lease }, until);
  } finally {
    update(new Map());
  }
}

function connect(config: SidestreamConfig, id: string, address: string): SignallingInstance {
  const client = new CallsServiceClient(address, channelCredentials('signalling', config.grpc.tls), listClientOptions);
  return { id, who: `signalling at ${address}`, client };
}

/** Those of the first answer that has any; none after a while. */
function firstLeases(book: LeaseBook<Lease>): Promise<ReadonlyMap<string, string>> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(addressesOf(book)), leaseDeadlineMs);
    book.onRefresh(() => {
      if (book.current.size === 0) return;
      clearTimeout(timer);
      resolve(addressesOf(book));
    });
    book.start();
  });
}

function addressesOf(book: LeaseBook<Lease>): Map<string, string> {
  return new Map([...book.current].map(([id, { grpc }]) => [id, grpc]));
}
