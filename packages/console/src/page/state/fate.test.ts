import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallRecord, LiveCalls } from '../api/shapes.js';
import { callOf } from './call-fixture.js';
import { fateOf } from './fate.js';

const call = callOf({ callId: 'a', instance: 's1' });
const record: CallRecord = { ...callOf({ callId: 'a' }), durationMs: 1_000, recordings: [] };
const answer = (state: string, changes: Partial<LiveCalls> = {}): LiveCalls => ({
  calls: [],
  lost: [],
  instances: [{ instance: 's1', state, calls: 0 }],
  ...changes,
});

test('a call that is listed is live, one that its instance lists no more has ended', () => {
  assert.equal(fateOf(call, answer('live', { calls: [call] }), undefined), 'live');
  assert.equal(fateOf(call, answer('silent', { calls: [call] }), undefined), 'live');
  assert.equal(fateOf(call, answer('live'), undefined), 'over');
});

test('of a call that nobody lists, and whose instance does not answer, nothing is known before its record', () => {
  assert.equal(fateOf(call, answer('silent'), undefined), 'unknown');
  assert.equal(fateOf(call, answer('live', { instances: [] }), undefined), 'unknown');
  assert.equal(fateOf(call, answer('silent'), record), 'over');
});

test('a call that went with its instance is lost, until its record shows that it did not', () => {
  assert.equal(fateOf(call, answer('gone', { lost: [call] }), undefined), 'lost');
  assert.equal(fateOf(call, answer('gone', { lost: [call] }), record), 'over');
});
