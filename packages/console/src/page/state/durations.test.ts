import assert from 'node:assert/strict';
import { test } from 'node:test';
import { age, clock, daysUntil } from './durations.js';

test('a clock shows hours only when there are some, and never runs before zero', () => {
  assert.deepEqual([-5_000, 0, 7_999, 754_000, 3_723_000].map(clock), ['0:00', '0:00', '0:07', '12:34', '1:02:03']);
});

test('an age has one unit', () => {
  const ages = [-3, 999, 59_999, 60_000, 3_600_000, 47 * 3_600_000, 48 * 3_600_000].map(age);
  assert.deepEqual(ages, ['now', 'now', '59 s', '1 min', '1 h', '47 h', '2 d']);
});

test('days until are whole, and negative once the time has passed', () => {
  const now = Date.parse('2026-11-26T12:00:00Z');
  assert.equal(daysUntil('2026-11-27T11:59:59Z', now), 0);
  assert.equal(daysUntil('2026-12-06T12:00:00Z', now), 10);
  assert.equal(daysUntil('2026-11-26T11:59:59Z', now), -1);
});
