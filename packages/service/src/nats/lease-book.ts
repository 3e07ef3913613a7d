// Who is alive, as the leases say. While NATS is away nobody is declared dead: the last known set stays.
import type { z } from 'zod';
import type { Logger } from '../log.js';
import { pause } from '../pause.js';
import type { Bus, BusSession } from './bus.js';

const pollMs = 1_000;

/**
 * Follows the leases under one prefix by polling: a bucket's TTL expiry gives no watch event. What the bucket has is alive: the
 * server's clock alone judges, for those of two nodes may be further apart than a lease is long.
 */
export class LeaseBook<T> {
  readonly #bus: Bus;
  readonly #prefix: string;
  readonly #schema: z.ZodType<T>;
  readonly #log: Logger;
  readonly #stopping = new AbortController();
  #current: ReadonlyMap<string, T> = new Map();
  #listeners = new Set<() => void>();

  constructor(bus: Bus, options: { prefix: string; schema: z.ZodType<T>; log: Logger }) {
    this.#bus = bus;
    this.#prefix = options.prefix;
    this.#schema = options.schema;
    this.#log = options.log;
  }

  /** The leases by id (the key without its prefix), an immutable snapshot. */
  get current(): ReadonlyMap<string, T> {
    return this.#current;
  }

  /** Calls back after every poll that was answered. */
  onRefresh(listener: () => void): void {
    this.#listeners.add(listener);
  }

  start(): void {
    void this.#follow();
  }

  stop(): void {
    this.#stopping.abort();
    this.#listeners.clear();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const session = this.#bus.session;
      try {
        if (session) {
          this.#current = await this.#read(session);
          for (const listener of this.#listeners) listener();
        }
      } catch (error) {
        this.#log.debug({ err: error, prefix: this.#prefix }, 'leases not read; the last known stay');
      }
      await pause(this.#bus.connected ? pollMs : 200, signal);
    }
  }

  async #read(session: BusSession): Promise<ReadonlyMap<string, T>> {
    const bucket = session.bucket('leases');
    const found = new Map<string, T>();
    for (const key of await this.#keys(session)) {
      const entry = await bucket.get(key);
      if (entry?.operation !== 'PUT') continue;
      const lease = parseLease(entry.string(), this.#schema);
      if (lease === undefined) this.#log.warn({ lease: key }, 'a lease with unknown content is ignored');
      else found.set(key.slice(this.#prefix.length), lease);
    }
    return found;
  }

  /**
   * One question with one answer. The client's `keys()` is a watch, which on NATS 2.9 may say nothing until its minute is over.
   */
  async #keys({ jetstream }: BusSession): Promise<string[]> {
    const { streams } = await jetstream.jetstreamManager(false);
    const { state } = await streams.info('KV_leases', { subjects_filter: `$KV.leases.${this.#prefix}*` });
    return Object.keys(state.subjects ?? {}).map((subject) => subject.slice('$KV.leases.'.length));
  }
}

function parseLease<T>(text: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
