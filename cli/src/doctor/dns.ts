// Check `dns`: every name that the configuration leads to is found, and how long that takes.
import { promises as dns } from 'node:dns';
import { isIP } from 'node:net';
import type { TransportProtocol } from '@sidestream/sip';
import { adviceFor } from './advice.js';
import { type Check, type Finding, fail, ok, type Probe, warn } from './check.js';
import type { Examined } from './examined.js';
import { hostOf, natsPlaces, recorderPlaces, registrarPlaces, targetPlaces } from './places.js';
import { reasonOf } from './reason.js';

/** A call waits for it. */
const slowMs = 500;
const services: Readonly<Record<TransportProtocol, string>> = { udp: '_sip._udp', tcp: '_sip._tcp', tls: '_sips._tcp' };

interface Name {
  readonly host: string;
  /** Keys or places that name it. */
  readonly keys: string[];
  /** Of SIP targets without a port: their services are asked for first (RFC 3263 §4.2). */
  readonly protocols: Set<TransportProtocol>;
}

export const dnsCheck: Check = {
  name: 'dns',
  about: 'names of recorders, NATS, trunks, provider, issuers and collector are found, and how soon',
  probes: (examined) =>
    names(examined).map((name): Probe => {
      const where = `${name.host} (${name.keys[0]}${name.keys.length > 1 ? ` and ${name.keys.length - 1} more` : ''})`;
      return { where, todo: 'check the DNS servers of this machine', run: () => look(examined, name, where) };
    }),
};

async function look(examined: Examined, { host, protocols }: Name, where: string): Promise<Finding[]> {
  const begunMs = performance.now();
  const places = (await Promise.all([...protocols].map((protocol) => servicesOf(host, protocol)))).flat();
  try {
    // A domain that offers SIP by SRV records needs no address of its own, but its servers do.
    const hosts = places.length > 0 ? places : [host];
    const found = (await Promise.all(hosts.map((one) => examined.addressesOf(one)))).flat();
    return [judgeLookUp(where, found, performance.now() - begunMs, places)];
  } catch (error) {
    return [fail(where, reasonOf(error), adviceFor(error, { peer: host, trust: '' }))];
  }
}

export function judgeLookUp(
  where: string,
  found: readonly string[],
  ms: number,
  places: readonly string[] = [],
): Finding {
  const by = places.length > 0 ? ` by way of ${places.join(', ')}` : '';
  const what = `${found.slice(0, 4).join(', ')}${found.length > 4 ? ', …' : ''}${by} in ${Math.round(ms)} ms`;
  if (ms < slowMs) return ok(where, what);
  return warn(where, what, 'calls wait for such answers: run a caching resolver close by');
}

/** Hosts that offer the service; none where DNS says nothing of it. */
async function servicesOf(host: string, protocol: TransportProtocol): Promise<string[]> {
  if (!host.includes('.')) return [];
  try {
    const records = await dns.resolveSrv(`${services[protocol]}.${host}`);
    return records.map(({ name }) => name).filter((name) => name !== '' && name !== '.');
  } catch {
    return [];
  }
}

function names(examined: Examined): Name[] {
  const found = new Map<string, Name>();
  const add = (host: string, key: string): Name | undefined => {
    if (isIP(host) !== 0) return undefined;
    const name = found.get(host) ?? { host, keys: [], protocols: new Set() };
    found.set(host, name);
    name.keys.push(key);
    return name;
  };
  for (const { host, where } of recorderPlaces(examined)) add(host, `recorder ${where}`);
  for (const { host, key } of natsPlaces(examined)) add(host, key);
  for (const { host, key, port, protocol } of [...targetPlaces(examined), ...registrarPlaces(examined)]) {
    const name = add(host, key);
    if (port === undefined) name?.protocols.add(protocol);
  }
  for (const [name, { provider }] of examined.tenants) {
    if (provider === undefined) continue;
    add(hostOf(provider.authority), `tenants.${name}.provider.authority`);
    add(hostOf(provider.apiBaseUrl), `tenants.${name}.provider.apiBaseUrl`);
  }
  for (const [index, { issuer, jwksUri }] of (examined.config.gateway?.issuers ?? []).entries())
    add(hostOf(jwksUri ?? issuer), `gateway.issuers.${index}`);
  const { traces } = examined.config.telemetry;
  if (traces !== undefined) add(hostOf(traces.endpoint), 'telemetry.traces.endpoint');
  for (const [index, { address }] of examined.config.relays.entries())
    add(address.replace(/:\d+$/, ''), `relays.${index}.address`);
  return [...found.values()];
}
