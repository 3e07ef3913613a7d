import assert from 'node:assert/strict';
import { test } from 'node:test';
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
