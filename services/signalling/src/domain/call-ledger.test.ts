import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Direction } from '@sidestream/proto/events/v1';
import { CallRecord, Verdict } from '@sidestream/proto/records/v1';
import { writeFacts } from '../adapters/calls-grpc.js';
import { FakeWorld } from '../testing/fake-world.js';
import { CallLedger } from './call-ledger.js';
import type { ForkCounts } from './media-counts.js';
import { terminated } from './termination.js';

const start = Date.parse('2026-11-26T12:00:00Z');

function ledger() {
  const world = new FakeWorld();
  const records: CallRecord[] = [];
  let nowMs = start;
  const kept = new CallLedger(world.events, {
    instance: 's1',
    write: writeFacts,
    onRecord: (record) => void records.push(record),
    now: () => new Date(nowMs),
  });
  const call = { ...world.facts(['sip:r1', 'sip:r2']), startedAt: new Date(start) };
  const recording = { recordingId: 'r', call };
  const after = (ms: number) => {
    nowMs = start + ms;
  };
  return { world, kept, records, call, recording, after };
}

const hangup = terminated('hangup', 'BYE');
const callOver = terminated('call-ended', 'the call ended: hangup');
const at = (ms: number) => new Date(start + ms);

test('a recorded call: its legs, times, recorders and ends, once, when it is over; the events are passed on', () => {
  const { world, kept, records, call, recording, after } = ledger();
  kept.callArrived(call, { sipCallId: 'near', source: { address: '::1', port: 5060 } });
  kept.callStarted(call);
  after(10);
  kept.targetCalled(call, { trunk: 'pbx', peer: '10.0.0.5:5060', status: 503, sipCallId: '' });
  after(500);
  kept.callRinging(call);
  after(2_000);
  kept.targetCalled(call, { trunk: 'pbx', peer: '10.0.0.6:5060', status: 200, sipCallId: 'far' });
  kept.callAnswered(call, { answerDelayMs: 1, postDialDelayMs: 1 });
  kept.recorderAsked(recording, 'sip:r1');
  kept.recorderGivenUp(recording, terminated('recorder-refused', '503'));
  after(2_100);
  kept.recorderAsked(recording, 'sip:r2');
  after(2_200);
  kept.recorderAccepted(recording);
  kept.recordingStarted(recording, world.recorderDialog, 200);
  after(5_000);
  kept.recordingMedia(recording, 'flowing', 0);
  kept.recordingPaused(recording, 'operator');
  after(6_000);
  kept.recordingResumed(recording);
  after(9_000);
  kept.recordingEnded(recording, callOver, { durationMs: 6_800, gapMs: 0, lostMs: 0 });
  const forks = new Map<string, ForkCounts | undefined>([['another.0', undefined]]);
  for (const n of [0, 1]) {
    const [copied, due] = [new Map([['seller', 100 + n] as const]), new Map([['seller', 110 + n] as const])];
    forks.set(`${recording.recordingId}.${n}`, { copied, due });
  }
  kept.mediaCounted(call, { received: new Map([['customer', 340]]), forks });
  assert.equal(records.length, 0);
  kept.callEnded(call, hangup, { durationMs: 7_000, endedAt: at(8_000) });
  assert.equal(records.length, 0);
  kept.callReleased(call);
  kept.callReleased(call);

  const [record, ...more] = records;
  assert.ok(record);
  assert.equal(more.length, 0);
  assert.deepEqual(record.received, [{ party: 'customer', packets: 340n }]);
  assert.deepEqual(record.recordings[0]?.copied, [{ party: 'seller', packets: 201n }]);
  assert.deepEqual(record.recordings[0]?.due, [{ party: 'seller', packets: 221n }]);
  assert.deepEqual(
    [record.version, record.instance, record.callId, record.tenant, record.direction],
    [1, 's1', call.callId, call.tenant, Direction.INBOUND],
  );
  assert.deepEqual(
    [record.startedAt, record.ringingAt, record.answeredAt, record.endedAt],
    [at(0), at(500), at(2_000), at(8_000)],
  );
  assert.deepEqual(record.legs, [
    { trunk: call.trunk, peer: '[::1]:5060', sipCallId: 'near', sipStatus: 0 },
    { trunk: 'pbx', peer: '10.0.0.5:5060', sipCallId: '', sipStatus: 503 },
    { trunk: 'pbx', peer: '10.0.0.6:5060', sipCallId: 'far', sipStatus: 200 },
  ]);
  const [kept1] = record.recordings;
  assert.deepEqual(
    kept1?.attempts.map(({ recorder, acceptedAt, mediaConfirmedAt, failure }) => [
      recorder,
      acceptedAt,
      mediaConfirmedAt,
      failure?.reason,
    ]),
    [
      ['sip:r1', undefined, undefined, 'recorder-refused'],
      ['sip:r2', at(2_200), at(5_000), undefined],
    ],
  );
  assert.deepEqual(kept1?.pauses, [{ beganAt: at(5_000), endedAt: at(6_000), reason: 'operator' }]);
  assert.deepEqual([kept1?.gaps, kept1?.termination, record.termination], [[], callOver, hangup]);
  assert.equal(record.verdict, Verdict.COMPLETE);
  assert.deepEqual(CallRecord.decode(CallRecord.encode(record).finish()), record);
  const kinds = world.told.map(({ kind }) => kind);
  assert.deepEqual([kinds[0], kinds.at(-1)], ['callStarted', 'callEnded']);
});

