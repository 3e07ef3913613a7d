import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InstanceWatch } from './instance-watch.js';

const runningSince = (sinceMs: number | undefined) => new Map([['s1', { sinceMs }]]);
const none = new Map<string, { sinceMs: number }>();

test('an instance is suspect once its lease has been missing for the grace without a break', () => {
  const watch = new InstanceWatch({ graceMs: 10 });
  assert.deepEqual(watch.look(none, ['s1'], 100), []);
  assert.deepEqual(watch.look(none, ['s1'], 109), []);
  assert.deepEqual(watch.look(runningSince(1), ['s1'], 110), []);
  assert.deepEqual(watch.look(none, ['s1'], 115), []);
  assert.deepEqual(watch.look(none, ['s1'], 125), [{ instance: 's1', sinceMs: 115, before: undefined }]);
});

test('calls from before its process are suspect, once it has run for the grace; of one that does not say since when, none', () => {
  const watch = new InstanceWatch({ graceMs: 10 });
  watch.look(runningSince(1), ['s1'], 100);
  assert.deepEqual(watch.look(runningSince(105), ['s1'], 110), []);
  assert.deepEqual(watch.look(runningSince(105), ['s1'], 120), [{ instance: 's1', sinceMs: 105, before: 105 }]);
  assert.deepEqual(watch.look(runningSince(undefined), ['s1'], 200), []);
});

test('what is wanted no more is forgotten', () => {
  const watch = new InstanceWatch({ graceMs: 10 });
  watch.look(none, ['s1'], 100);
  watch.look(none, [], 105);
  assert.deepEqual(watch.look(none, ['s1'], 112), []);
});
