// A bucket followed on a real nats-server, which dies, hangs and loses its store.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { type Bus, KvFollower, type KvFollowerOptions } from '@sidestream/service';
import { Registry } from 'prom-client';
import { log, nats, openBus, ownNats } from './nats-stage.js';

const silence = 'sidestream_policies_watch_silence_seconds';

/** What a follower of the bucket `policies` knows. */
class Follower {
  readonly values = new Map<string, string>();
  readonly metrics = new Registry();
  told = 0;

  constructor(t: TestContext, bus: Bus, options: Partial<KvFollowerOptions> = {}) {
    const follower = new KvFollower(bus, {
      bucket: 'policies',
      onValue: (key, value) => {
        this.told += 1;
        if (value) this.values.set(key, new TextDecoder().decode(value.bytes));
        else this.values.delete(key);
      },
      log,
      metrics: this.metrics,
      ...options,
    });
    t.after(() => follower.stop());
    follower.start();
  }

  get known(): object {
    return Object.fromEntries(this.values);
  }

  async silenceSeconds(): Promise<number> {
    const found = await this.metrics.getSingleMetric(silence)?.get();
    return found?.values[0]?.value ?? Number.NaN;
  }
}

async function bucketOf(bus: Bus) {
  return (await bus.whenConnected(AbortSignal.timeout(15_000))).bucket('policies');
}

describe('KvFollower on a real nats-server', () => {
  test('knows what was there, then every change and every deletion', async (t) => {
    const peer = await nats(t);
    if (!peer) return;
    const bus = openBus(t, [peer.url]);
    const bucket = await bucketOf(bus);
    await bucket.put('contoso', 'old');
    await bucket.put('contoso', '1');
    await bucket.put('gone', '1');
    await bucket.delete('gone');
    const follower = new Follower(t, bus);
    await eventually(() => follower.values.size === 1, 'what was there is known');
    assert.deepEqual(follower.known, { contoso: '1' });
    await bucket.put('fabrikam', '2');
    await bucket.delete('contoso');
    await eventually(() => !follower.values.has('contoso'), 'the changes are known', 1_000);
    assert.deepEqual(follower.known, { fabrikam: '2' });
    assert.ok((await follower.silenceSeconds()) < 2);
  });

  test('a server that hangs for 6 s: what others wrote meanwhile, or right after, is known within 2 s', async (t) => {
    const peer = await ownNats(t);
    if (!peer) return;
    const bus = openBus(t, [peer.url]);
    const bucket = await bucketOf(bus);
    await bucket.put('contoso', '1');
    const follower = new Follower(t, bus);
    await eventually(() => follower.values.size === 1, 'what was there is known');
    await peer.kill('SIGSTOP');
    // It is written as soon as the server reads again.
    const written = bucket.put('contoso', '2', { timeout: 20_000 });
    await eventually(async () => (await follower.silenceSeconds()) > 6, 'it has hung for 6 s');
    await peer.kill('SIGCONT');
    await written;
    await eventually(() => follower.values.get('contoso') === '2', 'the change is known', 2_000);
    await bucket.put('contoso', '3');
    await eventually(() => follower.values.get('contoso') === '3', 'the next change is known', 2_000);
  });

  test('a server that is killed and started again: what is written then is known within 2 s', async (t) => {
    const storeDirectory = mkdtempSync(join(tmpdir(), 'sidestream-nats-'));
    t.after(() => rmSync(storeDirectory, { recursive: true, force: true }));
    const before = await ownNats(t, { storeDirectory });
    if (!before) return;
    const bus = openBus(t, [before.url]);
    await (await bucketOf(bus)).put('contoso', '1');
    const follower = new Follower(t, bus);
    await eventually(() => follower.values.size === 1, 'what was there is known');
    await before.kill('SIGKILL');
    await eventually(() => !bus.connected, 'the loss is noticed');
    const after = await ownNats(t, { storeDirectory, port: before.port });
    if (!after) return;
    await (await bucketOf(bus)).put('contoso', '2');
    await eventually(() => follower.values.get('contoso') === '2', 'the change is known', 2_000);
  });

  test('a consumer that vanishes is replaced within the silence that is allowed, and nothing is missed', async (t) => {
    const peer = await nats(t);
    if (!peer) return;
    const bus = openBus(t, [peer.url]);
    const bucket = await bucketOf(bus);
    const follower = new Follower(t, bus);
    await bucket.put('contoso', '1');
    await eventually(() => follower.values.size === 1, 'what is there is known');
    const { jetstream } = await bus.whenConnected(AbortSignal.timeout(5_000));
    const { consumers } = await jetstream.jetstreamManager();
    for await (const { name } of consumers.list('KV_policies')) await consumers.delete('KV_policies', name);
    await bucket.put('contoso', '2');
    await eventually(() => follower.values.get('contoso') === '2', 'the change is known', 5_000);
  });

  test('a key that is gone without a trace is told as deleted at the next reconciliation', async (t) => {
    const peer = await nats(t);
    if (!peer) return;
    const bus = openBus(t, [peer.url]);
    const bucket = await bucketOf(bus);
    for (const key of ['contoso', 'fabrikam']) await bucket.put(key, '1');
    const follower = new Follower(t, bus, { reconcileMs: 500 });
    await eventually(() => follower.values.size === 2, 'what was there is known');
    const { jetstream } = await bus.whenConnected(AbortSignal.timeout(5_000));
    const manager = await jetstream.jetstreamManager();
    await manager.streams.purge('KV_policies', { filter: '$KV.policies.contoso' });
    await eventually(() => follower.values.size === 1, 'one is gone', 3_000);
    await manager.streams.purge('KV_policies');
    await eventually(() => follower.values.size === 0, 'all are gone', 3_000);
    // Replaced consumers don't pile up at the server.
    const told = follower.told;
    await bucket.put('contoso', '2');
    await eventually(() => follower.told > told + 3, 'it is told at each reconciliation', 5_000);
    await eventually(
      async () => (await manager.streams.info('KV_policies')).state.consumer_count <= 1,
      'one consumer is left',
    );
  });

  test('a bucket with more keys than are followed does no harm', async (t) => {
    const peer = await nats(t);
    if (!peer) return;
    const bus = openBus(t, [peer.url]);
    const bucket = await bucketOf(bus);
    for (let n = 0; n < 5; n += 1) await bucket.put(`t${n}`, '1');
    const follower = new Follower(t, bus, { maxKeys: 3 });
    await eventually(() => follower.values.size === 3, 'three are known');
    await bucket.put('t0', '2');
    await eventually(() => follower.values.get('t0') === '2', 'their changes are known');
    assert.deepEqual([...follower.values.keys()], ['t0', 't1', 't2']);
  });
});
