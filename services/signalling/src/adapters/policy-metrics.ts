// What the policies in use look like from outside. Tenants and their present revision are the only labels.
import { Counter, Gauge, type Registry } from 'prom-client';
import type { PolicyTable } from '../domain/policy-table.js';

export class PolicyMetrics {
  readonly #swaps: Counter<'tenant'>;
  readonly #load: Gauge<'tenant'>;

  /** @param table asked at each scrape; @param now milliseconds of the wall clock */
  constructor(metrics: Registry, table: Pick<PolicyTable, 'current'>, now: () => number = Date.now) {
    const registers = [metrics];
    const labelNames = ['tenant'] as const;
    this.#swaps = new Counter({
      name: 'sidestream_policy_swaps_total',
      help: 'Policies that came into use, the first one included.',
      labelNames,
      registers,
    });
    this.#load = new Gauge({
      name: 'sidestream_policy_load_seconds',
      help: 'What it took to get the policy in use, from NATS, disk or file.',
      labelNames,
      registers,
    });
    new Gauge({
      name: 'sidestream_policy_users',
      help: 'Users whom the policy in use names.',
      labelNames,
      registers,
      collect() {
        for (const [tenant, { size }] of table.current) this.set({ tenant }, size);
      },
    });
    new Gauge({
      name: 'sidestream_policy_age_seconds',
      help: 'Since the provider last confirmed the policy in use. Not for policies from a file.',
      labelNames,
      registers,
      collect() {
        for (const [tenant, { freshness }] of table.current) {
          if (freshness !== undefined) this.set({ tenant }, (now() - freshness.checkedAt.getTime()) / 1_000);
        }
      },
    });
    new Gauge({
      name: 'sidestream_policy_info',
      help: 'Always 1; the label says which revision is in use.',
      labelNames: ['tenant', 'revision'],
      registers,
      collect() {
        this.reset();
        for (const [tenant, { revision }] of table.current) this.set({ tenant, revision }, 1);
      },
    });
  }

  swapped(tenant: string, loadMs: number): void {
    this.#swaps.inc({ tenant });
    this.#load.set({ tenant }, loadMs / 1_000);
  }
}
