// The store and its reader on a real nats-server.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { Objm } from '@nats-io/obj';
import { reasonToSkip, requirePeer, startNats } from '@sidestream/peers';
import { buildPolicy } from '@sidestream/policy';
import { Bus, type BusSession, createLogger } from '@sidestream/service';
import { Registry } from 'prom-client';
import type { FetchedPolicy } from '../domain/ports.js';
import { NatsPolicyStore } from './nats-policy-store.js';
import { PolicyReader } from './policy-reader.js';

const skip = await reasonToSkip([startNats]);
const log = createLogger({ name: 'test', instance: '1', level: 'silent' });
const { signal } = new AbortController();
const freshness = { rule: 'keep', maxAgeMs: 60_000 } as const;

async function open(t: TestContext) {
  const nats = requirePeer(await startNats({ jetStream: true }));
  t.after(() => nats.stop());
  const bus = Bus.open({ nats: { servers: [nats.url], replicas: 1 }, name: 'test', log, metrics: new Registry() });
  t.after(() => bus.close());
  const session = await bus.whenConnected(AbortSignal.timeout(10_000));
  const store = new NatsPolicyStore(bus);
  return { session, store, reader: new PolicyReader(bus, store) };
}

/** A policy of so many users, all with names that make it of a certain size. */
function policy(mark: string, users = 1): FetchedPolicy {
  const list = Array.from({ length: users }, (_, index) => ({
    id: `${mark}-${index}`,
    name: `${mark} `.repeat(20),
    numbers: [`+4930${1_000_000 + index}`],
    addresses: [],
  }));
  const { bytes, revision, unmatched, problems } = buildPolicy(list, undefined);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const details = { basis: { validators: { etag: mark }, recipe: 'r', users: mark }, unmatched, problems };
  return { changed: true, bytes, sha256, revision, users, details };
}

async function objects(session: BusSession): Promise<{ names: string[]; size: number }> {
  const store = await session.objectStore('policy-snapshots');
  const names = (await store.list()).map(({ name }) => name).sort();
  return { names, size: (await store.status()).size };
}

test('a policy comes back as it was kept, and the one before stays until the next', { skip }, async (t) => {
  const { session, store, reader } = await open(t);
  const at = new Date('2026-01-01T00:00:00Z');
  assert.equal(await store.read('contoso', signal), undefined);
  const a = await store.replace('contoso', undefined, policy('a', 10_000), at, signal);
  const b = await store.replace('contoso', a, policy('b'), at, signal);
  assert.deepEqual((await objects(session)).names, ['contoso/0', 'contoso/1']);
  assert.deepEqual(await store.read('contoso', signal), b);
  const before = await session.objectStore('policy-snapshots').then((one) => one.getBlob(a.pointer.object));
  assert.deepEqual(before, new Uint8Array(policy('a', 10_000).bytes));

  const c = await store.replace('contoso', b, policy('c', 3), at, signal);
  assert.equal(c.pointer.object, a.pointer.object);
  const { snapshot } = (await reader.current('contoso', freshness, signal)) ?? {};
  assert.deepEqual([snapshot?.size, snapshot?.user(2)?.id, snapshot?.revision], [3, 'c-2', c.pointer.revision]);
  assert.deepEqual(snapshot?.freshness, { ...freshness, checkedAt: at });
  assert.ok((await objects(session)).size < 100_000, 'the first content is gone');
});

test('a confirmation renews the time and nothing else', { skip }, async (t) => {
  const { store } = await open(t);
  const first = await store.replace('contoso', undefined, policy('a'), new Date('2026-01-01T00:00:00Z'), signal);
  const confirmed = await store.confirm('contoso', first, first.details, new Date('2026-01-02T00:00:00Z'), signal);
  assert.deepEqual(confirmed.pointer, { ...first.pointer, checkedAt: '2026-01-02T00:00:00.000Z' });
  assert.deepEqual(await store.read('contoso', signal), confirmed);
});

