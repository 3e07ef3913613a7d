import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type AttemptOutcome, nextAttemptAt } from './schedule.js';

const pace = { pollIntervalMs: 300_000, maxAgeMs: 86_400_000 };
const hour = 3_600_000;

function next(outcome: AttemptOutcome, random = 0.5, tookMs = 100): number {
  return nextAttemptAt({ startedAt: 1_000, endedAt: 1_000 + tookMs, outcome }, pace, random) - 1_000;
}

describe('after success', () => {
  test('the next attempt starts within the poll interval, at a moment that differs', () => {
    assert.equal(next({ ok: true }, 0), 225_000);
    assert.ok(next({ ok: true }, 0.999) < 285_000);
  });

  test('a longer max-age is heeded, up to an hour and a quarter of the age at which the policy is stale', () => {
    assert.equal(next({ ok: true, maxAgeMs: 600_000 }), 600_000);
    assert.equal(next({ ok: true, maxAgeMs: 10 * hour }), hour);
    const hasty = { ...pace, maxAgeMs: hour };
    const outcome = { ok: true, maxAgeMs: 10 * hour } as const;
    assert.equal(nextAttemptAt({ startedAt: 0, endedAt: 0, outcome }, hasty, 0.5), hour / 4);
  });

  test('a shorter max-age changes nothing', () => {
    assert.equal(next({ ok: true, maxAgeMs: 1_000 }), next({ ok: true }));
  });

  test('a clock that is set back or forth during an attempt delays the next by no more than its pause', () => {
    for (const [tookMs, expected] of [
      [-24 * hour, 255_000 - 24 * hour],
      [24 * hour, 30_000 + 24 * hour],
    ] as const)
      assert.equal(next({ ok: true }, 0.5, tookMs), expected);
    assert.equal(next({ ok: true, maxAgeMs: hour }, 0.5, -24 * hour), hour - 24 * hour);
  });

  test('an attempt longer than the interval is followed by a rest', () => {
    assert.equal(next({ ok: true }, 0, 400_000), 430_000);
  });
});

describe('after failure', () => {
  const failed = (failures: number, more: object = {}) => ({ ok: false as const, retryable: true, failures, ...more });

  test('what may pass is tried again soon, then ever later, at last at the poll interval', () => {
    const pauses = [1, 2, 3, 20, 1_000].map((failures) => next(failed(failures), 0, 0));
    assert.deepEqual(pauses, [750, 1_500, 3_000, 168_750, 168_750]);
  });

  test('what somebody has to mend is tried at the poll interval', () => {
    assert.ok(next(failed(1, { retryable: false }), 0, 0) >= 168_750);
  });

  test('Retry-After is heeded, up to an hour', () => {
    assert.equal(next(failed(1, { retryAfterMs: 60_000 }), 0, 0), 60_000);
    assert.equal(next(failed(1, { retryAfterMs: 48 * hour }), 0, 0), hour);
  });

  test('never sooner than half a second and never later than the interval or what was asked for', () => {
    const outcome = fc.record({
      ok: fc.constant(false as const),
      retryable: fc.boolean(),
      failures: fc.integer({ min: 1, max: 1e6 }),
      retryAfterMs: fc.option(fc.integer({ min: 0, max: 1e9 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(outcome, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (one, random) => {
        const wait = next(one, random, 0);
        assert.ok(wait >= 500 && wait <= Math.max(pace.pollIntervalMs, hour), `${wait}`);
        assert.ok(wait >= Math.min(one.retryAfterMs ?? 0, hour));
      }),
    );
  });
});
