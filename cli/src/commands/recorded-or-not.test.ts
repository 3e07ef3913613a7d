import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallRecord, type RecordingRecord, Verdict } from '@sidestream/proto/records/v1';
import { recordedOrNot } from './recorded-or-not.js';

const time = new Date(0);
const success = 'RESULT_SUCCESS' as never;
const ended = (reason: string, detail = '') => ({ result: success, reason, detail });
const packets = (count: number) => [{ party: 'seller', packets: BigInt(count) }];

/** Whole, at this recorder, but for what is said. */
function at(recorder: string, came: Partial<RecordingRecord> = {}): RecordingRecord {
  return {
    recordingId: recorder,
    recorderCallId: '',
    attempts: [{ recorder, invitedAt: time, acceptedAt: time, mediaConfirmedAt: time, failure: undefined }],
    startedAt: time,
    endedAt: time,
    pauses: [],
    gaps: [],
    gapMs: 0,
    termination: ended('call-ended', 'the call ended: hangup'),
    copied: packets(400),
    due: packets(400),
    ...came,
  };
}

function refusedAt(recorder: string): RecordingRecord {
  const failure = ended('recorder-refused', '503');
  const attempts = [{ recorder, invitedAt: time, acceptedAt: undefined, mediaConfirmedAt: undefined, failure }];
  return at(recorder, { attempts, startedAt: undefined, copied: [], due: [], termination: failure });
}

const told = (verdict: Verdict, ...recordings: RecordingRecord[]) =>
  recordedOrNot({ ...CallRecord.fromPartial({}), verdict, recordings });

test('of several recordings those are named that lack something, and only those', () => {
  const { PARTIAL, COMPLETE, UNCONFIRMED, MISSING } = Verdict;
  assert.equal(
    told(PARTIAL, at('east', { gapMs: 600_000, termination: ended('ended-by-operator') }), at('west')),
    'recorded in part at east: 600.0 s are missing; it ended by ended-by-operator',
  );
  assert.equal(
    told(PARTIAL, at('east', { gapMs: 180_000 }), at('north'), at('west', { copied: packets(0) })),
    "recorded in part at east: 180.0 s are missing, and at west: nothing of the seller's voice was copied (0 of 400 packets)",
  );
  assert.equal(
    told(PARTIAL, at('east'), refusedAt('west')),
    'recorded in part at west: nothing was recorded; it ended by recorder-refused (503)',
  );
  assert.equal(
    told(PARTIAL, at('east')),
    'recorded in part at east: for some seconds it was not recorded, as was told while the call lived',
  );
  const declined = at('', { attempts: [], startedAt: undefined, copied: [], termination: ended('declined-by-party') });
  assert.equal(
    told(PARTIAL, at('east', { gapMs: 50 }), declined),
    'recorded in part at east: 0.1 s are missing, and at a recorder: nothing was recorded; it ended by declined-by-party',
  );
  assert.equal(told(COMPLETE, at('east'), refusedAt('west')), 'recorded from start to end at east');
  assert.equal(told(COMPLETE, at('east'), at('west')), 'recorded from start to end at east and west');
  assert.match(
    told(UNCONFIRMED, at('east', { copied: [], due: [] }), refusedAt('west')),
    /^recorded at east, .*relay could not/,
  );
  assert.match(told(MISSING, refusedAt('east'), refusedAt('west')), /: east: recorder-refused \(503\); west: /);
});
