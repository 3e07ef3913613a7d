// How many calls should have been recorded, and how far each came: of ended calls, by tenant.
import { type CallRecord, Verdict } from '@sidestream/proto/records/v1';
import { fromZero, isMediaConfirmed } from '@sidestream/service';
import { Counter, type Registry } from 'prom-client';

const stages = ['expected', 'started', 'media_confirmed', 'complete'] as const;
type Stage = (typeof stages)[number];

export class AssuranceMetrics {
  readonly #calls: Counter<'tenant' | 'stage'>;

  /** @param tenants those that are recorded */
  constructor(metrics: Registry, tenants: readonly string[]) {
    this.#calls = new Counter({
      name: 'sidestream_calls_to_record_total',
      help: 'Ended calls that should have been recorded, by how far that came: expected, started, media_confirmed, complete.',
      labelNames: ['tenant', 'stage'],
      registers: [metrics],
    });
    fromZero(this.#calls, { tenant: tenants, stage: stages });
  }

  /** A call is over. */
  count({ tenant, verdict, recordings }: CallRecord): void {
    if (verdict === Verdict.NOT_EXPECTED || verdict === Verdict.WAIVED) return;
    const add = (stage: Stage, reached: boolean) => this.#calls.inc({ tenant, stage }, reached ? 1 : 0);
    add('expected', true);
    add(
      'started',
      recordings.some(({ startedAt }) => startedAt !== undefined),
    );
    add('media_confirmed', recordings.some(isMediaConfirmed));
    add('complete', verdict === Verdict.COMPLETE);
  }
}