/** Recorded to the end. @param counts due and copied packets; absent: the relay was not asked */
function recorded(
  { world, kept, call, recording }: ReturnType<typeof ledger>,
  counts?: { readonly customer: readonly [number, number]; readonly seller: readonly [number, number] },
  unknown: readonly string[] = [],
  startDelayMs = 1,
): void {
  kept.recordingStarted(recording, world.recorderDialog, startDelayMs);
  kept.recordingEnded(recording, callOver, { durationMs: 1_000, gapMs: 0, lostMs: 0 });
  if (counts === undefined) return;
  const of = (index: 0 | 1) => new Map((['customer', 'seller'] as const).map((party) => [party, counts[party][index]]));
  const forks = new Map<string, ForkCounts | undefined>(unknown.map((fork) => [fork, undefined]));
  kept.mediaCounted(call, { received: of(0), forks: forks.set('r.0', { due: of(0), copied: of(1) }) });
}

/** What becomes of the recording of an answered call. */
const stories = {
  'nobody has taken it: missing': [
    ({ kept, recording }: ReturnType<typeof ledger>) => {
      kept.recorderAsked(recording, 'sip:r1');
      kept.recorderGivenUp(recording, terminated('recorder-refused', '503'));
      kept.recordingFailed(recording, 'sip:r1', terminated('recorder-refused', '503'));
    },
    Verdict.MISSING,
  ],
  'it was lost in mid-call and nobody took it after that: partial': [
    ({ world, kept, recording }: ReturnType<typeof ledger>) => {
      kept.recorderAsked(recording, 'sip:r1');
      kept.recordingStarted(recording, world.recorderDialog, 1);
      kept.recordingMedia(recording, 'flowing', 0);
      kept.recorderGivenUp(recording, terminated('recorder-lost', 'r1'));
      kept.recordingEnded(recording, terminated('recorder-lost', 'r1'), { durationMs: 9_000, gapMs: 5_000, lostMs: 0 });
    },
    Verdict.PARTIAL,
  ],
  'the relay has not seen media leave, and was not asked: unconfirmed': [recorded, Verdict.UNCONFIRMED],
  'the relay has seen media leave once, and nobody could count what did: unconfirmed': [
    (set: ReturnType<typeof ledger>) => {
      set.kept.recorderAsked(set.recording, 'sip:r1');
      set.kept.recordingMedia(set.recording, 'flowing', 0);
      recorded(set, { customer: [400, 400], seller: [400, 400] }, ['r.1']);
    },
    Verdict.UNCONFIRMED,
  ],
  'nobody spoke: unconfirmed': [
    (set: ReturnType<typeof ledger>) => recorded(set, { customer: [0, 0], seller: [0, 0] }),
    Verdict.UNCONFIRMED,
  ],
  'a short call, each voice of which was copied: complete': [
    (set: ReturnType<typeof ledger>) => recorded(set, { customer: [40, 40], seller: [30, 30] }),
    Verdict.COMPLETE,
  ],
  'one voice was never copied: partial': [
    (set: ReturnType<typeof ledger>) => recorded(set, { customer: [400, 400], seller: [3, 0] }),
    Verdict.PARTIAL,
  ],
  'a second of a voice was not copied: partial': [
    (set: ReturnType<typeof ledger>) => recorded(set, { customer: [400, 400], seller: [400, 350] }),
    Verdict.PARTIAL,
  ],
  'parties spoke and nothing was copied: missing': [
    (set: ReturnType<typeof ledger>) => recorded(set, { customer: [400, 0], seller: [0, 0] }),
    Verdict.MISSING,
  ],
  'one of two forks could not be counted: what the other came to is no figure': [
    (set: ReturnType<typeof ledger>) => recorded(set, { customer: [400, 0], seller: [400, 400] }, ['r.1']),
    Verdict.UNCONFIRMED,
  ],
  'an operator ended it: waived': [
    ({ world, kept, recording }: ReturnType<typeof ledger>) => {
      kept.recordingStarted(recording, world.recorderDialog, 1);
      kept.recordingEnded(recording, terminated('ended-by-operator'), { durationMs: 1_000, gapMs: 0, lostMs: 0 });
    },
    Verdict.WAIVED,
  ],
  'an operator ended it after a gap: partial': [
    ({ world, kept, recording }: ReturnType<typeof ledger>) => {
      kept.recordingStarted(recording, world.recorderDialog, 1);
      kept.recordingEnded(recording, terminated('ended-by-operator'), { durationMs: 1_000, gapMs: 600_000, lostMs: 0 });
    },
    Verdict.PARTIAL,
  ],
  'recorders that refuse have taken it after 3 min: partial': [
    (set: ReturnType<typeof ledger>) => {
      set.kept.recorderAsked(set.recording, 'sip:r1');
      set.kept.recorderGivenUp(set.recording, terminated('recorder-refused', '503'));
      set.after(180_000);
      recorded(set, { customer: [400, 400], seller: [400, 400] }, [], 180_000);
    },
    Verdict.PARTIAL,
  ],
  'it was missing for a while as was told, and counts say nothing of it: partial': [
    (set: ReturnType<typeof ledger>) => {
      set.kept.recordingStarted(set.recording, set.world.recorderDialog, 1);
      set.kept.recordingMedia(set.recording, 'stalled', 6_000);
      set.kept.reconcile();
      set.kept.recordingMedia(set.recording, 'flowing', 0);
      set.kept.reconcile();
      recorded(set, { customer: [400, 400], seller: [400, 400] });
    },
    Verdict.PARTIAL,
  ],
} as const;

