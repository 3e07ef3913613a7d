// What becomes of spans: each one that ends is counted once, as exported, failed or dropped. Says once that the collector is away, and once
// that it is there again. Knows nothing of how spans are sent.
import type { Context } from '@opentelemetry/api';
import type { ReadableSpan, Span, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { Counter, type Registry } from 'prom-client';
import type { Logger } from '../log.js';

export interface CountedSpansOptions {
  readonly exporter: SpanExporter;
  /** Makes what collects spans and gives them to the exporter; it never has to hold more than `maxWaiting`. */
  readonly collect: (exporter: SpanExporter) => SpanProcessor;
  /** Spans that wait at most; one that comes while so many wait is dropped. */
  readonly maxWaiting: number;
  readonly log: Logger;
  readonly metrics: Registry;
}

export class CountedSpans implements SpanProcessor {
  readonly #maxWaiting: number;
  readonly #collector: SpanProcessor;
  readonly #spans: Counter<'outcome'>;
  #waiting = 0;
  #stopped = false;

  constructor({ exporter, collect, maxWaiting, log, metrics }: CountedSpansOptions) {
    this.#maxWaiting = maxWaiting;
    this.#spans = new Counter({
      name: 'sidestream_spans_total',
      help: 'Spans of traces by outcome: exported, failed (the collector did not take them), dropped (too many waited).',
      labelNames: ['outcome'],
      registers: [metrics],
    });
    for (const outcome of ['exported', 'failed', 'dropped']) this.#spans.inc({ outcome }, 0);
    this.#collector = collect(this.#counted(exporter, log));
  }

  onStart(span: Span, within: Context): void {
    this.#collector.onStart(span, within);
  }

  onEnd(span: ReadableSpan): void {
    if (this.#stopped || this.#waiting >= this.#maxWaiting) {
      this.#spans.inc({ outcome: 'dropped' });
      return;
    }
    this.#waiting += 1;
    this.#collector.onEnd(span);
  }

  forceFlush(): Promise<void> {
    return this.#collector.forceFlush();
  }

  shutdown(): Promise<void> {
    this.#stopped = true;
    return this.#collector.shutdown();
  }

  #counted(exporter: SpanExporter, log: Logger): SpanExporter {
    let away = false;
    return {
      export: (batch, done) => {
        this.#waiting -= batch.length;
        exporter.export(batch, (result) => {
          const failed = result.error !== undefined || result.code !== 0;
          this.#spans.inc({ outcome: failed ? 'failed' : 'exported' }, batch.length);
          if (failed && !away)
            log.warn({ reason: result.error?.message }, 'traces can not be sent to the collector; spans are lost');
          if (!failed && away) log.info('traces can be sent to the collector again');
          away = failed;
          done(result);
        });
      },
      shutdown: () => exporter.shutdown(),
      forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    };
  }
}
