import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type NatsPeer, reasonToSkip, requirePeer, startNats } from '@sidestream/peers';
import { Bus, createLogger } from '@sidestream/service';
import { Registry } from 'prom-client';
import { KvRecordStore } from './record-store.js';

const skip = await reasonToSkip([startNats]);
const log = createLogger({ name: 'test', instance: 'test', level: 'silent' });
const open = (servers: string[]) =>
  Bus.open({ nats: { servers, replicas: 1 }, name: 'test', log, metrics: new Registry() });
const told = (withinDays: number) => ({ expiryTold: { fingerprint256: '00', withinDays } });

describe('the records in NATS', { skip }, () => {
  let nats: NatsPeer;
  let bus: Bus;
  let store: KvRecordStore;
  before(async () => {
    nats = requirePeer(await startNats({ jetStream: true }));
    bus = open([nats.url]);
    await bus.whenConnected(AbortSignal.timeout(10_000));
    store = new KvRecordStore(bus);
  });
  after(async () => {
    await bus.close();
    await nats.stop();
  });

  test('a tenant without a record has an empty one; what is written comes back', async () => {
    assert.deepEqual(await store.read('first'), { record: {}, revision: undefined });
    const revision = await store.write('first', told(30), undefined);
    assert.deepEqual(await store.read('first'), { record: told(30), revision });
  });

  test('of two that read the same, one writes; the other is refused at once', async () => {
    const revision = await store.write('second', told(30), undefined);
    await store.write('second', told(7), revision);
    await assert.rejects(store.write('second', told(1), revision), /wrong last sequence/);
    await assert.rejects(store.write('second', told(1), undefined), /wrong last sequence/);
    assert.deepEqual((await store.read('second')).record, told(7));
  });

  test('a write whose acknowledgement was lost is found to have happened', async () => {
    const revision = await store.write('third', told(30), undefined);
    const written = await store.write('third', told(7), revision);
    assert.equal(await store.write('third', told(7), revision), written);
  });

  test('a record that was deleted, or that nobody can read, begins anew', async () => {
    const bucket = bus.session?.bucket('registrations');
    await bucket?.put('fourth', 'no JSON');
    const unreadable = await store.read('fourth');
    assert.deepEqual(unreadable.record, {});
    await store.write('fourth', told(30), unreadable.revision);
    await bucket?.delete('fourth');
    const deleted = await store.read('fourth');
    assert.deepEqual(deleted.record, {});
    await store.write('fourth', told(7), deleted.revision);
    assert.deepEqual((await store.read('fourth')).record, told(7));
  });

  test('without NATS it says so', async () => {
    const away = open(['nats://127.0.0.1:9']);
    await assert.rejects(new KvRecordStore(away).read('first'), { code: 'not-ready', message: /NATS is away/ });
    await away.close();
  });
});
