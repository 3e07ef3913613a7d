import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EdgeWatch } from './edge-watch.js';

function watch() {
  const ended: string[] = [];
  return { ended, watch: new EdgeWatch(({ reason }) => ended.push(reason), 1_000) };
}

test('calls outlive their edge for a while, then they are ended once', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { ended, watch: edge } = watch();
  edge.lost('closed');
  edge.lost('refused');
  t.mock.timers.tick(999);
  assert.deepEqual(ended, []);
  t.mock.timers.tick(5_000);
  assert.deepEqual(ended, ['edge-lost']);
});

test('an edge that is back without their dialogs ends the calls at once; the first connection ends none', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { ended, watch: edge } = watch();
  edge.back();
  assert.deepEqual(ended, []);
  edge.lost('closed');
  edge.back();
  assert.deepEqual(ended, ['edge-lost']);
  t.mock.timers.tick(5_000);
  assert.deepEqual(ended, ['edge-lost']);
});
