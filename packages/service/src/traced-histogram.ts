// Histograms whose buckets name a trace (exemplars): from a slow bucket to a call that was slow. Knows of tracing only which
// span is active; without tracing there is none.
import { TraceFlags, trace } from '@opentelemetry/api';
import { Histogram, type HistogramConfiguration } from 'prom-client';

/** The label of an exemplar; empty without a trace that is kept. */
export type Exemplar = Readonly<Partial<Record<'trace_id', string>>>;

/** Names the trace of now. What ends in another context than it began in asks at its beginning. */
export function currentExemplar(): Exemplar {
  const span = trace.getActiveSpan()?.spanContext();
  const isSampled = span !== undefined && (span.traceFlags & TraceFlags.SAMPLED) !== 0;
  return isSampled ? { trace_id: span.traceId } : {};
}

export class TracedHistogram<T extends string = never> extends Histogram {
  constructor(options: Omit<HistogramConfiguration<T>, 'collect'>) {
    // prom-client registers what has exemplars only where the format is OpenMetrics for good; ours depends on the scraper.
    super({ ...options, registers: [], enableExemplars: true });
    for (const registry of options.registers ?? []) registry.registerMetric(this);
  }

  record(labels: Readonly<Record<T, string>>, value: number, exemplar: Exemplar = currentExemplar()): void {
    this.observe({ labels, value, exemplarLabels: exemplar });
  }
}
