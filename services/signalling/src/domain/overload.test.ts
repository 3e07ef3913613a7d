import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Overload } from './overload.js';

const calm = { lagMs: 1, heapShare: 0.2 };

test('overloaded above the border, until the load has been below half of it for a while', () => {
  const overload = new Overload(200);
  for (const lagMs of [200, 200, 700, 1, 700]) overload.read({ ...calm, lagMs });
  assert.equal(overload.problem, undefined, 'one long pause at a time is none');
  overload.read({ ...calm, lagMs: 201 });
  assert.equal(overload.problem, 'the event loop lags 201 ms');
  for (const lagMs of [150, 99, 99, 150, 1, 1, 1]) overload.read({ ...calm, lagMs });
  assert.equal(overload.problem, 'the event loop lags 201 ms');
  overload.read(calm);
  assert.equal(overload.problem, undefined);
});

test('memory that runs out is overload', () => {
  const overload = new Overload(200);
  overload.read({ ...calm, heapShare: 0.95 });
  assert.equal(overload.problem, '95 % of the heap is used');
  for (let times = 0; times < 4; times += 1) overload.read({ ...calm, heapShare: 0.85 });
  assert.notEqual(overload.problem, undefined);
  for (let times = 0; times < 4; times += 1) overload.read(calm);
  assert.equal(overload.problem, undefined);
});
