import assert from 'node:assert/strict';
import { test } from 'node:test';
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

test('an observation of what is traced names its trace, in OpenMetrics only; another one does not', async () => {
  const { registry, seconds } = filled();
  const exposition = new Exposition(registry);
  const ids = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
  seconds.record({ code: 'untraced' }, 0.5, undefined);
  seconds.record({ code: 'traced' }, 0.5, { spanContext: () => ids });
  const { text } = await exposition.read(openMetrics);
  const exemplars = text.split('\n').filter((line) => line.includes(' # {'));
  assert.equal(exemplars.length, 1);
  assert.match(
    exemplars[0] ?? '',
    /^call_seconds_bucket\{le="1",code="traced"\} 1 # \{trace_id="0af7651916cd43dd8448eb211c80319c"\} 0\.5 \d+(\.\d+)?$/,
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
