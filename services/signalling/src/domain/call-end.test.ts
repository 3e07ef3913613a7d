import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { FakeWorld } from '../testing/fake-world.js';
import { CallEnd } from './call-end.js';
import type { CallTimes } from './ports.js';
import { terminated } from './termination.js';

const start = Date.parse('2026-11-27T12:00:00Z');

function end(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: start });
  const told: (string | CallTimes)[] = [];
  const one = new CallEnd({
    events: {
      callEnded: (_call, { reason }, times) => void told.push(reason, times),
      callReleased: () => void told.push('released'),
    },
    facts: new FakeWorld().facts([]),
    termination: terminated('hangup'),
    durationMs: 7_000,
  });
  return { one, told };
}

const times = { durationMs: 7_000, endedAt: new Date(start) };

test('an end is told when everything is given back, if that is soon, and has the time of the first end', (t) => {
  const { one, told } = end(t);
  t.mock.timers.tick(300);
  assert.deepEqual(told, []);
  one.released();
  t.mock.timers.tick(10_000);
  assert.deepEqual(told, ['hangup', times, 'released']);
});

test('an end is told after half a second, once, although somebody still holds something', (t) => {
  const { one, told } = end(t);
  t.mock.timers.tick(500);
  assert.deepEqual(told, ['hangup', times]);
  t.mock.timers.tick(5_000);
  one.released();
  assert.deepEqual(told, ['hangup', times, 'released']);
});
