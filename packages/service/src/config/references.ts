// What the schema can't say: keys that name other keys, what must not be in clear off loopback, what an edge can't do.
import { isLoopback } from '../address.js';
import { checkAccess } from './access-references.js';
import type { ConfigProblem } from './config-error.js';
import { checkEdge } from './edge-references.js';
import { checkGateway } from './gateway-references.js';
import { entries, has, type Loose, loose, text } from './loose.js';

/**
 * Checks a document, of any shape and without defaults, for names that lead nowhere, for links that would be in clear, and
 * for what the chosen edge can't do.
 */
export function checkReferences(document: unknown): ConfigProblem[] {
  const config = loose(document);
  return [
    ...danglingNames(config),
    ...clearLinks(config),
    ...checkEdge(config),
    ...checkAccess(config),
    ...checkGateway(config),
  ];
}

function* danglingNames(config: Loose): Generator<ConfigProblem> {
  for (const [id, tenant] of entries(config['tenants'])) {
    yield* mustName(`tenants.${id}.region`, tenant['region'], config['regions'], 'region');
    if (tenant['accountId'] === undefined && text(loose(tenant['recording'])['profile']) !== 'rfc7866') {
      yield { path: `tenants.${id}.accountId`, message: 'is needed by profile dynamics365' };
    }
    yield* tooManyAtOnce(id, tenant, loose(config['regions']));
    if (text(loose(tenant['policy'])['source']) === 'provider' && tenant['provider'] === undefined) {
      yield { path: `tenants.${id}.provider`, message: 'is needed by policy.source provider' };
    }
    if (tenant['provider'] === undefined || (loose(tenant['provider'])['register'] as unknown) === false) continue;
    for (const key of ['organizationId', 'accountId']) {
      if (tenant[key] === undefined)
        yield { path: `tenants.${id}.${key}`, message: 'is needed to register the tenant' };
    }
  }
  for (const [id, trunk] of entries(config['trunks'])) {
    yield* mustName(`trunks.${id}.tenant`, trunk['tenant'], config['tenants'], 'tenant');
    for (const [index, { to }] of entries(trunk['routes'])) {
      const path = `trunks.${id}.routes.${index}.to`;
      if (Array.isArray(to))
        for (const [place, one] of to.entries()) yield* leadsTo(`${path}.${place}`, one, trunk, config);
      else yield* leadsTo(path, to, trunk, config);
    }
  }
}

/** A route's trunk must be there, have targets and be of the same tenant. */
function* leadsTo(path: string, to: unknown, from: Loose, { trunks }: Loose): Generator<ConfigProblem> {
  yield* mustName(path, to, trunks, 'trunk');
  const name = text(to);
  if (name === undefined || !has(trunks, name)) return;
  const far = loose(loose(trunks)[name]);
  if (entries(far['targets']).length === 0) yield { path, message: `trunk '${name}' has no targets to send calls to` };
  if (text(far['tenant']) !== text(from['tenant']))
    yield { path, message: `trunk '${name}' belongs to another tenant` };
}

/** Each recording has forks of its own at the relay, which gives a call sixteen in its life, recoveries included. */
const mostAtOnce = 4;

function* tooManyAtOnce(id: string, tenant: Loose, regions: Loose): Generator<ConfigProblem> {
  const parallel = text(loose(tenant['recording'])['parallel']) ?? 'off';
  const list: unknown = tenant['recorders'] ?? loose(regions[text(tenant['region']) ?? ''])['recorders'];
  const count = Array.isArray(list) ? list.flat().length : 0;
  if (parallel === 'off' || count <= mostAtOnce) return;
  const message = `'${parallel}' records at ${count} recorders at once: ${mostAtOnce} are the most`;
  yield { path: `tenants.${id}.recording.parallel`, message };
}

function* clearLinks(config: Loose): Generator<ConfigProblem> {
  const nats = loose(config['nats']);
  for (const [index, server] of entries(nats['servers'])) {
    const host = /^\w+:\/\/(?:[^@/]*@)?(\[[^\]]+\]|[^:/]+)/.exec(text(server) ?? '')?.[1]?.replace(/[[\]]/g, '');
    if (host === undefined || isLoopback(host)) continue;
    if (nats['tls'] === undefined || nats['credentialsFile'] === undefined) {
      yield {
        path: `nats.servers.${index}`,
        message: `'${host}' is not loopback: nats.tls and nats.credentialsFile are needed`,
      };
    }
  }
  const relay = loose(config['mediaRelay']);
  const grpcTls = loose(config['grpc'])['tls'];
  for (const [service, key] of [
    ['mediaRelay', 'listen'],
    ['policySync', 'listen'],
    ['registration', 'listen'],
    ['signalling', 'grpcListen'],
  ] as const) {
    const listen = text(loose(config[service])[key]);
    if (listen === undefined || grpcTls !== undefined || isLoopback(listen.replace(/:\d+$/, '').replace(/[[\]]/g, '')))
      continue;
    yield { path: `${service}.${key}`, message: `'${listen}' is not loopback: grpc.tls is needed` };
  }
  for (const [index, entry] of entries(config['relays'])) {
    const address = text(entry['address']);
    if (address === undefined || grpcTls !== undefined) continue;
    if (!isLoopback(address.replace(/:\d+$/, '').replace(/[[\]]/g, ''))) {
      yield { path: `relays.${index}.address`, message: `'${address}' is not loopback: grpc.tls is needed` };
    }
  }
  const edge = /^tcp:\/\/(.+):\d+$/.exec(text(loose(config['signalling'])['edge']) ?? '')?.[1];
  if (edge !== undefined && !isLoopback(edge.replace(/[[\]]/g, ''))) {
    // drachtio-server enforces no secret and the link is in clear: it belongs beside signalling.
    yield { path: 'signalling.edge', message: `'${edge}' is not loopback: the edge's admin port must be on this host` };
  }
  for (const [key, danger] of [
    ['ng', 'ng has no authentication and carries keys'],
    ['http', 'it has no authentication and takes commands'],
  ] as const) {
    const address = text(loose(relay['rtpengine'])[key]);
    if (address === undefined || isLoopback(address.replace(/:\d+$/, '').replace(/[[\]]/g, ''))) continue;
    yield { path: `mediaRelay.rtpengine.${key}`, message: `'${address}' is not loopback: ${danger}` };
  }
}

function* mustName(path: string, value: unknown, among: unknown, what: string): Generator<ConfigProblem> {
  const name = text(value);
  if (name === undefined || has(among, name)) return;
  const known = entries(among).map(([key]) => key);
  yield { path, message: `no ${what} '${name}'${known.length > 0 ? ` (there are: ${known.join(', ')})` : ''}` };
}
