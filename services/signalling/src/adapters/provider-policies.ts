// The tenants' policies from their providers, as policy-sync puts them into NATS: followed with every means against a lost update,
// kept on disk for a start without NATS.
import { type Bus, KvFollower, type KvValue, type Logger, pause, readObject } from '@sidestream/service';
import type { Registry } from 'prom-client';
import type { PolicyTable } from '../domain/policy-table.js';
import { PolicyFeed, type StaleRule } from './policy-feed.js';
import { PolicyStore } from './policy-store.js';

export interface ProviderPoliciesOptions {
  /** By tenant. */
  readonly sources: Readonly<Record<string, StaleRule>>;
  readonly table: PolicyTable;
  /** Where the policies are kept. */
  readonly directory: string;
  readonly log: Logger;
  readonly metrics: Registry;
  /** Milliseconds of the wall clock, and of one that nobody sets. */
  readonly now?: () => number;
  readonly steady?: () => number;
}

export class ProviderPolicies {
  readonly #feeds: ReadonlyMap<string, PolicyFeed>;
  readonly #store: PolicyStore;
  readonly #follow: () => KvFollower;
  #follower: KvFollower | undefined;
  /** Ends when the last fetch in the row does. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(bus: Bus, options: ProviderPoliciesOptions) {
    const { sources, table, directory, log, metrics, now = Date.now, steady = () => performance.now() } = options;
    this.#store = new PolicyStore(directory, log);
    const services = {
      table,
      store: this.#store,
      fetch: (object: string, signal: AbortSignal) => fetchObject(bus, object, signal),
      inTurn: <T>(work: () => Promise<T>) => this.#inTurn(work),
      log,
      now,
      steady,
    };
    this.#feeds = new Map(
      Object.entries(sources).map(([tenant, stale]) => [tenant, new PolicyFeed(tenant, stale, services)]),
    );
    const onValue = (tenant: string, value: KvValue | undefined) => this.#feeds.get(tenant)?.hear(value);
    this.#follow = () => new KvFollower(bus, { bucket: 'policies', onValue, log, metrics });
  }

  /** Resolves once what is on disk is in use; follows NATS until close(). */
  async start(): Promise<void> {
    if (this.#feeds.size === 0) return;
    for (const feed of this.#feeds.values()) await feed.restore();
    this.#follower = this.#follow();
    this.#follower.start();
  }

  /** Gives what is being written to disk up to `flushMs` to get there. */
  async close(flushMs: number): Promise<void> {
    this.#follower?.stop();
    for (const feed of this.#feeds.values()) feed.close();
    await Promise.race([this.#store.flushed(), pause(flushMs, new AbortController().signal)]);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

async function* fetchObject(bus: Bus, object: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  yield* readObject(await bus.whenConnected(signal), 'policy-snapshots', object, signal);
}
