import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { Health } from './health.js';
import { ManagementServer } from './management-server.js';

test('a service is ready when every component is, and says what is missing until then', async () => {
  const health = new Health();
  health.set('nats', false, 'no server answers at nats://127.0.0.1:1');
  health.set('edge', true);
  assert.equal(health.ready, false);
  assert.deepEqual(health.problems, ['nats: no server answers at nats://127.0.0.1:1']);
  const ready = health.whenReady(AbortSignal.timeout(5_000));
  health.set('nats', true);
  await ready;
});

test('whenReady rejects with the reason of the signal', async () => {
  const health = new Health();
  health.set('nats', false);
  const stop = new AbortController();
  const waiting = health.whenReady(stop.signal);
  stop.abort(new Error('SIGTERM'));
  await assert.rejects(waiting, /SIGTERM/);
});

test('the management port: live always, ready with reasons, metrics, nothing else, nothing but GET', async () => {
  const health = new Health();
  health.set('rtpengine', false, '127.0.0.1:2223 does not answer');
  const server = new ManagementServer(new Registry(), health);
  let engine = () => Promise.resolve('sessions 1\n');
  server.serve('/engine', { type: 'text/plain', read: () => engine() });
  const base = `http://${await server.listen('127.0.0.1:0')}`;
  try {
    assert.equal((await fetch(`${base}/livez`)).status, 200);
    const unready = await fetch(`${base}/readyz`);
    assert.equal(unready.status, 503);
    assert.match(await unready.text(), /rtpengine: 127\.0\.0\.1:2223 does not answer/);
    health.set('rtpengine', true);
    assert.equal((await fetch(`${base}/readyz`)).status, 200);
    assert.equal((await fetch(`${base}/metrics`)).status, 200);
    assert.match(
      await (await fetch(`${base}/secrets`)).text(),
      /there are \/livez, \/readyz, \/metrics, \/metrics\/names, \/engine$/m,
    );
    assert.equal(await (await fetch(`${base}/engine`)).text(), 'sessions 1\n');
    engine = () => Promise.reject(new Error('127.0.0.1:22280 does not answer'));
    const broken = await fetch(`${base}/engine`);
    assert.deepEqual([broken.status, await broken.text()], [502, '127.0.0.1:22280 does not answer\n']);
    assert.deepEqual(await (await fetch(`${base}/metrics/names`)).json(), []);
    assert.equal((await fetch(`${base}/secrets`)).status, 404);
    assert.equal((await fetch(`${base}/livez`, { method: 'POST' })).status, 405);
  } finally {
    await server.close();
  }
});
