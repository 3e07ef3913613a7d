// All tenants together: the work of the active instance.
import { setMaxListeners } from 'node:events';
import { Limiter, SidestreamError } from '@sidestream/service';
import type { Announcements, Clock, PolicyStore, UserSource } from './ports.js';
import type { Pace } from './schedule.js';
import { SyncError } from './sync-error.js';
import { type SyncResult, type TenantState, TenantSync } from './tenant-sync.js';

export interface PolicySyncOptions {
  readonly tenants: readonly { readonly tenant: string; readonly pace: Pace }[];
  readonly source: UserSource;
  readonly store: PolicyStore;
  readonly announce: Announcements;
  readonly clock: Clock;
  readonly random?: () => number;
}

/** Tenants that are asked for at once; some whose provider does not answer must not hold up the others. */
const atOnce = 16;
const ageCheckMs = 1_000;

export class PolicySync {
  readonly #options: PolicySyncOptions;
  readonly #syncs: ReadonlyMap<string, TenantSync>;
  #active = false;

  constructor(options: PolicySyncOptions) {
    this.#options = options;
    const { tenants, random = Math.random, ...rest } = options;
    const limiter = new Limiter(atOnce);
    this.#syncs = new Map(
      tenants.map(({ tenant, pace }) => [tenant, new TenantSync({ tenant, pace, random, limiter, ...rest })]),
    );
  }

  get active(): boolean {
    return this.#active;
  }

  /** Syncs until the signal aborts; begins with what is stored, whoever wrote it. */
  async run(signal: AbortSignal): Promise<void> {
    // Every tenant listens to it, however many there are.
    setMaxListeners(0, signal);
    // What can't be removed now is removed the next time.
    await this.#options.store.tidy(signal).catch(() => undefined);
    this.#active = true;
    try {
      const syncs = [...this.#syncs.values()];
      await Promise.all([...syncs.map((sync) => sync.run(signal)), this.#watchAges(signal)]);
    } finally {
      this.#active = false;
    }
  }

  /** How the tenant's syncing stands; undefined when another instance is active: who stands by knows nothing that may be told. */
  state(tenant: string): TenantState | undefined {
    return this.#active ? this.#syncs.get(tenant)?.state : undefined;
  }

  wake(tenant: string): void {
    this.#syncs.get(tenant)?.wake();
  }

  /** @throws SidestreamError `not-active`, `provider-unavailable`, `provider-refused`, `policy-unavailable` when it can't be stored */
  async syncNow(tenant: string): Promise<SyncResult> {
    const sync = this.#syncs.get(tenant);
    if (sync === undefined || !this.#active)
      throw new SidestreamError('not-active', 'another instance syncs: ask that one');
    try {
      return await sync.request();
    } catch (error) {
      if (!(error instanceof SyncError)) throw new SidestreamError('not-active', 'this instance no longer syncs');
      const others = error.retryable ? 'provider-unavailable' : 'provider-refused';
      const code = error.code.startsWith('store-') ? 'policy-unavailable' : others;
      throw new SidestreamError(code, `${error.code}: ${error.message}`, { cause: error });
    }
  }

  async #watchAges(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      for (const sync of this.#syncs.values()) sync.checkAge();
      await clock.until(clock.now() + ageCheckMs, signal);
    }
  }
}
