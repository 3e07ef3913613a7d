// The recorders' numbers. Labels are names of the configuration and closed sets, so that there are never more series than it allows.
import { type Span, TracedHistogram } from '@sidestream/service';
import { SipError } from '@sidestream/sip';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { BreakerPhase } from '../domain/recorder-breaker.js';
import { type FailureClass, failureOf } from './recorder-failure.js';

/** Of one recorder as one tenant. */
export interface MeasuredRecorder {
  readonly tenant: string;
  readonly recorder: string;
  readonly place: number;
  readonly phase: BreakerPhase;
  readonly sessions: number;
  /** Empty if nothing has gone wrong. */
  readonly lastFailure: string;
}

const phases: Readonly<Record<BreakerPhase, number>> = { closed: 0, 'half-open': 1, open: 2 };
/** What recorders are asked; a metric label. */
export type RecorderMethod = 'INVITE' | 're-INVITE' | 'BYE' | 'OPTIONS';

const who = ['tenant', 'recorder'] as const;

export class RecorderMetrics {
  readonly #failures: Counter<'tenant' | 'recorder' | 'class'>;
  readonly #connect: Histogram;
  readonly #requests: TracedHistogram<'tenant' | 'method' | 'status'>;

  /** @param recorders asked at each scrape */
  constructor(metrics: Registry, recorders: () => Iterable<MeasuredRecorder>) {
    const registers = [metrics];
    const gauge = (name: string, help: string, value: (of: MeasuredRecorder) => number) =>
      new Gauge({
        name,
        help,
        labelNames: who,
        registers,
        collect() {
          for (const of of recorders()) this.set({ tenant: of.tenant, recorder: of.recorder }, value(of));
        },
      });
    gauge(
      'sidestream_recorder_breaker_state',
      'Whether the recorder is asked: 0 closed (it is), 1 half-open (one trial at a time), 2 open (others come first).',
      ({ phase }) => phases[phase],
    );
    gauge(
      'sidestream_recorder_sessions',
      'Recording sessions with the recorder, those being set up included.',
      ({ sessions }) => sessions,
    );
    this.#failures = new Counter({
      name: 'sidestream_recorder_failures_total',
      help: 'What went wrong with the recorder, of calls, probes and connections, by class.',
      labelNames: [...who, 'class'],
      registers,
    });
    this.#connect = new Histogram({
      name: 'sidestream_recorder_connect_seconds',
      help: 'Opening a connection to a recorder: looking up, TCP and TLS.',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1],
      registers,
    });
    this.#requests = new TracedHistogram({
      name: 'sidestream_recorder_request_seconds',
      help: 'Time from a SIP request to a recorder to its final response, by class of the status (2xx to 6xx), or why there was none.',
      labelNames: ['tenant', 'method', 'status'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    });
  }

  failed(tenant: string, recorder: string, failure: FailureClass | 'connection-lost'): void {
    this.#failures.inc({ tenant, recorder, class: failure });
  }

  /** Measures a request by its outcome, which is also what it resolves or rejects with. */
  async timed<R>(
    {
      tenant,
      method,
      span,
    }: { readonly tenant: string; readonly method: RecorderMethod; readonly span?: Span | undefined },
    request: () => Promise<R>,
    statusOf: (answer: R) => number | undefined,
  ): Promise<R> {
    const started = performance.now();
    const measure = (status: number | undefined, otherwise: string) => {
      const label = status === undefined ? otherwise : `${Math.trunc(status / 100)}xx`;
      this.#requests.record({ tenant, method, status: label }, (performance.now() - started) / 1_000, span);
    };
    try {
      const answer = await request();
      measure(statusOf(answer), 'none');
      return answer;
    } catch (error) {
      measure(error instanceof SipError ? error.status : undefined, failureOf(error)?.class ?? 'none');
      throw error;
    }
  }

  connected(tookMs: number): void {
    this.#connect.observe(tookMs / 1_000);
  }
}
