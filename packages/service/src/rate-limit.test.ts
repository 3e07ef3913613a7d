import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateLimit } from './rate-limit.js';

test('a burst at once, then one for each interval', () => {
  let now = 1_000;
  const limit = new RateLimit({ perSecond: 10, burst: 3, clock: () => now });
  assert.deepEqual(
    [1, 2, 3, 4].map(() => limit.take('a')),
    [true, true, true, false],
  );
  now += 99;
  assert.equal(limit.take('a'), false);
  now += 1;
  assert.equal(limit.allows('a'), true);
  assert.equal(limit.take('a'), true);
  assert.equal(limit.allows('a'), false);
  assert.equal(limit.take('b'), true);
});

test('however they come, never more than the rate and one burst', () => {
  for (const burst of [1, 2, 5]) {
    for (const stride of [0, 3.3, 17, 49.9, 50, 61, 400]) {
      let now = 0;
      const limit = new RateLimit({ perSecond: 20, burst, clock: () => now });
      let taken = 0;
      for (let index = 0; index < 500; index += 1) {
        now += (index * stride) % (stride + 29);
        if (limit.take('a')) taken += 1;
      }
      assert.ok(taken >= 1 && taken <= burst + now / 50 + 1e-3, `${taken} in ${now} ms`);
    }
  }
});

test('what was owed is waited for', () => {
  let now = 0;
  const limit = new RateLimit({ perSecond: 100, burst: 10, clock: () => now });
  assert.equal(limit.owe('a', 10), 0);
  assert.equal(Math.round(limit.owe('a', 5)), 50);
  now = 50;
  assert.equal(limit.owe('a', 0) < 1e-3, true);
  assert.equal(limit.take('a'), false);
});

test('the table is bounded: who was heard longest ago is forgotten', () => {
  const limit = new RateLimit({ perSecond: 1, burst: 1, clock: () => 0, maxKeys: 2 });
  assert.ok(limit.take('a') && limit.take('b'));
  assert.equal(limit.take('a'), false);
  assert.ok(limit.take('c'));
  assert.equal(limit.keys, 2);
  assert.equal(limit.take('b'), false);
  assert.equal(limit.take('a'), true);
});
