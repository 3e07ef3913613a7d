import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answered, ended, recorded, recordingFailed, started, TestStream } from '../testing/stream.js';
import type { Happening } from './call-story.js';
import { EndedCalls, shownRecord } from './ended-calls.js';

function ledger(bodies: readonly Happening['body'][], maxEnded = 10): EndedCalls {
  const stream = new TestStream();
  const calls = new EndedCalls({ maxLive: 10, maxEnded });
  for (const { body, time } of bodies.map((one) => stream.next(one))) calls.take(body, time);
  return calls;
}

test('a call that is over has its end and its recordings, also one whose end is told after that of the call', () => {
  const [record] = ledger([started(), answered(), recorded(), ended(), recordingFailed()]).list('contoso', 10);
  assert.equal(record?.termination?.reason, 'hangup');
  assert.deepEqual(
    record?.recordings.map(({ recordingId, termination }) => [recordingId, termination?.reason]),
    [
      ['r-c1', undefined],
      ['x', 'recorder-refused'],
    ],
  );
});

test('the newest come first, before a time if one is given, and no more than are kept', () => {
  const three = ['c1', 'c2', 'c3'].flatMap((id) => [started('ada', id), ended(undefined, id)]);
  const calls = ledger(three, 2);
  const ids = (before?: Date) => calls.list('contoso', 10, before).map(({ callId }) => callId);
  assert.deepEqual(ids(), ['c3', 'c2']);
  assert.deepEqual(ids(calls.list('contoso', 1)[0]?.endedAt), ['c2']);
  assert.deepEqual(calls.list('fabrikam', 10), []);
});

test('parties are masked unless they are to be revealed', () => {
  const [record] = ledger([started(), ended()]).list('contoso', 1);
  assert.ok(record);
  assert.ok(!JSON.stringify(shownRecord(record, false)).includes('5112345678'));
  assert.ok(JSON.stringify(shownRecord(record, true)).includes('+4915112345678'));
});
