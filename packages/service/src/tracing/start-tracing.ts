// Sends spans to a collector: OTLP over HTTP, in batches, beside the work. A collector that is away, slow or hostile costs spans, which are
// counted, and nothing else.
import { readFileSync } from 'node:fs';
import { diag, propagation, trace } from '@opentelemetry/api';
import type { Registry } from 'prom-client';
import type { TracesConfig } from '../config/telemetry-schema.js';
import type { Logger } from '../log.js';
import { CollectorHeaders } from './collector-headers.js';
import { CountedSpans } from './counted-spans.js';

const maxWaiting = 2_048;
const maxBatch = 512;
const everyMs = 5_000;
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
  const [{ OTLPTraceExporter }, { resourceFromAttributes }, sdk, { W3CTraceContextPropagator }] = await Promise.all([
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/core'),
  ]);
  const { endpoint, sampleRatio, headersFile, caFile } = config;
  const headers = headersFile === undefined ? undefined : new CollectorHeaders(headersFile, log);
  const exporter = new OTLPTraceExporter({
    url: endpoint,
    ...(headers !== undefined && { headers: async () => headers.read() }),
    timeoutMillis: exportTimeoutMs,
    concurrencyLimit: 2,
    ...(caFile !== undefined && { httpAgentOptions: { ca: readFileSync(caFile) } }),
  });
  const provider = new sdk.BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': `sidestream-${service}`, 'service.instance.id': instance }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(sampleRatio) }),
    spanLimits: { attributeCountLimit: 32, attributeValueLengthLimit: 256, eventCountLimit: 16, linkCountLimit: 8 },
    spanProcessors: [
      new CountedSpans({
        exporter,
        collect: (counted) =>
          new sdk.BatchSpanProcessor(counted, {
            maxQueueSize: maxWaiting,
            maxExportBatchSize: maxBatch,
            scheduledDelayMillis: everyMs,
            exportTimeoutMillis: exportTimeoutMs,
          }),
        maxWaiting,
        log,
        metrics,
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
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  return {
    stop: async () => {
      const timeUp = new Promise<void>((resolve) => setTimeout(resolve, flushMs).unref());
      await Promise.race([provider.shutdown().catch(() => undefined), timeUp]);
    },
  };
}
