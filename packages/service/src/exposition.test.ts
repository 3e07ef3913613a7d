import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { test } from 'node:test';
import { type Context, context, ROOT_CONTEXT, TraceFlags, trace } from '@opentelemetry/api';
import { Counter, Gauge, Registry } from 'prom-client';
import { Exposition, wantsOpenMetrics } from './exposition.js';
import { TracedHistogram } from './traced-histogram.js';

const openMetrics = 'application/openmetrics-text;version=1.0.0';
/** What Prometheus 2.42 asks for. */
const prometheus = `${openMetrics},application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1`;

function filled() {
  const registry = new Registry();
  const registers = [registry];
  new Counter({ name: 'calls_total', help: 'Calls.', labelNames: ['tenant'], registers }).inc({ tenant: 'contoso' }, 3);
  new Gauge({ name: 'calls_active', help: 'Calls now.', registers }).set(2);
  const seconds = new TracedHistogram({
    name: 'call_seconds',
    help: 'Time.',
    labelNames: ['code'],
    buckets: [1],
    registers,
  });
  return { registry, seconds };
}

/** Runs it in a span, as a tracing SDK would. */
function inSpan(traceFlags: TraceFlags, work: () => void): void {
  const storage = new AsyncLocalStorage<Context>();
  context.setGlobalContextManager({
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (active, fn, thisArg, ...args) => storage.run(active, () => Reflect.apply(fn, thisArg, args)),
    bind: (_active, target) => target,
    enable() {
      return this;
    },
    disable() {
      return this;
    },
  });
  try {
    const span = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags };
    context.with(trace.setSpanContext(ROOT_CONTEXT, span), work);
  } finally {
    context.disable();
  }
}

test('plain text is the same before and after OpenMetrics was asked for, and while it is', async () => {
  const exposition = new Exposition(filled().registry);
  const before = await exposition.read();
  assert.match(before.type, /^text\/plain; version=0\.0\.4/);
  assert.match(before.text, /^calls_total\{tenant="contoso"\} 3$/m);
  const [open, beside] = await Promise.all([exposition.read(prometheus), exposition.read('text/plain')]);
  assert.match(open.type, /^application\/openmetrics-text; version=1\.0\.0/);
  assert.match(open.text, /^# TYPE calls counter$/m);
  assert.match(open.text, /^calls_total\{tenant="contoso"\} 3$/m);
  assert.ok(open.text.endsWith('\n# EOF\n'));
  assert.deepEqual(beside, before);
  assert.equal((await exposition.read(prometheus)).text, open.text);
});

test('an observation in a sampled span names its trace, in OpenMetrics only; one in a span that is not sampled does not', async () => {
  const { registry, seconds } = filled();
  const exposition = new Exposition(registry);
  seconds.record({ code: 'outside' }, 0.5);
  inSpan(TraceFlags.NONE, () => seconds.record({ code: 'unsampled' }, 0.5));
  inSpan(TraceFlags.SAMPLED, () => seconds.record({ code: 'sampled' }, 0.5));
  const { text } = await exposition.read(openMetrics);
  const exemplars = text.split('\n').filter((line) => line.includes(' # {'));
  assert.equal(exemplars.length, 1);
  assert.match(
    exemplars[0] ?? '',
    /^call_seconds_bucket\{le="1",code="sampled"\} 1 # \{trace_id="0af7651916cd43dd8448eb211c80319c"\} 0\.5 \d+(\.\d+)?$/,
  );
  assert.doesNotMatch((await exposition.read()).text, /trace_id/);
});

test('a collector that fails fails its scrape and no other', async () => {
  const { registry } = filled();
  let fails = true;
  new Gauge({
    name: 'moody',
    help: 'Fails.',
    registers: [registry],
    collect() {
      if (fails) throw new Error('not now');
      this.set(1);
    },
  });
  const exposition = new Exposition(registry);
  await assert.rejects(exposition.read(openMetrics), /not now/);
  fails = false;
  const { text } = await exposition.read();
  assert.match(text, /^calls_total\{/m);
  assert.match(text, /^moody 1$/m);
});

test('RFC 9110 §12.5.1: OpenMetrics for who accepts 1.0.0 and does not want plain text more', () => {
  for (const accept of [
    openMetrics,
    prometheus,
    'application/openmetrics-text',
    'text/plain;q=0.2, application/openmetrics-text; version=1.0.0; charset=utf-8; q=0.5',
  ])
    assert.equal(wantsOpenMetrics(accept), true, accept);
  for (const accept of [
    '',
    '*/*',
    'text/plain',
    'application/openmetrics-text;version=2.0.0',
    `${openMetrics};q=0`,
    `${openMetrics};q=0.5,text/plain`,
  ])
    assert.equal(wantsOpenMetrics(accept), false, accept);
});
