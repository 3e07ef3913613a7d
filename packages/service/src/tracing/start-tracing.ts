// Sends spans to a collector: OTLP over HTTP, in batches, beside the work. A collector that is away, slow or hostile costs spans, which are
// counted, and nothing else.
import { readFileSync } from 'node:fs';
import { context, diag, propagation, trace } from '@opentelemetry/api';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import { Counter, type Registry } from 'prom-client';
import type { TracesConfig } from '../config/telemetry-schema.js';
import type { Logger } from '../log.js';

const maxWaiting = 2_048;
const maxBatch = 512;
const everyMs = 2_000;
const exportTimeoutMs = 5_000;
/** What is left when the process stops. */
const flushMs = 2_000;

export interface TracingOptions {
  readonly service: string;
  readonly instance: string;
  readonly config: TracesConfig;
  readonly log: Logger;
  readonly metrics: Registry;
}

export interface Tracing {
  /** Sends what waits, within two seconds. Never rejects. */
  stop(): Promise<void>;
}

/** Until it has been called, and without it, spans are nothing. @throws Error for a file that can't be read */
export async function startTracing({ service, instance, config, log, metrics }: TracingOptions): Promise<Tracing> {
  // Loaded for those only who trace: it is a megabyte.
  const [
    { AsyncLocalStorageContextManager },
    { OTLPTraceExporter },
    { resourceFromAttributes },
    sdk,
    { W3CTraceContextPropagator },
  ] = await Promise.all([
    import('@opentelemetry/context-async-hooks'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/core'),
  ]);
  const { endpoint, sampleRatio, headersFile, caFile } = config;
  const headers = headersFile === undefined ? {} : readHeaders(readFileSync(headersFile, 'utf8'));
  const exporter = new OTLPTraceExporter({
    url: endpoint,
    headers,
    timeoutMillis: exportTimeoutMs,
    concurrencyLimit: 2,
    ...(caFile !== undefined && { httpAgentOptions: { ca: readFileSync(caFile) } }),
  });
  const provider = new sdk.BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': `sidestream-${service}`, 'service.instance.id': instance }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(sampleRatio) }),
    spanLimits: { attributeCountLimit: 32, attributeValueLengthLimit: 256, eventCountLimit: 16, linkCountLimit: 8 },
    spanProcessors: [
      new sdk.BatchSpanProcessor(measured(exporter, log, metrics), {
        maxQueueSize: maxWaiting,
        maxExportBatchSize: maxBatch,
        scheduledDelayMillis: everyMs,
        exportTimeoutMillis: exportTimeoutMs,
      }),
    ],
  });
  diag.setLogger({
    error: () => undefined,
    warn: () => undefined,
    info: () => undefined,
    debug: () => undefined,
    verbose: () => undefined,
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  return {
    stop: async () => {
      const timeUp = new Promise<void>((resolve) => setTimeout(resolve, flushMs).unref());
      await Promise.race([provider.shutdown().catch(() => undefined), timeUp]);
    },
  };
}

/** Counts what was sent and what was lost, and says once that the collector is away, and once that it is there again. */
function measured(exporter: SpanExporter, log: Logger, metrics: Registry): SpanExporter {
  const spans = new Counter({
    name: 'sidestream_spans_total',
    help: 'Spans of traces by what became of them: exported to the collector, or lost because it did not take them.',
    labelNames: ['outcome'],
    registers: [metrics],
  });
  for (const outcome of ['exported', 'lost']) spans.inc({ outcome }, 0);
  let away = false;
  return {
    export: (batch: ReadableSpan[], done) =>
      exporter.export(batch, (result) => {
        const lost = result.error !== undefined || result.code !== 0;
        spans.inc({ outcome: lost ? 'lost' : 'exported' }, batch.length);
        if (lost && !away)
          log.warn({ reason: result.error?.message }, 'traces can not be sent to the collector; spans are lost');
        if (!lost && away) log.info('traces can be sent to the collector again');
        away = lost;
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
}

/** `Name: value`, a line each. */
function readHeaders(text: string): Record<string, string> {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  return Object.fromEntries(
    lines.map((line, index) => {
      const [, field = '', value = ''] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*?)\s*$/.exec(line) ?? [];
      // The line may hold a secret.
      if (field === '') throw new Error(`telemetry.traces.headersFile: line ${index + 1} is not 'Name: value'`);
      return [field, value];
    }),
  );
}
