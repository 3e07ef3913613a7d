// Histograms whose buckets name a trace (exemplars): from a slow bucket to a call that was slow.
import { Histogram, type HistogramConfiguration } from 'prom-client';
import type { Span } from './tracing/spans.js';

export class TracedHistogram<T extends string = never> extends Histogram {
  constructor(options: Omit<HistogramConfiguration<T>, 'collect'>) {
    // prom-client registers what has exemplars only where the format is OpenMetrics for good; ours depends on the scraper.
    super({ ...options, registers: [], enableExemplars: true });
    for (const registry of options.registers ?? []) registry.registerMetric(this);
  }

  /** @param span what was measured, if it is traced */
  record(labels: Readonly<Record<T, string>>, value: number, span: Pick<Span, 'spanContext'> | undefined): void {
    this.observe({ labels, value, exemplarLabels: span === undefined ? {} : { trace_id: span.spanContext().traceId } });
  }
}
