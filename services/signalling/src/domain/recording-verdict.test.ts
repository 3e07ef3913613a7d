import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RecordingRecord, Verdict } from '@sidestream/proto/records/v1';
import { FakeWorld } from '../testing/fake-world.js';
import { verdictOf } from './recording-verdict.js';
import { type TerminationReason, terminated } from './termination.js';

const { decision: listed } = new FakeWorld().facts(['sip:r1']);
const decision = { ...listed, recorders: [...listed.recorders] };
const time = new Date(0);

interface Came {
  readonly id?: string;
  readonly end?: TerminationReason;
  readonly started?: boolean;
  readonly gapMs?: number;
  /** Of 400 packets that came; undefined: nobody could count. */
  readonly copied?: number | undefined;
  readonly pausedBy?: string;
}

function recordingOf({ id = 'r', end = 'call-ended', started = true, gapMs = 0, pausedBy, ...more }: Came) {
  const copied = 'copied' in more ? more.copied : 400;
  const packets = (count: number | undefined) =>
    count === undefined ? [] : [{ party: 'seller', packets: BigInt(count) }];
  return {
    recordingId: id,
    recorderCallId: 'c',
    attempts: [],
    startedAt: started ? time : undefined,
    endedAt: time,
    pauses: pausedBy === undefined ? [] : [{ beganAt: time, endedAt: time, reason: pausedBy }],
    gaps: [],
    gapMs,
    termination: terminated(end),
    copied: packets(started ? copied : undefined),
    due: packets(started && copied !== undefined ? 400 : undefined),
  } satisfies RecordingRecord;
}

const judged = (
  recordings: readonly Came[],
  { needs, wasMissing = false }: { needs?: 'any' | 'all'; wasMissing?: boolean } = {},
) =>
  verdictOf(
    { answeredAt: time, decision, recordings: recordings.map((came, n) => recordingOf({ id: `r${n}`, ...came })) },
    { wasMissing, groupOf: () => (needs === undefined ? undefined : { groupId: 'g', needs }) },
  ).replace('VERDICT_', '');

const whole: Came = {};
const stopped: Came = { end: 'ended-by-operator' };
const none: Came = { started: false, end: 'recorder-refused' };
const declined: Came = { started: false, end: 'declined-by-party' };

test('recordings that follow each other: each has to be sound until the end that somebody wanted', () => {
  for (const [recordings, verdict] of [
    [[stopped, whole], 'COMPLETE'],
    [[declined, whole], 'COMPLETE'],
    [[{ ...stopped, gapMs: 600_000 }, whole], 'PARTIAL'],
    [[{ ...stopped, copied: 0 }, whole], 'PARTIAL'],
    [[{ ...stopped, copied: undefined }, whole], 'UNCONFIRMED'],
    [[{ end: 'recorder-lost' }, whole], 'PARTIAL'],
    [[none, whole], 'PARTIAL'],
    [[stopped, none], 'PARTIAL'],
    [[none, none], 'MISSING'],
    [[declined, none], 'MISSING'],
  ] as const)
    assert.equal(judged(recordings), verdict, JSON.stringify(recordings));
});

test('what somebody did not want is waived, what was missing before that is not', () => {
  for (const [recordings, verdict] of [
    [[stopped], 'WAIVED'],
    [[stopped, stopped], 'WAIVED'],
    [[declined], 'WAIVED'],
    [[stopped, { started: false, end: 'call-ended-before-start', pausedBy: 'operator' }], 'WAIVED'],
    [[{ started: false, end: 'recorder-inactive', pausedBy: 'recorder-inactive' }], 'MISSING'],
    [[{ ...stopped, gapMs: 3_600_000 }], 'PARTIAL'],
    [[none, stopped], 'PARTIAL'],
    [[none, declined], 'MISSING'],
  ] as const)
    assert.equal(judged(recordings), verdict, JSON.stringify(recordings));
});

test('recordings at the same time: as many have to be sound as the tenant needs', () => {
  for (const [recordings, any, all] of [
    [[whole, none], 'COMPLETE', 'PARTIAL'],
    [[none, whole], 'COMPLETE', 'PARTIAL'],
    [[whole, { copied: undefined }], 'COMPLETE', 'UNCONFIRMED'],
    [[{ gapMs: 1 }, { copied: undefined }], 'UNCONFIRMED', 'PARTIAL'],
    [[none, { copied: 0 }], 'MISSING', 'MISSING'],
    [[whole, whole], 'COMPLETE', 'COMPLETE'],
    [[stopped, stopped], 'WAIVED', 'WAIVED'],
  ] as const) {
    assert.equal(judged(recordings, { needs: 'any' }), any, JSON.stringify(recordings));
    assert.equal(judged(recordings, { needs: 'all' }), all, JSON.stringify(recordings));
  }
});

test('whatever was told to be missing while the call lived is not complete, and not waived', () => {
  for (const [recordings, verdict] of [
    [[whole], 'PARTIAL'],
    [[stopped], 'PARTIAL'],
    [[declined], 'MISSING'],
    [[{ copied: undefined }], 'PARTIAL'],
  ] as const)
    assert.equal(judged(recordings, { wasMissing: true }), verdict, JSON.stringify(recordings));
});

test('what was not to be recorded, or never answered, is not expected', () => {
  const hints = { wasMissing: false, groupOf: () => undefined };
  const none = { recordings: [], answeredAt: time };
  assert.equal(verdictOf({ ...none, decision: { ...decision, record: false } }, hints), Verdict.NOT_EXPECTED);
  assert.equal(verdictOf({ ...none, decision, answeredAt: undefined }, hints), Verdict.NOT_EXPECTED);
  assert.equal(verdictOf({ ...none, decision }, hints), Verdict.MISSING);
});
