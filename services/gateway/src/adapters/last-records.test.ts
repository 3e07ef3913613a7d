// On a real nats-server.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { eventually, startNats } from '@sidestream/peers';
import { CallRecord } from '@sidestream/proto/records/v1';
import { Bus, createLogger, recordSubject } from '@sidestream/service';
import { Registry } from 'prom-client';
import { lastRecords, recordOf } from './last-records.js';
import { problemOf } from './problem.js';

const log = createLogger({ name: 'gateway', instance: 'test', level: 'silent' });

function open(t: TestContext, url: string): Bus {
  const bus = Bus.open({ nats: { servers: [url], replicas: 1 }, name: 'test', log, metrics: new Registry() });
  t.after(() => bus.close());
  return bus;
}

/** A call that ended some seconds ago. */
function record(callId: string, secondsAgo: number, tenant = 'contoso'): CallRecord {
  const endedAt = new Date(Date.now() - secondsAgo * 1_000).toISOString();
  return CallRecord.fromJSON({ version: 1, callId, tenant, endedAt });
}

async function write(bus: Bus, records: readonly CallRecord[]): Promise<void> {
  const session = await bus.whenConnected(AbortSignal.timeout(20_000));
  await session.prepareRecords({ maxAgeMs: 3_600_000, maxBytes: 10_000_000 });
  for (const one of records)
    await session.jetstream.publish(recordSubject(one.tenant, one.callId), CallRecord.encode(one).finish());
}

test('any instance gives the newest records of its tenant first, before a time if one is given, and no more than wanted', async (t) => {
  const { peer, reason } = await startNats({ jetStream: true });
  if (!peer) return t.skip(reason);
  t.after(() => peer.stop());
  const writer = open(t, peer.url);
  await writer.whenConnected(AbortSignal.timeout(20_000));
  assert.deepEqual(await lastRecords(writer, { tenant: 'contoso', limit: 10 }), []);
  const many = Array.from({ length: 450 }, (_, index) => record(`old-${index}`, 1_000 - index));
  await write(writer, [...many, record('a', 3), record('x', 2, 'fabrikam'), record('b', 1)]);

  const reader = open(t, peer.url);
  await reader.whenConnected(AbortSignal.timeout(20_000));
  const list = (limit: number, before?: Date) => lastRecords(reader, { tenant: 'contoso', limit, before });
  const ids = (records: readonly CallRecord[]) => records.map(({ callId }) => callId);
  const newest = await list(3);
  assert.deepEqual(ids(newest), ['b', 'a', 'old-449']);
  assert.deepEqual(ids(await list(1, newest[1]?.endedAt)), ['old-449']);
  assert.equal((await list(500)).length, 452);
  assert.deepEqual(await list(10, new Date(0)), []);
  assert.deepEqual(await lastRecords(reader, { tenant: 'nobody', limit: 10 }), []);
});

test('a page continues where the one before it ended, however long ago the calls are', async (t) => {
  const { peer, reason } = await startNats({ jetStream: true });
  if (!peer) return t.skip(reason);
  t.after(() => peer.stop());
  const bus = open(t, peer.url);
  await write(
    bus,
    Array.from({ length: 7 }, (_, index) => record(`c${index}`, 10 - index)),
  );
  const seen: string[] = [];
  let before: Date | undefined;
  for (let page = 0; page < 4; page += 1) {
    const records = await lastRecords(bus, { tenant: 'contoso', limit: 3, before });
    seen.push(...records.map(({ callId }) => callId));
    before = records.at(-1)?.endedAt ?? before;
  }
  assert.deepEqual(seen, ['c6', 'c5', 'c4', 'c3', 'c2', 'c1', 'c0']);
});

test('one record is given by its id, to its own tenant alone', async (t) => {
  const { peer, reason } = await startNats({ jetStream: true });
  if (!peer) return t.skip(reason);
  t.after(() => peer.stop());
  const bus = open(t, peer.url);
  await bus.whenConnected(AbortSignal.timeout(20_000));
  const status = (tenant: string, callId: string) =>
    recordOf(bus, tenant, callId).then(
      ({ callId: id }) => id,
      (error) => problemOf(error).status,
    );
  assert.equal(await status('contoso', 'a'), 404, 'no call has ended yet');
  await write(bus, [record('a', 3), record('b', 2), record('x', 2, 'fabrikam')]);
  assert.deepEqual(
    [await status('contoso', 'a'), await status('contoso', 'x'), await status('contoso', 'c')],
    ['a', 404, 404],
  );
  for (const none of ['*', '>', 'a.b', ' ', '']) assert.equal(await status('contoso', none), 400, `'${none}'`);
});

test('while NATS is away the answer is 503, not an empty list', async (t) => {
  const { peer, reason } = await startNats({ jetStream: true });
  if (!peer) return t.skip(reason);
  const bus = open(t, peer.url);
  await write(bus, [record('a', 1)]);
  await peer.stop();
  const status = async () => {
    const error = await lastRecords(bus, { tenant: 'contoso', limit: 1 }).then(() => undefined, problemOf);
    return [error?.status, error?.code];
  };
  assert.deepEqual(await status(), [503, 'not-ready']);
  assert.equal(await recordOf(bus, 'contoso', 'a').catch((error) => problemOf(error).status), 503);
  await eventually(() => !bus.connected, 'it is known to be away');
  assert.deepEqual(await status(), [503, 'not-ready']);
});
