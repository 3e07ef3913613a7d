// The configured peers as addresses: networks as they stand, host names of targets looked up again and again.
import { isIP } from 'node:net';
import type { Logger } from '@sidestream/service';
import type { TransportProtocol } from '@sidestream/sip';
import { PeerSet } from '../domain/peers.js';
import { lookupWithin } from './lookup-within.js';
import type { ServiceLookup } from './service-lookup.js';

/** A domain to which calls go over this transport. */
export interface PeerDomain {
  readonly domain: string;
  readonly protocol: TransportProtocol;
}

export interface KnownPeersOptions {
  /** IP addresses, networks and host names. */
  readonly entries: readonly string[];
  /** Domains whose places are peers as well (RFC 3263 §4.2). */
  readonly domains?: readonly PeerDomain[] | undefined;
  readonly services: Pick<ServiceLookup, 'find'>;
  readonly log: Logger;
  /** How often names are looked up, in ms. */
  readonly refreshMs?: number;
}

const lookupDeadlineMs = 3_000;
const maxNames = 1_024;

export class KnownPeers {
  readonly #networks: readonly string[];
  readonly #names: readonly string[];
  readonly #addresses = new Map<string, readonly string[]>();
  readonly #log: Logger;
  readonly #refreshMs: number;
  readonly #domains: readonly PeerDomain[];
  readonly #services: Pick<ServiceLookup, 'find'>;
  #set: PeerSet;
  #timer: NodeJS.Timeout | undefined;

  constructor({ entries, domains = [], services, log, refreshMs = 30_000 }: KnownPeersOptions) {
    this.#domains = domains;
    this.#services = services;
    this.#networks = entries.filter((entry) => isIP(entry.split('/')[0] ?? '') !== 0);
    this.#names = entries.filter((entry) => isIP(entry.split('/')[0] ?? '') === 0);
    this.#log = log;
    this.#refreshMs = refreshMs;
    this.#set = new PeerSet(this.#networks);
  }

  has(address: string): boolean {
    return this.#set.has(address);
  }

  /** Looks the names up once and then regularly. Never rejects: a name without an answer keeps its last addresses. */
  async start(): Promise<void> {
    if (this.#names.length + this.#domains.length === 0) return;
    await this.#refresh();
    this.#timer = setInterval(() => void this.#refresh(), this.#refreshMs);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** The names that are configured, and those that the SRV records of the domains name in their place. */
  async #allNames(): Promise<readonly string[]> {
    const found = await Promise.all(
      this.#domains.map(async ({ domain, protocol }) => {
        const service = await this.#services.find(domain, protocol);
        return service === undefined ? [domain] : service.map(({ host }) => host);
      }),
    );
    const names = new Set([...this.#names, ...found.flat()]);
    return [...names].slice(0, maxNames);
  }

  async #refresh(): Promise<void> {
    const names = await this.#allNames();
    for (const name of [...this.#addresses.keys()]) if (!names.includes(name)) this.#addresses.delete(name);
    await Promise.all(
      names.map(async (name) => {
        try {
          this.#addresses.set(name, await lookupWithin(name, lookupDeadlineMs));
        } catch (error) {
          this.#log.warn({ err: error, name }, 'a peer could not be looked up: its last addresses stay');
        }
      }),
    );
    this.#set = new PeerSet([...this.#networks, ...[...this.#addresses.values()].flat()]);
  }
}
