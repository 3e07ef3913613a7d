// The gRPC face: translates requests and answers. Any instance answers questions; only the active one syncs.
import {
  explain,
  keyText,
  type PolicyKey,
  type PolicySnapshot,
  questionProblem,
  type Seller,
} from '@sidestream/policy';
import type { ListUsersResponse, PolicyServiceServer, PolicyUser, TenantPolicy } from '@sidestream/proto/policy/v1';
import { SidestreamError, type UnaryHandlers } from '@sidestream/service';
import type { SyncedTenant } from '../config.js';
import type { PolicySync } from '../domain/policy-sync.js';
import type { StoredPolicy } from '../domain/ports.js';
import type { TenantState } from '../domain/tenant-sync.js';
import type { PolicyReader } from './policy-reader.js';

const maxPageSize = 500;
const defaultPageSize = 100;
/** Of the problems, a status shows so many. */
const shownProblems = 20;

export interface PolicyServiceOptions {
  readonly instance: string;
  readonly tenants: readonly SyncedTenant[];
  readonly sync: PolicySync;
  readonly reader: PolicyReader;
  readonly handlers: UnaryHandlers;
}

export function policyService({
  instance,
  tenants,
  sync,
  reader,
  handlers,
}: PolicyServiceOptions): PolicyServiceServer {
  const find = (name: string): SyncedTenant => {
    const tenant = tenants.find((one) => one.tenant === name);
    if (tenant !== undefined) return tenant;
    const known = tenants.map((one) => one.tenant).join(', ') || 'none';
    throw new SidestreamError('not-found', `no tenant '${name}' has a policy from the provider (there are: ${known})`);
  };
  const snapshotOf = ({ tenant, policy }: SyncedTenant, signal: AbortSignal) =>
    reader.current(tenant, { rule: policy.stale, maxAgeMs: policy.maxAgeMs }, signal);
  const status = async (tenant: SyncedTenant, signal: AbortSignal) => {
    const state = sync.state(tenant.tenant);
    return writeStatus(tenant, state?.stored ?? (await reader.stored(tenant.tenant, signal)), state);
  };
  return {
    getStatus: handlers.handle('GetStatus', async ({ tenant }, signal) => {
      const asked = tenant === '' ? tenants : [find(tenant)];
      return { instance, active: sync.active, tenants: await Promise.all(asked.map((one) => status(one, signal))) };
    }),
    listUsers: handlers.handle('ListUsers', async ({ tenant, pageSize, pageToken }, signal) => {
      if (pageSize > maxPageSize) throw new SidestreamError('bad-request', `page_size must be 1 to ${maxPageSize}`);
      const current = await snapshotOf(find(tenant), signal);
      if (current === undefined) throw new SidestreamError('not-found', `${tenant} has no policy yet`);
      return writePage(current.snapshot, readToken(pageToken, current.snapshot), pageSize || defaultPageSize);
    }),
    explain: handlers.handle('Explain', async ({ tenant, party, other }, signal) => {
      const { recorders, enabled, ...asked } = find(tenant);
      const problem = questionProblem({ party, other });
      if (problem !== undefined) throw new SidestreamError('bad-request', problem);
      const current = await snapshotOf({ recorders, enabled, ...asked }, signal);
      const question = { tenant, party, other, at: new Date(), recorders, enabled };
      const { decision, matched, text } = explain(current?.snapshot, question);
      const { record, reason, seller, policyRevision: revision } = decision;
      return {
        ...{ record, reason, matched, revision, recorders: [...decision.recorders], explanation: text },
        seller: seller && writeUser(seller, []),
        checkedAt: current?.snapshot.freshness?.checkedAt,
      };
    }),
    syncNow: handlers.handle('SyncNow', async ({ tenant: name }, signal) => {
      const tenant = find(name);
      const { changed } = await sync.syncNow(name);
      return { changed, policy: await status(tenant, signal) };
    }),
  };
}

function writeStatus(
  { tenant, policy: { stale: staleRule, maxAgeMs } }: SyncedTenant,
  stored: StoredPolicy | undefined,
  state: TenantState | undefined,
): TenantPolicy {
  const { pointer, details } = stored ?? {};
  const checkedAt = pointer && new Date(pointer.checkedAt);
  const problems = details?.problems;
  return {
    tenant,
    revision: pointer?.revision ?? '',
    users: pointer?.users ?? 0,
    unmatched: details?.unmatched ?? 0,
    bytes: BigInt(pointer?.bytes ?? 0),
    fetchedAt: pointer && new Date(pointer.fetchedAt),
    checkedAt,
    stale: checkedAt !== undefined && Date.now() - checkedAt.getTime() > maxAgeMs,
    staleRule,
    maxAgeMs: BigInt(maxAgeMs),
    lastError: state?.failure === undefined ? '' : `${state.failure.code}: ${state.failure.message}`,
    lastErrorAt: state?.failure?.at,
    nextSyncAt: state?.nextAt,
    problems: (problems?.first ?? []).slice(0, shownProblems).map(({ path, message }) => `${path}: ${message}`),
    problemCount: problems?.count ?? 0,
  };
}

/** The place at which a page begins. Its token is `<revision>:<place>`, since places mean nothing in another revision. */
function readToken(token: string, { revision, size }: PolicySnapshot): number {
  if (token === '') return 0;
  const [, of, place] = /^(.{1,64}):(\d{1,10})$/.exec(token) ?? [];
  if (of === undefined || Number(place) > size)
    throw new SidestreamError('bad-request', 'page_token is not one of ours');
  if (of === revision) return Number(place);
  throw new SidestreamError('policy-changed', `the policy is now revision ${revision}, no longer ${of}: begin again`);
}

function writePage(snapshot: PolicySnapshot, first: number, count: number): ListUsersResponse {
  const { revision, size } = snapshot;
  const users = snapshot.keys(first, count).flatMap((keys, index) => {
    const user = snapshot.user(first + index);
    return user === undefined ? [] : [writeUser(user, keys)];
  });
  const past = first + users.length;
  return { revision, users, nextPageToken: past < size ? `${revision}:${past}` : '' };
}

function writeUser({ id, name = '', upn = '' }: Seller, keys: readonly PolicyKey[]): PolicyUser {
  const texts = (...kinds: string[]) => keys.filter(({ kind }) => kinds.includes(kind)).map(keyText);
  return { id, name, upn, numbers: texts('number', 'prefix'), addresses: texts('address', 'wildcard') };
}