for (const [what, [story, verdict]] of Object.entries(stories))
  test(what, () => {
    const set = ledger();
    set.kept.callArrived(set.call, { sipCallId: 'near', source: { address: '127.0.0.1', port: 1 } });
    set.kept.callAnswered(set.call, { answerDelayMs: 1, postDialDelayMs: 1 });
    story(set);
    set.kept.callEnded(set.call, hangup, { durationMs: 10_000, endedAt: at(10_000) });
    set.kept.callReleased(set.call);
    assert.equal(set.records[0]?.verdict, verdict);
  });

/** An answered call whose recording starts so long after it began. */
function startedLate(startDelayMs: number, before: (set: ReturnType<typeof ledger>) => void = () => {}) {
  const set = ledger();
  const { world, kept, records, call, recording, after } = set;
  kept.callArrived(call, { sipCallId: 'near', source: { address: '127.0.0.1', port: 1 } });
  after(10_000);
  kept.callAnswered(call, { answerDelayMs: 1, postDialDelayMs: 1 });
  kept.recorderAsked(recording, 'sip:r1');
  before(set);
  after(190_000);
  kept.recordingStarted(recording, world.recorderDialog, startDelayMs);
  kept.recordingEnded(recording, callOver, { durationMs: 1_000, gapMs: 500, lostMs: 0 });
  kept.callEnded(call, hangup, { durationMs: 0, endedAt: at(190_000) });
  kept.callReleased(call);
  const [one] = records[0]?.recordings ?? [];
  return { gaps: one?.gaps, gapMs: one?.gapMs };
}

test('what no recorder has taken at first is a gap, from the wish to record or the answer, whichever came later', () => {
  const gap = (ms: number, reason = 'not-started') => ({
    gaps: [{ beganAt: at(190_000 - ms), endedAt: at(190_000), reason }],
    gapMs: ms + 500,
  });
  const refused = terminated('recorder-refused', '503');
  assert.deepEqual(startedLate(60_000), gap(60_000));
  // The wish came with the ringing.
  assert.deepEqual(
    startedLate(185_000, ({ kept, recording }) => kept.recorderGivenUp(recording, refused)),
    gap(180_000, 'recorder-refused'),
  );
  assert.deepEqual(startedLate(4_900), { gaps: [], gapMs: 500 });
});

test('what somebody wanted paused before the first media is not missing; what the recorder did not want is', () => {
  const paused = (by: string) =>
    startedLate(180_000, ({ kept, recording, after }) => {
      after(20_000);
      kept.recordingPaused(recording, by);
      after(50_000);
      kept.recordingResumed(recording);
    });
  assert.equal(paused('party').gapMs, 150_500);
  const { gapMs, gaps } = paused('recorder-inactive');
  assert.deepEqual([gapMs, gaps?.[0]?.reason], [180_500, 'recorder-inactive']);
});

test('a gap lasts from the loss to the recovery, which may have begun before it was noticed', () => {
  const { world, kept, records, call, recording, after } = ledger();
  kept.callArrived(call, { sipCallId: 'near', source: { address: '127.0.0.1', port: 1 } });
  kept.recordingStarted(recording, world.recorderDialog, 1);
  after(10_000);
  kept.recorderGivenUp(recording, terminated('recorder-lost', 'r1'));
  kept.recorderGivenUp(recording, terminated('recorder-refused', 'r2'));
  after(12_000);
  kept.recordingRecovered(recording, world.recorderDialog, terminated('recorder-lost', 'r1'), 5_000);
  kept.callEnded(call, hangup, { durationMs: 0, endedAt: at(0) });
  kept.callReleased(call);
  const [one] = records[0]?.recordings ?? [];
  assert.deepEqual(one?.gaps, [{ beganAt: at(7_000), endedAt: at(12_000), reason: 'recorder-lost' }]);
  assert.equal(one?.gapMs, 5_000);
  assert.equal(one?.termination?.reason, 'internal');
});