test('who has not seen the pointer does not write over it', { skip }, async (t) => {
  const { store } = await open(t);
  const first = await store.replace('contoso', undefined, policy('a'), new Date(), signal);
  const second = await store.replace('contoso', first, policy('b'), new Date(), signal);
  const late = store.replace('contoso', first, policy('x'), new Date(), signal);
  await assert.rejects(late, { code: 'store-unavailable', message: /wrong last sequence/ });
  await assert.rejects(store.replace('contoso', undefined, policy('x'), new Date(), signal), {
    code: 'store-unavailable',
  });
  assert.deepEqual((await store.read('contoso', signal))?.pointer, second.pointer);
});

test('a pointer that cannot be read counts as none, and is written over', { skip }, async (t) => {
  const { session, store } = await open(t);
  await session.bucket('policies').put('contoso', '{"version":2}');
  assert.equal(await store.read('contoso', signal), undefined);
  const { pointer } = await store.replace('contoso', undefined, policy('a'), new Date(), signal);
  assert.deepEqual((await store.read('contoso', signal))?.pointer, pointer);
});

test('a snapshot that is gone makes the policy incomplete: nobody can read or confirm it', { skip }, async (t) => {
  const { session, store, reader } = await open(t);
  const first = await store.replace('contoso', undefined, policy('a'), new Date(), signal);
  await (await session.objectStore('policy-snapshots')).delete(first.pointer.object);
  const confirmed = store.confirm('contoso', first, first.details, new Date(), signal);
  await assert.rejects(confirmed, { code: 'store-unavailable', message: /contoso\/0 is gone/ });
  assert.equal((await store.read('contoso', signal))?.complete, false);
  await assert.rejects(reader.current('contoso', freshness, signal), {
    code: 'policy-unavailable',
    message: /no object 'contoso\/0'/,
  });
});

test('no room: one clear error, the last policy stays, nothing is left half done', { skip }, async (t) => {
  const { session, store, reader } = await open(t);
  await new Objm(session.jetstream).create('policy-snapshots', { max_bytes: 1024 * 1024 });
  const first = await store.replace('contoso', undefined, policy('a'), new Date(), signal);
  const { size } = await objects(session);
  const large = store.replace('contoso', first, policy('large', 50_000), new Date(), signal);
  await assert.rejects(large, { code: 'store-full', message: /no room .* policy-snapshots: / });
  assert.equal((await objects(session)).size, size);
  const current = await reader.current('contoso', freshness, signal);
  assert.equal(current?.snapshot.revision, first.pointer.revision);
});

test('an upload that is given up leaves nothing', { skip }, async (t) => {
  const { session, store } = await open(t);
  const first = await store.replace('contoso', undefined, policy('a'), new Date(), signal);
  const { size } = await objects(session);
  const giving = new AbortController();
  const upload = store.replace('contoso', first, policy('large', 50_000), new Date(), giving.signal);
  setImmediate(() => giving.abort(new Error('the lease is lost')));
  await assert.rejects(upload, { message: 'the lease is lost' });
  assert.equal((await objects(session)).size, size);
});

test('chunks of an upload that a crash cut short are removed, everything else stays', { skip }, async (t) => {
  const { session, store, reader } = await open(t);
  const first = await store.replace('contoso', undefined, policy('a', 2_000), new Date(), signal);
  const { size } = await objects(session);
  await session.jetstream.publish('$O.policy-snapshots.C.CUTSHORT', new Uint8Array(100_000));
  assert.ok((await objects(session)).size > size);
  await store.tidy(signal);
  assert.equal((await objects(session)).size, size);
  const current = await reader.current('contoso', freshness, signal);
  assert.equal(current?.snapshot.revision, first.pointer.revision);
});

test('without NATS every call says so', { skip }, async (t) => {
  const bus = Bus.open({
    nats: { servers: ['nats://127.0.0.1:1'], replicas: 1 },
    name: 'test',
    log,
    metrics: new Registry(),
  });
  t.after(() => bus.close());
  const store = new NatsPolicyStore(bus);
  await assert.rejects(store.read('contoso', signal), { code: 'store-unavailable', message: 'NATS is away.' });
  await assert.rejects(new PolicyReader(bus, store).current('contoso', freshness, signal), {
    code: 'policy-unavailable',
  });
});
