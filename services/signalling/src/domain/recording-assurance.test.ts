import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeWorld } from '../testing/fake-world.js';
import { CallLedger } from './call-ledger.js';
import { terminated } from './termination.js';

const start = Date.parse('2026-11-26T12:00:00Z');

/** An answered call that is to be recorded, 1 s after which a look may be taken at any time. */
function answered() {
  const world = new FakeWorld();
  let nowMs = start;
  const kept = new CallLedger(world.events, {
    instance: 's1',
    write: ({ decision }) => ({
      direction: 'DIRECTION_INBOUND' as never,
      calling: undefined,
      called: undefined,
      seller: '',
      decision: { ...decision, recorders: [...decision.recorders] },
    }),
    onRecord: () => {},
    now: () => new Date(nowMs),
  });
  const call = { ...world.facts(['sip:r1']), startedAt: new Date(start) };
  const recording = { recordingId: 'r', call };
  kept.callArrived(call, { sipCallId: 'near', source: { address: '127.0.0.1', port: 1 } });
  kept.callAnswered(call, { answerDelayMs: 1, postDialDelayMs: 1 });
  const lookAfter = (ms: number) => {
    nowMs += ms;
    kept.reconcile();
    return world.told.map(({ kind }) => kind).filter((kind) => /^recording(Missing|Found)/.test(kind));
  };
  return { world, kept, recording, lookAfter };
}

const refused = terminated('recorder-refused', '503');

test('nobody takes the recording: missing within 10 s, once; found when media is seen to flow', () => {
  const { world, kept, recording, lookAfter } = answered();
  kept.recorderAsked(recording, 'sip:r1');
  kept.recorderGivenUp(recording, refused);
  assert.deepEqual(lookAfter(4_000), []);
  assert.deepEqual(lookAfter(2_000), ['recordingMissing recorder-refused']);
  assert.deepEqual(lookAfter(60_000), ['recordingMissing recorder-refused']);
  kept.recordingStarted(recording, world.recorderDialog, 1);
  assert.deepEqual(lookAfter(1_000), ['recordingMissing recorder-refused', 'recordingFound']);
});

test('a recorder has taken it and the relay says that nothing leaves: missing, until something does', () => {
  const { world, kept, recording, lookAfter } = answered();
  kept.recordingStarted(recording, world.recorderDialog, 1);
  assert.deepEqual(lookAfter(60_000), []);
  kept.recordingMedia(recording, 'stalled', 6_000);
  assert.deepEqual(lookAfter(1_000), ['recordingMissing media-stalled']);
  assert.deepEqual(kept.missing(recording.call.callId)?.since, new Date(start + 54_000));
  // The next recorder takes it, which does not say yet that media reaches it.
  kept.recorderGivenUp(recording, terminated('recorder-lost'));
  kept.recordingRecovered(recording, world.recorderDialog, terminated('recorder-lost'), 3_000);
  assert.equal(lookAfter(1_000).length, 1);
  kept.recordingMedia(recording, 'flowing', 0);
  assert.equal(lookAfter(1_000).at(-1), 'recordingFound');
});

test('a recorder does not take a voice: missing, and named, until it does or another recorder takes both', () => {
  const { kept, recording, lookAfter, world } = answered();
  kept.recordingStarted(recording, world.recorderDialog, 1);
  kept.voicesRefused(recording, ['seller']);
  assert.deepEqual(lookAfter(4_000), []);
  kept.voicesRefused(recording, ['seller']);
  assert.deepEqual(lookAfter(2_000), ['recordingMissing seller-voice-refused']);
  kept.voicesRefused(recording, []);
  assert.equal(lookAfter(1_000).at(-1), 'recordingFound');
  // Another voice at the next answer: it is that one that is named, since the first was refused.
  kept.voicesRefused(recording, ['seller']);
  assert.equal(lookAfter(3_000).at(-1), 'recordingFound');
  kept.voicesRefused(recording, ['customer']);
  assert.equal(lookAfter(2_000).at(-1), 'recordingMissing customer-voice-refused');
  kept.recorderGivenUp(recording, terminated('recorder-lost'));
  kept.recordingRecovered(recording, world.recorderDialog, terminated('recorder-lost'), 10);
  assert.equal(lookAfter(1_000).at(-1), 'recordingFound');
});

test('lost in mid-call with no other recorder: missing', () => {
  const { world, kept, recording, lookAfter } = answered();
  kept.recordingStarted(recording, world.recorderDialog, 1);
  assert.deepEqual(lookAfter(60_000), []);
  kept.recorderGivenUp(recording, terminated('recorder-hangup'));
  assert.deepEqual(lookAfter(6_000), ['recordingMissing recorder-hangup']);
});

