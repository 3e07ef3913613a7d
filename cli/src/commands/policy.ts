// `sidestream policy …`: asks policy-sync how the policies stand, whom they name and what they would decide; of a file, signalling.
import {
  type PolicyServiceClient as Client,
  type ExplainRequest,
  type ExplainResponse,
  PolicyServiceClient,
  type PolicyUser,
  type SyncNowResponse,
  type TenantPolicy,
} from '@sidestream/proto/policy/v1';
import { callUnary, type SidestreamConfig, SidestreamError } from '@sidestream/service';
import Table from 'cli-table3';
import { answered, say } from '../answered.js';
import { callError, callInstance } from '../control-plane.js';
import { withSignalling } from '../signalling-instances.js';

export interface PolicyCommandOptions {
  /** sidestream.yaml. */
  readonly config: string;
  readonly tenant?: string;
  /** `host:port` of the instance to ask; else the lease in NATS tells. */
  readonly address?: string;
  readonly json: boolean;
}

const deadlineMs = 30_000;
/** A list of a million users takes its time. */
const syncDeadlineMs = 600_000;
const pageSize = 500;

/** @returns the exit code, as of the others: 0 answered, 1 not, 2 wrong configuration or tenant. Here 1 also for a policy that is missing or stale. */
export function policyStatus(options: PolicyCommandOptions): Promise<number> {
  return answered(options.config, async (config) => {
    const tenant = options.tenant === undefined ? '' : chosenTenant(config, options.tenant);
    const status = await ask(options, config, (client) =>
      callUnary(client.getStatus.bind(client), { tenant }, { deadlineMs }),
    );
    const { instance, active, tenants } = status;
    if (options.json) print(status);
    else {
      if (tenants.length > 0) say(statusTable(tenants));
      for (const one of tenants) for (const line of troubles(one)) say(line);
      say(`answered by ${instance}, ${active ? 'the active instance' : 'which stands by'}`);
    }
    return tenants.every(({ revision, stale }) => revision !== '' && !stale) ? 0 : 1;
  });
}

/** @param limit how many users to show */
export function policyUsers(options: PolicyCommandOptions, limit: number): Promise<number> {
  return answered(options.config, async (config) => {
    const tenant = chosenTenant(config, options.tenant);
    const { revision, users, more } = await ask(options, config, (client) => listUsers(client, tenant, limit));
    if (options.json) print({ tenant, revision, users, more });
    else {
      const table = newTable(['id', 'name', 'UPN', 'numbers', 'addresses']);
      for (const { id, name, upn, numbers, addresses } of users) {
        table.push([id, name, upn, numbers.join('\n'), addresses.join('\n')]);
      }
      if (users.length > 0) say(table.toString());
      say(
        `${users.length} ${users.length === 1 ? 'user' : 'users'} of ${tenant}, revision ${revision}${more ? '; there are more: --limit' : ''}`,
      );
    }
    return 0;
  });
}

export function policyExplain(options: PolicyCommandOptions, party: string, other: string): Promise<number> {
  return answered(options.config, async (config) => {
    const tenant = chosenTenant(config, options.tenant, anyPolicy);
    const explained = await explain(options, config, { tenant, party, other });
    if (options.json) print(explained);
    else {
      const { explanation, reason, seller, matched, revision, checkedAt, recorders } = explained;
      say(explanation);
      const rows = {
        reason,
        seller: seller && [seller.name, seller.id].filter((text) => text !== '').join(', '),
        matched,
        revision,
        confirmed: checkedAt && age(checkedAt),
        recorders: recorders.join(', '),
      };
      for (const [name, value] of Object.entries(rows)) if (value) say(`  ${name.padEnd(10)}${value}`);
    }
    return 0;
  });
}

export function policySync(options: PolicyCommandOptions): Promise<number> {
  return answered(options.config, async (config) => {
    const tenant = chosenTenant(config, options.tenant);
    const result: SyncNowResponse = await ask(options, config, (client) =>
      callUnary(client.syncNow.bind(client), { tenant }, { deadlineMs: syncDeadlineMs }),
    );
    if (options.json) print(result);
    else {
      const { changed, policy } = result;
      say(`${tenant}: revision ${policy?.revision} of ${policy?.users} users, ${changed ? 'new' : 'unchanged'}`);
      for (const line of policy === undefined ? [] : troubles(policy)) say(line);
    }
    return 0;
  });
}

function ask<R>(
  { address }: PolicyCommandOptions,
  config: SidestreamConfig,
  use: (client: Client) => Promise<R>,
): Promise<R> {
  return callInstance({ config, service: 'policy-sync', address }, PolicyServiceClient, use);
}

