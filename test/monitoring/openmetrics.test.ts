// What processes expose, as a real Prometheus and promtool read it: both formats, types, exemplars.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { eventually, findExecutable, reasonToSkip, requirePeer, startPrometheus } from '@sidestream/peers';
import { Health, ManagementServer, TracedHistogram } from '@sidestream/service';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { PrometheusClient } from './prometheus-client.js';

const traceId = '0af7651916cd43dd8448eb211c80319c';

test('Prometheus asks for OpenMetrics, understands it, and keeps the exemplars; promtool accepts the plain text', async (t) => {
  const missing = await reasonToSkip([startPrometheus]);
  if (missing !== undefined) return t.skip(missing);
  const registry = new Registry();
  registry.setDefaultLabels({ service: 'tried' });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  new Counter({
    name: 'sidestream_tried_total',
    help: 'A "counter" with \\ in its help.',
    labelNames: ['what'],
    registers,
  }).inc({
    what: 'quote " backslash \\ line\nend',
  });
  new Gauge({ name: 'sidestream_tried_info', help: 'A gauge.', registers }).set(Number.NaN);
  const seconds = new TracedHistogram({
    name: 'sidestream_tried_seconds',
    help: 'Time.',
    labelNames: ['code'],
    registers,
  });
  seconds.record({ code: 'ok' }, 0.3, { spanContext: () => ({ traceId, spanId: 'b7ad6b7169203331', traceFlags: 1 }) });
  const server = new ManagementServer(registry, new Health());
  const address = await server.listen('127.0.0.1:0');
  t.after(() => server.close());

  const peer = requirePeer(
    await startPrometheus({ targets: [{ job: 'tried', address }], rules: {}, intervalSeconds: 1 }),
  );
  t.after(() => peer.stop());
  const prometheus = new PrometheusClient(peer.url);
  await eventually(async () => (await prometheus.value('up')) === 1, 'it is scraped', 30_000);
  assert.equal(
    await prometheus.value('sidestream_tried_total{service="tried",what="quote \\" backslash \\\\ line\\nend"}'),
    1,
  );
  assert.equal(await prometheus.value('sidestream_tried_seconds_bucket{le="0.5",code="ok"}'), 1);
  assert.deepEqual(await prometheus.exemplars('sidestream_tried_seconds_bucket'), [
    { labels: { trace_id: traceId }, value: '0.3' },
  ]);

  const plain = await fetch(`http://${address}/metrics`, {
    headers: { accept: 'text/plain' },
    signal: AbortSignal.timeout(5_000),
  });
  const { status, stdout, stderr } = spawnSync(findExecutable('promtool') ?? '', ['check', 'metrics'], {
    input: (await plain.text())
      .split('\n')
      // Of prom-client's own, whose names are other people's.
      .filter((line) => line.includes('sidestream_'))
      .join('\n')
      .concat('\n'),
    encoding: 'utf8',
    timeout: 20_000,
  });
  assert.equal(status, 0, `${stdout}${stderr}`);
});