test('what an operator or a party wanted is not missing: a pause, an end', () => {
  const { world, kept, recording, lookAfter } = answered();
  kept.recordingStarted(recording, world.recorderDialog, 1);
  kept.recordingPaused(recording, 'operator');
  assert.deepEqual(lookAfter(60_000), []);
  kept.recordingEnded(recording, terminated('declined-by-party'), { durationMs: 1, gapMs: 0, lostMs: 0 });
  assert.deepEqual(lookAfter(60_000), []);
});

test('a recorder that wants no media is one', () => {
  const { kept, recording, lookAfter } = answered();
  kept.recordingPaused(recording, 'recorder-inactive');
  assert.deepEqual(lookAfter(6_000), ['recordingMissing recorder-inactive']);
});

test('a call that is over is not looked at any more', () => {
  const { kept, recording, lookAfter } = answered();
  kept.callEnded(recording.call, terminated('hangup'), { durationMs: 1, endedAt: new Date() });
  kept.callReleased(recording.call);
  assert.deepEqual(lookAfter(60_000), []);
});

test('an operator ends a recording whose recorder is lost: nothing is missing any more, and a later one counts', () => {
  const { world, kept, recording, lookAfter } = answered();
  kept.recordingStarted(recording, world.recorderDialog, 1);
  kept.recorderGivenUp(recording, terminated('recorder-lost'));
  assert.equal(lookAfter(6_000).at(-1), 'recordingMissing recorder-lost');
  kept.recordingUnwanted(recording);
  kept.recordingEnded(recording, terminated('recorder-lost'), { durationMs: 1, gapMs: 1, lostMs: 0 });
  assert.equal(lookAfter(1_000).at(-1), 'recordingFound');
  const another = { ...recording, recordingId: 'r2' };
  kept.recorderAsked(another, 'sip:r1');
  kept.recorderGivenUp(another, refused);
  kept.recordingFailed(another, 'sip:r1', refused);
  assert.equal(lookAfter(6_000).at(-1), 'recordingMissing recorder-refused');
});

test('a call that is to be recorded only since a transfer is missed from then on, not from its answer', () => {
  const { kept, recording, lookAfter } = answered();
  const { call } = recording;
  const unlisted = { ...call, decision: { ...call.decision, record: false } };
  kept.callTransferred(unlisted, 'seller');
  assert.deepEqual(lookAfter(600_000), []);
  kept.callTransferred(call, 'seller');
  kept.recorderAsked(recording, 'sip:r1');
  assert.deepEqual(lookAfter(4_000), []);
  assert.deepEqual(lookAfter(2_000), ['recordingMissing not-started']);
});

test('whoever was recorded and comes back after somebody who was not is missed when no recorder takes it', () => {
  const { world, kept, recording, lookAfter } = answered();
  const { call } = recording;
  kept.recordingStarted(recording, world.recorderDialog, 1);
  kept.callTransferred({ ...call, decision: { ...call.decision, record: false } }, 'seller');
  kept.recordingUnwanted(recording);
  kept.recordingEnded(recording, terminated('seller-not-listed'), { durationMs: 1, gapMs: 0, lostMs: 0 });
  assert.deepEqual(lookAfter(60_000), []);
  kept.callTransferred(call, 'seller');
  assert.deepEqual(lookAfter(6_000), ['recordingMissing not-started']);
});

test('of several recorders at the same time one is enough, or each is needed; a call begins to need them with its recordings', () => {
  for (const [needs, told] of [
    ['any', []],
    ['all', ['recordingMissing recorder-refused']],
  ] as const) {
    const { world, kept, recording, lookAfter } = answered();
    const group = { groupId: 'g', needs };
    const [one, other] = [
      { ...recording, group },
      { ...recording, recordingId: 'r2', group },
    ];
    for (const each of [one, other]) kept.recordingBegan(each);
    kept.recordingStarted(one, world.recorderDialog, 1);
    kept.recorderAsked(other, 'sip:r2');
    kept.recorderGivenUp(other, refused);
    assert.deepEqual(lookAfter(6_000), told, needs);
  }
});

test('a second recorder that is needed and was never asked is missing', () => {
  const { world, kept, recording, lookAfter } = answered();
  const group = { groupId: 'g', needs: 'all' } as const;
  kept.recordingBegan({ ...recording, group });
  kept.recordingBegan({ ...recording, recordingId: 'r2', group });
  kept.recordingStarted({ ...recording, group }, world.recorderDialog, 1);
  assert.deepEqual(lookAfter(6_000), ['recordingMissing not-started']);
});

test('a recording that was lost for good is not missed while a later one records', () => {
  const { world, kept, recording, lookAfter } = answered();
  kept.recordingStarted(recording, world.recorderDialog, 1);
  kept.recordingEnded(recording, terminated('forks-exhausted'), { durationMs: 1, gapMs: 1, lostMs: 0 });
  kept.recordingStarted({ ...recording, recordingId: 'r2' }, world.recorderDialog, 1);
  assert.deepEqual(lookAfter(60_000), []);
});