/** Policy-sync knows the policies from the provider, signalling alone those from files. */
function explain(
  options: PolicyCommandOptions,
  config: SidestreamConfig,
  question: ExplainRequest,
): Promise<ExplainResponse> {
  if (config.tenants[question.tenant]?.policy.source === 'provider')
    return ask(options, config, (client) => callUnary(client.explain.bind(client), question, { deadlineMs }));
  return withSignalling({ config, address: options.address }, async (instances) => {
    const asked = instances.map(async ({ client, who }) => {
      const answer = callUnary(client.explainDecision.bind(client), question, { deadlineMs });
      const { explained } = await answer.catch((error: unknown) => Promise.reject(callError(who, error)));
      if (explained === undefined) throw new SidestreamError('internal', `${who} answered without an explanation`);
      return explained;
    });
    return Promise.any(asked).catch((error: AggregateError) => Promise.reject(error.errors[0]));
  });
}

async function listUsers(client: Client, tenant: string, limit: number) {
  const users: PolicyUser[] = [];
  let pageToken = '';
  let revision = '';
  do {
    const request = { tenant, pageSize: Math.min(pageSize, limit - users.length), pageToken };
    const page = await callUnary(client.listUsers.bind(client), request, { deadlineMs });
    users.push(...page.users);
    revision = page.revision;
    pageToken = page.nextPageToken;
  } while (pageToken !== '' && users.length < limit);
  return { revision, users, more: pageToken !== '' };
}

interface WantedPolicy {
  readonly fits: (source: 'provider' | 'file') => boolean;
  /** What is said of a tenant that does not fit, and where none does. */
  readonly lacks: string;
  readonly none: string;
}

const fromProvider: WantedPolicy = {
  fits: (source) => source === 'provider',
  lacks: 'has a policy from the provider',
  none: 'no tenant has policy.source provider',
};
const anyPolicy: WantedPolicy = { fits: () => true, lacks: 'is configured', none: 'there is none' };

/** The tenant that was named, or the only one there is whose policy is of the wanted kind. */
function chosenTenant(
  { tenants }: SidestreamConfig,
  named: string | undefined,
  { fits, lacks, none }: WantedPolicy = fromProvider,
): string {
  const known = Object.entries(tenants).flatMap(([name, { policy }]) => (fits(policy.source) ? [name] : []));
  const chosen = named ?? known[0];
  if (chosen !== undefined && known.includes(chosen) && (named !== undefined || known.length === 1)) return chosen;
  const which = known.length === 0 ? none : `one of ${known.join(', ')}`;
  const wrong = named === undefined ? '--tenant is needed' : `no tenant '${named}' ${lacks}`;
  throw new SidestreamError('bad-request', `${wrong}: ${which}`);
}

function statusTable(tenants: readonly TenantPolicy[]): string {
  const table = newTable(['tenant', 'policy', 'revision', 'users', 'unmatched', 'fetched', 'confirmed', 'next']);
  for (const { tenant, revision, users, unmatched, stale, staleRule, fetchedAt, checkedAt, nextSyncAt } of tenants) {
    const state = revision === '' ? 'none' : stale ? `stale: ${staleRule}` : 'good';
    const next = nextSyncAt === undefined ? '' : `in ${seconds(nextSyncAt.getTime() - Date.now())}`;
    table.push([
      tenant,
      state,
      revision,
      users,
      unmatched,
      fetchedAt && age(fetchedAt),
      checkedAt && age(checkedAt),
      next,
    ]);
  }
  return table.toString();
}

function troubles({ tenant, lastError, lastErrorAt, problems, problemCount }: TenantPolicy): string[] {
  const lines =
    lastError === ''
      ? []
      : [`${tenant}: the last sync failed${lastErrorAt ? ` ${age(lastErrorAt)}` : ''}: ${lastError}`];
  if (problemCount > 0) lines.push(`${tenant}: ${problemCount} of the users or identities can't be used`);
  const more = problemCount - problems.length;
  return [
    ...lines,
    ...problems.map((problem) => `  ${problem}`),
    ...(more > 0 ? [`  and ${more} more: see the log of policy-sync`] : []),
  ];
}

function age(time: Date): string {
  return `${seconds(Date.now() - time.getTime())} ago`;
}

function seconds(ms: number): string {
  const total = Math.max(0, Math.round(ms / 1_000));
  if (total < 120) return `${total} s`;
  if (total < 7_200) return `${Math.round(total / 60)} min`;
  return `${Math.round(total / 3_600)} h`;
}

function newTable(head: string[]): Table.Table {
  return new Table({ head, style: { head: [], border: [] } });
}

/** gRPC's 64-bit numbers are bigint; all of ours fit into a number. */
function print(document: object): void {
  const plain = (_: string, value: unknown) => (typeof value === 'bigint' ? Number(value) : value);
  say(JSON.stringify(document, plain, 2));
}
