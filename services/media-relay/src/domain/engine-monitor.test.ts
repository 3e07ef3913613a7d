import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { FakeEngine } from '../testing/fake-engine.js';
import { soon, until } from '../testing/until.js';
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
  const onChange = (problem: string | undefined) => changes.push(problem);
  monitor = new EngineMonitor({ engine, relay, log, onChange, intervalMs: 5, sweepEveryMs: 10 });
});
afterEach(() => monitor.stop());

async function started(...sessions: string[]): Promise<void> {
  monitor.start();
  await until('the engine was seen', () => changes.length > 0);
  for (const id of sessions) await relay.openSession(id, 'customer', 'x', soon());
}

test('the engine comes and goes: told once each, and new sessions are refused meanwhile', async () => {
  engine.current = 'gone';
  await started();
  await assert.rejects(relay.openSession('1', 'customer', 'x', soon()), { code: 'media-engine-unavailable' });
  engine.current = 'alive';
  await until('it is back', () => changes.length === 2);
  await relay.openSession('1', 'customer', 'x', soon());
  engine.current = 'silent';
  await until('it is silent', () => changes.length === 3);
  assert.deepEqual(changes, [
    'nothing listens at fake engine at 127.0.0.1:9',
    undefined,
    'fake engine at 127.0.0.1:9 does not answer',
  ]);
});

test('an engine that is gone has lost its sessions; one that is silent may still carry them', async () => {
  await started('1');
  engine.current = 'silent';
  await until('it is silent', () => changes.length === 2);
  assert.deepEqual(lost, []);
  engine.current = 'gone';
  await until('it is lost', () => lost.length === 1);
  assert.deepEqual(lost, [{ session: '1', reason: 'engine-gone' }]);
});

test('an engine that restarted between two looks has lost what it no longer lists, and only that', async () => {
  await started('restored', 'forgotten');
  await new Promise(setImmediate);
  await until('it was swept', async () => engine.uptime === 100);
  engine.uptime = 0;
  engine.held.delete('forgotten');
  await until('it is lost', () => lost.length > 0);
  assert.equal(lost[0]?.session, 'forgotten');
  assert.ok(relay.owns('restored'));
});

test('a session that the engine dropped by itself is lost', async () => {
  await started('1', '2');
  engine.held.delete('1');
  await until('it is lost', () => lost.length > 0);
  assert.deepEqual(lost, [{ session: '1', reason: 'engine-dropped' }]);
});

test('when the list is cut short, sessions are looked up by name, a batch at a time, until all were', async () => {
  engine.listLimit = 1;
  const ids = Array.from({ length: 120 }, (_, n) => `s${n}`);
  await started(...ids);
  for (const id of ids.slice(60)) engine.held.delete(id);
  await until('all are found', () => lost.length === 60);
  assert.equal(relay.sessionCount, 60);
});

test('sessions of an earlier run are ended, own ones and foreign ends in flight are not', async () => {
  engine.held.add('orphan');
  await started('1');
  await until('it is ended', () => !engine.held.has('orphan'));
  assert.ok(engine.held.has('1'));
  engine.held.add('later orphan');
  await until('it is ended too', () => !engine.held.has('later orphan'));
  assert.ok(relay.owns('1'));
});

test('stop leaves nothing running and may be called twice', async () => {
  await started();
  await monitor.stop();
  await monitor.stop();
});
