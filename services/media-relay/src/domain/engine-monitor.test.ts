import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { audioSdp } from '../testing/audio-sdp.js';
import { FakeEngine } from '../testing/fake-engine.js';
import { soon } from '../testing/soon.js';
import { EngineMonitor } from './engine-monitor.js';
import { type LostSession, Relay } from './relay.js';

const log = { info: () => undefined, warn: () => undefined };
let engine: FakeEngine;
let relay: Relay;
let monitor: EngineMonitor;
let lost: LostSession[];
let changes: (string | undefined)[];

beforeEach(() => {
  engine = new FakeEngine();
  relay = new Relay({ engine, maxSessions: 200, log });
  lost = [];
  changes = [];
  relay.onLost((one) => lost.push(one));
  monitor = watch(0);
});
afterEach(() => monitor.stop());

function watch(orphanGraceMs: number): EngineMonitor {
  const onChange = (problem: string | undefined) => changes.push(problem);
  return new EngineMonitor({ engine, relay, log, onChange, intervalMs: 5, sweepEveryMs: 10, orphanGraceMs });
}

async function started(...sessions: string[]): Promise<void> {
  monitor.start();
  await eventually(() => changes.length > 0, 'the engine was seen');
  for (const id of sessions) await relay.openSession(id, 'customer', audioSdp, soon());
}

test('the engine comes and goes: told once each, and new sessions are refused meanwhile', async () => {
  engine.current = 'gone';
  await started();
  await assert.rejects(relay.openSession('1', 'customer', audioSdp, soon()), { code: 'media-engine-unavailable' });
  engine.current = 'alive';
  await eventually(() => changes.length === 2, 'it is back');
  await relay.openSession('1', 'customer', audioSdp, soon());
  engine.current = 'silent';
  await eventually(() => changes.length === 3, 'it is silent');
  assert.deepEqual(changes, [
    'nothing listens at fake engine at 127.0.0.1:9',
    undefined,
    'fake engine at 127.0.0.1:9 does not answer',
  ]);
});

test('an engine that is gone has lost its sessions; one that is silent may still carry them', async () => {
  await started('1');
  engine.current = 'silent';
  await eventually(() => changes.length === 2, 'it is silent');
  assert.deepEqual(lost, []);
  engine.current = 'gone';
  await eventually(() => lost.length === 1, 'it is lost');
  assert.deepEqual(lost, [{ session: '1', reason: 'engine-gone' }]);
});

test('an engine that restarted between two looks has lost what it no longer lists, and only that', async () => {
  await started('restored', 'forgotten');
  await new Promise(setImmediate);
  await eventually(async () => engine.uptime === 100, 'it was swept');
  engine.uptime = 0;
  engine.held.delete('forgotten');
  await eventually(() => lost.length > 0, 'it is lost');
  assert.equal(lost[0]?.session, 'forgotten');
  assert.ok(relay.owns('restored'));
});

test('a session that the engine dropped by itself is lost', async () => {
  await started('1', '2');
  engine.held.delete('1');
  await eventually(() => lost.length > 0, 'it is lost');
  assert.deepEqual(lost, [{ session: '1', reason: 'engine-dropped' }]);
});

test('when the list is cut short, sessions are looked up by name, a batch at a time, until all were', async () => {
  engine.listLimit = 1;
  const ids = Array.from({ length: 120 }, (_, n) => `s${n}`);
  await started(...ids);
  for (const id of ids.slice(60)) engine.held.delete(id);
  await eventually(() => lost.length === 60, 'all are found');
  assert.equal(relay.sessionCount, 60);
});

test('sessions of an earlier run are ended, own ones and foreign ends in flight are not', async () => {
  engine.held.add('orphan');
  await started('1');
  await eventually(() => !engine.held.has('orphan'), 'it is ended');
  assert.ok(engine.held.has('1'));
  engine.held.add('later orphan');
  await eventually(() => !engine.held.has('later orphan'), 'it is ended too');
  assert.ok(relay.owns('1'));
});

test('sessions of an earlier run may be live calls: they are left alone until the grace is over', async () => {
  const graceMs = 300;
  monitor = watch(graceMs);
  engine.held.add('live');
  const startedAt = performance.now();
  await started('1');
  engine.held.delete('1');
  await eventually(() => lost.length === 1, 'it was swept');
  assert.ok(engine.held.has('live'));
  await eventually(() => !engine.held.has('live'), 'it is ended');
  assert.ok(performance.now() - startedAt >= graceMs);
});

test('stop leaves nothing running and may be called twice', async () => {
  await started();
  await monitor.stop();
  await monitor.stop();
});
