// On a real nats-server.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { eventually, freeTcpPort, startNats } from '@sidestream/peers';
import { CallRecord } from '@sidestream/proto/records/v1';
import { Bus, type RecordQuery, readRecords } from '@sidestream/service';
import { Registry } from 'prom-client';
import { silent } from '../testing/fake-world.js';
import { RecordPublisher } from './record-publisher.js';

const retention = { maxAgeMs: 3_600_000, maxBytes: 10_000_000 };

function record(callId: string, tenant = 'contoso'): CallRecord {
  return CallRecord.fromJSON({ version: 1, callId, tenant });
}

function open(t: TestContext, url: string, { capacity, ...changed }: { capacity?: number; maxBytes?: number } = {}) {
  const metrics = new Registry();
  const bus = Bus.open({ nats: { servers: [url], replicas: 1 }, name: 'test', log: silent, metrics: new Registry() });
  const options = {
    retention: { ...retention, ...changed },
    log: silent,
    metrics,
    ...(capacity === undefined ? {} : { capacity }),
  };
  const publisher = new RecordPublisher(bus, options);
  t.after(async () => {
    await publisher.close(0);
    await bus.close();
  });
  const count = async (name: string) =>
    (await metrics.getSingleMetric(`sidestream_call_records_${name}`)?.get())?.values[0]?.value;
  const read = async (query: RecordQuery) => {
    const ids: string[] = [];
    const session = await bus.whenConnected(AbortSignal.timeout(20_000));
    for await (const { callId } of readRecords(session, query)) ids.push(callId);
    return ids;
  };
  return { publisher, count, read, bus };
}

test('records are kept once each, and read by tenant and by call, the oldest first', async (t) => {
  const { peer, reason } = await startNats({ jetStream: true });
  if (!peer) return t.skip(reason);
  t.after(() => peer.stop());
  const { publisher, count, read } = open(t, peer.url);
  assert.deepEqual(await read({}), []);
  for (const one of [record('a'), record('b', 'fabrikam'), record('c'), record('c')]) publisher.publish(one);
  await eventually(async () => (await count('published_total')) === 4, 'all are published');
  assert.deepEqual(await read({}), ['a', 'b', 'c']);
  assert.deepEqual(await read({ tenant: 'contoso' }), ['a', 'c']);
  assert.deepEqual(await read({ callId: 'b' }), ['b']);
  assert.deepEqual(await read({ callId: 'nobody' }), []);
  assert.deepEqual(await read({ until: new Date(0) }), []);
  assert.deepEqual(await read({ since: new Date(Date.now() + 60_000) }), []);
  await assert.rejects(read({ callId: 'a b' }), { code: 'bad-request' });
  // With another retention the stream is the same one.
  const other = open(t, peer.url);
  other.publisher.publish(record('d'));
  await eventually(async () => (await other.count('published_total')) === 1, 'it is published');
  assert.deepEqual(await read({}), ['a', 'b', 'c', 'd']);
});

test('a retention that the server refuses costs no record: the stream that is there is used', async (t) => {
  const { peer, reason } = await startNats({ jetStream: true });
  if (!peer) return t.skip(reason);
  t.after(() => peer.stop());
  const first = open(t, peer.url);
  first.publisher.publish(record('a'));
  await eventually(async () => (await first.count('published_total')) === 1, 'it is published');
  const greedy = open(t, peer.url, { maxBytes: 2 ** 50 });
  greedy.publisher.publish(record('b'));
  await eventually(async () => (await greedy.count('published_total')) === 1, 'it is published');
  assert.deepEqual(await first.read({}), ['a', 'b']);
});

test('who has read leaves no consumer behind, also when he stopped half way', async (t) => {
  const { peer, reason } = await startNats({ jetStream: true });
  if (!peer) return t.skip(reason);
  t.after(() => peer.stop());
  const { publisher, count, read, bus } = open(t, peer.url);
  for (const id of ['a', 'b', 'c']) publisher.publish(record(id));
  await eventually(async () => (await count('published_total')) === 3, 'all are published');
  const session = await bus.whenConnected(AbortSignal.timeout(20_000));
  assert.equal((await read({})).length, 3);
  for await (const { callId } of readRecords(session, {})) {
    assert.equal(callId, 'a');
    break;
  }
  const { streams } = await session.jetstream.jetstreamManager(false);
  await eventually(async () => (await streams.info('RECORDS')).state.consumer_count === 0, 'the consumers are gone');
});

test('who follows is given each record once, those that come later as well, until he has had enough', async (t) => {
  const { peer, reason } = await startNats({ jetStream: true });
  if (!peer) return t.skip(reason);
  t.after(() => peer.stop());
  const { publisher, bus } = open(t, peer.url);
  const session = await bus.whenConnected(AbortSignal.timeout(20_000));
  const [enough, ids] = [new AbortController(), [] as string[]];
  const reading = (async () => {
    for await (const { callId } of readRecords(session, { tenant: 'contoso' }, enough.signal)) ids.push(callId);
  })();
  publisher.publish(record('a'));
  await eventually(() => ids.length === 1, 'the first of all is read');
  publisher.publish(record('b', 'fabrikam'));
  publisher.publish(record('c'));
  await eventually(() => ids.length === 2, 'what came later is read');
  enough.abort();
  await reading;
  assert.deepEqual(ids, ['a', 'c']);
  const { streams } = await session.jetstream.jetstreamManager(false);
  await eventually(async () => (await streams.info('RECORDS')).state.consumer_count === 0, 'the consumers are gone');
});

test('while NATS is away records wait; beyond the bound the oldest are lost and counted', async (t) => {
  const port = await freeTcpPort();
  const { publisher, count } = open(t, `nats://127.0.0.1:${port}`, { capacity: 2 });
  for (const id of ['a', 'b', 'c']) publisher.publish(record(id));
  assert.deepEqual([await count('lost_total'), await count('waiting')], [1, 2]);
});
