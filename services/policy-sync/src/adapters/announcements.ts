// How the world learns what became of the policies: events, log, metrics. Beside the work, never awaited.
import { type EventPublisher, fromZero, type Logger } from '@sidestream/service';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { PolicySync } from '../domain/policy-sync.js';
import type { Announcements, Failure, StoredPolicy } from '../domain/ports.js';
import { type SyncErrorCode, syncErrorCodes } from '../domain/sync-error.js';

export interface AnnouncementOptions {
  readonly events: Pick<EventPublisher, 'publish'>;
  readonly log: Logger;
  readonly metrics: Registry;
  /** The stale rule of each tenant. */
  readonly rules: ReadonlyMap<string, 'keep' | 'record-none' | 'record-all'>;
}

export class PolicyAnnouncements implements Announcements {
  readonly #options: AnnouncementOptions;
  readonly #attempts: Counter<'tenant' | 'outcome'>;
  readonly #seconds: Histogram<'tenant'>;

  constructor(options: AnnouncementOptions) {
    this.#options = options;
    const registers = [options.metrics];
    this.#attempts = new Counter({
      name: 'sidestream_policy_syncs_total',
      help: 'Attempts to renew a policy, by tenant and outcome (applied, confirmed or kind of failure).',
      labelNames: ['tenant', 'outcome'],
      registers,
    });
    const tenant = [...options.rules.keys()];
    fromZero(this.#attempts, { tenant, outcome: ['applied', 'confirmed', ...syncErrorCodes] });
    this.#seconds = new Histogram({
      name: 'sidestream_policy_sync_seconds',
      help: 'Time that an attempt took, from the request to the stored pointer.',
      labelNames: ['tenant'],
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
      registers,
    });
  }

  applied(tenant: string, { pointer, details }: StoredPolicy, before: StoredPolicy | undefined): void {
    const { revision, users, bytes } = pointer;
    const previousRevision = before?.pointer.revision ?? '';
    this.#options.events.publish({ $case: 'policyApplied', value: { tenant, revision, previousRevision, users } });
    const unmatched = details?.unmatched;
    this.#options.log.info({ tenant, revision, previousRevision, users, unmatched, bytes }, 'a policy is applied');
  }

  rejected(tenant: string, { code, message }: Failure, kept: StoredPolicy | undefined): void {
    const keptRevision = kept?.pointer.revision ?? '';
    const value = { tenant, keptRevision, reason: code, detail: message };
    this.#options.events.publish({ $case: 'policyRejected', value });
    this.#options.log.warn({ tenant, keptRevision, reason: code }, `the policy could not be renewed: ${message}`);
  }

  stale(tenant: string, { pointer }: StoredPolicy): void {
    const rule = this.#options.rules.get(tenant) ?? 'record-none';
    const { revision } = pointer;
    const checkedAt = new Date(pointer.checkedAt);
    this.#options.events.publish({ $case: 'policyStale', value: { tenant, revision, rule, checkedAt } });
    this.#options.log.error({ tenant, revision, rule, checkedAt }, 'the policy is stale: the rule decides from now on');
  }

  attempted(tenant: string, outcome: 'applied' | 'confirmed' | SyncErrorCode, durationMs: number): void {
    this.#attempts.inc({ tenant, outcome });
    this.#seconds.observe({ tenant }, durationMs / 1_000);
  }
}

/** Gauges of the policies that this instance keeps, read at each scrape; none while another one is active. */
export function policyGauges(metrics: Registry, sync: PolicySync, tenants: readonly string[]): void {
  const registers = [metrics];
  const each = (set: (tenant: string, stored: StoredPolicy) => void) => {
    for (const tenant of tenants) {
      const stored = sync.state(tenant)?.stored;
      if (stored !== undefined) set(tenant, stored);
    }
  };
  new Gauge({
    name: 'sidestream_policy_age_seconds',
    help: 'Time since the provider confirmed the policy.',
    labelNames: ['tenant'],
    registers,
    collect() {
      this.reset();
      each((tenant, { pointer }) => this.set({ tenant }, (Date.now() - Date.parse(pointer.checkedAt)) / 1_000));
    },
  });
  new Gauge({
    name: 'sidestream_policy_users',
    help: 'Users whom the policy names.',
    labelNames: ['tenant'],
    registers,
    collect() {
      this.reset();
      each((tenant, { pointer }) => this.set({ tenant }, pointer.users));
    },
  });
  new Gauge({
    name: 'sidestream_policy_info',
    help: '1 for the revision that is current; one series a tenant.',
    labelNames: ['tenant', 'revision'],
    registers,
    collect() {
      this.reset();
      each((tenant, { pointer }) => this.set({ tenant, revision: pointer.revision }, 1));
    },
  });
}
