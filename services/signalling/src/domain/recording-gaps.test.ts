import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RecordingGaps } from './recording-gaps.js';

test('a gap lasts from the loss to the recovery; the sum has all of them and what goes on', () => {
  const gaps = new RecordingGaps();
  assert.equal(gaps.sum(5), 0);
  gaps.begin(10);
  gaps.begin(15);
  assert.deepEqual([gaps.sum(20), gaps.end(30), gaps.sum(99)], [10, 20, 20]);
  gaps.begin(100);
  assert.deepEqual([gaps.end(101), gaps.sum(200)], [1, 21]);
});

test('while the recording is paused nothing is missing', () => {
  const gaps = new RecordingGaps();
  gaps.begin(0);
  gaps.pause(10);
  assert.equal(gaps.sum(50), 10);
  gaps.resume(60);
  assert.equal(gaps.end(65), 15);
  gaps.pause(70);
  gaps.begin(80);
  assert.equal(gaps.end(90), 0);
  gaps.begin(100);
  gaps.resume(120);
  assert.equal(gaps.sum(125), 20);
});

test('a pause outside a gap begins none when it ends', () => {
  const gaps = new RecordingGaps();
  gaps.pause(0);
  gaps.resume(10);
  assert.equal(gaps.sum(99), 0);
});

test('a pause that begins within the doubt: what was missing before it counts, the pause does not', () => {
  const lasting = new RecordingGaps();
  lasting.pause(1_000);
  lasting.begin(0);
  assert.equal(lasting.end(2_500), 1_000);
  const over = new RecordingGaps();
  over.pause(1_000);
  over.resume(1_500);
  over.begin(0);
  assert.equal(over.end(3_000), 2_500);
});

test('a loss that is noticed late does not count what the gap before it has counted', () => {
  const gaps = new RecordingGaps();
  gaps.begin(0);
  assert.equal(gaps.end(100), 100);
  gaps.begin(50);
  assert.deepEqual([gaps.end(130), gaps.sum(130)], [30, 130]);
});

test('property: no millisecond counts twice, none of a pause counts', () => {
  const step = fc.record({
    what: fc.constantFrom('begin', 'end', 'pause', 'resume'),
    ms: fc.nat(50),
    late: fc.nat(80),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const gaps = new RecordingGaps();
      let [nowMs, pausedMs, pausedSinceMs] = [0, 0, undefined as number | undefined];
      for (const { what, ms, late } of steps) {
        nowMs += ms;
        if (what === 'begin') gaps.begin(Math.max(0, nowMs - late));
        if (what === 'end') gaps.end(nowMs);
        if (what === 'pause') {
          gaps.pause(nowMs);
          pausedSinceMs ??= nowMs;
        }
        if (what === 'resume') {
          gaps.resume(nowMs);
          pausedMs += nowMs - (pausedSinceMs ?? nowMs);
          pausedSinceMs = undefined;
        }
      }
      pausedMs += nowMs - (pausedSinceMs ?? nowMs);
      assert.ok(gaps.sum(nowMs) >= 0 && gaps.sum(nowMs) <= nowMs - pausedMs);
    }),
  );
});
