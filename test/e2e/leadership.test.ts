// One active instance among several, on a real nats-server.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { type Bus, Leadership } from '@sidestream/service';
import { Registry } from 'prom-client';
import { log, nats, openBus, ownNats } from './nats-stage.js';

/** Stands for the lease `sync`, and notes when its work runs. */
class Instance {
  working = false;
  readonly leadership: Leadership;
  readonly bus: Bus;

  constructor(t: TestContext, url: string, holder: string) {
    this.bus = openBus(t, [url]);
    this.leadership = new Leadership(this.bus, {
      name: 'sync',
      holder,
      log,
      metrics: new Registry(),
      work: (signal) => {
        this.working = true;
        return new Promise((resolve) =>
          signal.addEventListener('abort', () => {
            this.working = false;
            resolve();
          }),
        );
      },
    });
    t.after(() => this.leadership.stop());
    this.leadership.start();
  }
}

describe('Leadership', () => {
  test('one of two works; when it stops the other works at once', async (t) => {
    const peer = await nats(t);
    if (!peer) return;
    const [one, two] = [new Instance(t, peer.url, 'one'), new Instance(t, peer.url, 'two')];
    await eventually(() => one.working || two.working, 'one works');
    const [active, standby] = one.working ? [one, two] : [two, one];
    assert.equal(standby.working, false);
    const asked = Date.now();
    await active.leadership.stop();
    assert.equal(active.working, false);
    await eventually(() => standby.working, 'the other works');
    // Far less than the life of a lease: it was given up, not left to expire.
    assert.ok(Date.now() - asked < 4_000, `${Date.now() - asked} ms`);
  });

  test('a holder that is cut off ends its work before another begins, within 15 s', async (t) => {
    const peer = await nats(t);
    if (!peer) return;
    const first = new Instance(t, peer.url, 'first');
    await eventually(() => first.working, 'the first works');
    const second = new Instance(t, peer.url, 'second');
    // It can neither renew nor give up.
    await first.bus.close();
    const both: boolean[] = [];
    await eventually(
      () => {
        both.push(first.working && second.working);
        return second.working;
      },
      'the second works',
      15_000,
    );
    assert.equal(first.working, false);
    assert.ok(!both.includes(true), 'both worked at the same time');
  });

  test('told to stop while it acquires the lease, it ends and the lease is free', async (t) => {
    const peer = await nats(t);
    if (!peer) return;
    const bus = openBus(t, [peer.url]);
    const session = await bus.whenConnected(AbortSignal.timeout(10_000));
    let worked = false;
    const leadership = new Leadership(bus, {
      name: 'sync',
      holder: 'one',
      log,
      metrics: new Registry(),
      work: async () => {
        worked = true;
      },
    });
    leadership.start();
    // The request for the lease has left and is not answered yet.
    await leadership.stop();
    assert.equal(worked, false);
    const entry = await session.bucket('leases').get('leader.sync');
    assert.notEqual(entry?.operation, 'PUT');
  });

  test('whose lease is another’s ends at once, however the clock was set', async (t) => {
    const peer = await nats(t);
    if (!peer) return;
    const instance = new Instance(t, peer.url, 'one');
    await eventually(() => instance.working, 'it works');
    const now = Date.now;
    t.mock.method(Date, 'now', () => now() - 3_600_000);
    const bucket = instance.bus.session?.bucket('leases');
    await bucket?.put('leader.sync', JSON.stringify({ holder: 'one', token: 'of another process' }));
    await eventually(() => !instance.working, 'its work ends', 4_000);
  });

  test('without NATS nobody works; when it is back one does', async (t) => {
    const storeDirectory = mkdtempSync(join(tmpdir(), 'sidestream-nats-'));
    t.after(() => rmSync(storeDirectory, { recursive: true, force: true }));
    const before = await ownNats(t, { storeDirectory });
    if (!before) return;
    const only = new Instance(t, before.url, 'only');
    await eventually(() => only.working, 'it works');
    await before.stop();
    await eventually(() => !only.working, 'its work ends', 10_000);
    const after = await ownNats(t, { storeDirectory, port: before.port });
    if (!after) return;
    await eventually(() => only.working, 'it works again', 20_000);
  });
});

test('an object of several megabytes comes back as it was put, and frees the one it replaces', async (t) => {
  const peer = await nats(t);
  if (!peer) return;
  const session = await openBus(t, [peer.url]).whenConnected(AbortSignal.timeout(10_000));
  const store = await session.objectStore('policy-snapshots');
  for (const fill of [1, 2]) await store.putBlob({ name: 'contoso' }, new Uint8Array(5_000_000).fill(fill));
  const read = await store.getBlob('contoso');
  assert.deepEqual([read?.length, read?.every((byte) => byte === 2)], [5_000_000, true]);
  const { size } = await store.status();
  assert.ok(size < 6_000_000, `${size} bytes kept`);
});
