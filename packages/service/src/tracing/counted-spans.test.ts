import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExportResult } from '@opentelemetry/core';
import { BasicTracerProvider, BatchSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { CountedSpans } from './counted-spans.js';

/** Four spans wait at most, batches are of two; the exporter answers when it is told to. */
function newTracing() {
  const metrics = new Registry();
  const asked: { readonly batch: ReadableSpan[]; readonly done: (result: ExportResult) => void }[] = [];
  const spans = new CountedSpans({
    exporter: { export: (batch, done) => void asked.push({ batch, done }), shutdown: async () => undefined },
    collect: (exporter) =>
      new BatchSpanProcessor(exporter, { maxQueueSize: 4, maxExportBatchSize: 2, scheduledDelayMillis: 1 }),
    maxWaiting: 4,
    log: pino({ level: 'silent' }),
    metrics,
  });
  const provider = new BasicTracerProvider({ spanProcessors: [spans] });
  const tracer = provider.getTracer('test');
  const end = (count: number) => {
    for (let i = 0; i < count; i += 1) tracer.startSpan('one').end();
  };
  const next = async () => {
    while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
    return asked.shift() as (typeof asked)[number];
  };
  const counts = async () => {
    const { values = [] } = (await metrics.getSingleMetric('sidestream_spans_total')?.get()) ?? {};
    return Object.fromEntries(values.map(({ labels, value }) => [labels['outcome'], value]));
  };
  return { end, next, counts, provider };
}

test('spans that find the queue full are counted as dropped, and each span once', async () => {
  const { end, next, counts, provider } = newTracing();
  end(2);
  const first = await next();
  // While the collector is slow: four wait, three too many.
  end(7);
  assert.deepEqual(await counts(), { exported: 0, failed: 0, dropped: 3 });
  first.done({ code: 0 });
  const second = await next();
  second.done({ code: 1, error: new Error('away') });
  (await next()).done({ code: 0 });
  assert.deepEqual(await counts(), { exported: 4, failed: 2, dropped: 3 });
  await provider.shutdown();
});

test('what ends after the end is dropped', async () => {
  const { end, counts, provider } = newTracing();
  await provider.shutdown();
  end(1);
  assert.deepEqual(await counts(), { exported: 0, failed: 0, dropped: 1 });
});
