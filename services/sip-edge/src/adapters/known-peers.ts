// The configured peers as addresses: networks as they stand, host names of targets looked up again and again.
import { isIP } from 'node:net';
import type { Logger } from '@sidestream/service';
import { PeerSet } from '../domain/peers.js';
import { lookupWithin } from './lookup-within.js';

export interface KnownPeersOptions {
  /** IP addresses, networks and host names. */
  readonly entries: readonly string[];
  readonly log: Logger;
  /** How often names are looked up, in ms. */
  readonly refreshMs?: number;
}

const lookupDeadlineMs = 3_000;

export class KnownPeers {
  readonly #networks: readonly string[];
  readonly #names: readonly string[];
  readonly #addresses = new Map<string, readonly string[]>();
  readonly #log: Logger;
  readonly #refreshMs: number;
  #set: PeerSet;
  #timer: NodeJS.Timeout | undefined;

  constructor({ entries, log, refreshMs = 30_000 }: KnownPeersOptions) {
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
    if (this.#names.length === 0) return;
    await this.#refresh();
    this.#timer = setInterval(() => void this.#refresh(), this.#refreshMs);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #refresh(): Promise<void> {
    await Promise.all(
      this.#names.map(async (name) => {
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
