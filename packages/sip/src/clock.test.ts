import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, systemClock } from './clock.js';

test('a manual clock fires what falls due in order of time, timers of timers included', () => {
  const clock = new ManualClock();
  const fired: string[] = [];
  clock.setTimeout(() => fired.push(`b ${clock.now()}`), 20);
  clock.setTimeout(() => {
    fired.push(`a ${clock.now()}`);
    clock.setTimeout(() => fired.push(`c ${clock.now()}`), 10);
  }, 10);
  const never = clock.setTimeout(() => fired.push('never'), 15);
  clock.clearTimeout(never);
  clock.setTimeout(() => fired.push('late'), 31);
  clock.advance(30);
  assert.deepEqual(fired, ['a 10', 'b 20', 'c 20']);
  assert.equal(clock.pending, 1);
  assert.equal(clock.now(), 30);
});

test('the system clock fires, and forgets what it is told to', async () => {
  let never = false;
  const handle = systemClock.setTimeout(() => {
    never = true;
  }, 1);
  systemClock.clearTimeout(handle);
  systemClock.clearTimeout(undefined);
  const before = systemClock.now();
  // The timers are unref'd, so the test itself has to keep the process alive.
  const alive = setInterval(() => undefined, 1000);
  await new Promise<void>((resolve) => systemClock.setTimeout(resolve, 5));
  clearInterval(alive);
  assert.equal(never, false);
  assert.ok(systemClock.now() - before >= 4);
});
