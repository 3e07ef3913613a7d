import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallRecord, LostCall } from '../api/shapes.js';
import { callOf } from './call-fixture.js';
import { endedCalls } from './ended-calls.js';

const lost = (callId: string, endedAt: string): LostCall => ({
  ...callOf({ callId }),
  endedAt,
  termination: { result: 'indeterminate', reason: 'instance-lost', detail: '' },
});
const ended = (callId: string, endedAt: string): CallRecord => ({
  ...callOf({ callId }),
  recordings: [],
  durationMs: 1_000,
  endedAt,
  termination: { result: 'success', reason: 'hangup', detail: '' },
});

test('calls that were lost stand among those that have ended, the newest first, and none of them twice', () => {
  const records = [ended('b', '2026-11-26T12:02:00.000Z'), ended('a', '2026-11-26T12:00:00.000Z')];
  const calls = endedCalls(records, [lost('b', '2026-11-26T12:01:30.000Z'), lost('c', '2026-11-26T12:01:00.000Z')]);
  assert.deepEqual(
    calls.map(({ callId, termination }) => [callId, termination?.reason]),
    [
      ['b', 'hangup'],
      ['c', 'instance-lost'],
      ['a', 'hangup'],
    ],
  );
});
