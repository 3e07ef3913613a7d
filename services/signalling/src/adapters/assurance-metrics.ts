// How many calls should have been recorded, and how far each came: of ended calls, by tenant.
import { type CallRecord, Verdict } from '@sidestream/proto/records/v1';
import { isMediaConfirmed } from '@sidestream/service';
import { Counter, type Registry } from 'prom-client';

type Stage = 'expected' | 'started' | 'media_confirmed' | 'complete';

export class AssuranceMetrics {
  readonly #calls: Counter<'tenant' | 'stage'>;

  constructor(metrics: Registry) {
    this.#calls = new Counter({
      name: 'sidestream_calls_to_record_total',
      help: 'Ended calls that should have been recorded, by how far that came: expected, started, media_confirmed, complete.',
      labelNames: ['tenant', 'stage'],
      registers: [metrics],
    });
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
