import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { DelayLine } from './delay-line.js';

test('without delay work is done at once; with one it is done later, in order, whatever the delay becomes', async () => {
  let delayMs = 0;
  const line = new DelayLine(() => delayMs);
  const done: string[] = [];
  line.push(() => done.push('at once'));
  assert.deepEqual(done, ['at once']);
  delayMs = 60;
  const pushedAt = performance.now();
  line.push(() => done.push('first'));
  delayMs = 0;
  line.push(() => done.push('second'));
  assert.deepEqual(done, ['at once']);
  await eventually(() => done.length === 3, 'all is done');
  assert.ok(performance.now() - pushedAt >= 60);
  assert.deepEqual(done, ['at once', 'first', 'second']);
});

test('what is forgotten is never done', async () => {
  const line = new DelayLine(() => 20);
  const done: string[] = [];
  line.push(() => done.push('forgotten'));
  line.clear();
  line.push(() => done.push('later'));
  await eventually(() => done.length > 0, 'the later one is done');
  assert.deepEqual(done, ['later']);
});
