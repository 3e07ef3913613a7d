import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  newRecording,
  type RecordingEffect,
  type RecordingEvent,
  type RecordingState,
  stepRecording,
} from './recording-state.js';
import { terminated } from './termination.js';

const refused = terminated('recorder-refused');
const callEnded = terminated('call-ended');
const events: RecordingEvent[] = [
  { type: 'start' },
  { type: 'fork-started' },
  { type: 'fork-failed', termination: terminated('relay-unavailable') },
  { type: 'accepted' },
  { type: 'answer-unusable', termination: terminated('recorder-answer-unusable') },
  { type: 'refused', termination: refused },
  { type: 'connected', flowing: true },
  { type: 'connected', flowing: false },
  { type: 'flow', flowing: true },
  { type: 'flow', flowing: false },
  { type: 'settled' },
  { type: 'connect-failed', termination: terminated('media-refused') },
  { type: 'dialog-over', termination: terminated('recorder-hangup') },
  { type: 'lost', termination: terminated('recorder-lost') },
  { type: 'retry' },
  { type: 'failed', termination: terminated('media-refused') },
  { type: 'stop', termination: callEnded },
  { type: 'released' },
  { type: 'released', unconfirmed: terminated('recorder-lost') },
];
const start: RecordingEvent = { type: 'start' };
const forked: RecordingEvent = { type: 'fork-started' };
const accepted: RecordingEvent = { type: 'accepted' };
const connected: RecordingEvent = { type: 'connected', flowing: true };
const settled: RecordingEvent = { type: 'settled' };
const hangup: RecordingEvent = { type: 'dialog-over', termination: terminated('recorder-hangup') };
const up = [start, forked, accepted, connected];
const stop: RecordingEvent = { type: 'stop', termination: callEnded };

function play(
  sequence: readonly RecordingEvent[],
  candidates = 1,
): { state: RecordingState; effects: RecordingEffect[] } {
  let state = newRecording(candidates);
  const effects: RecordingEffect[] = [];
  for (const event of sequence) {
    const step = stepRecording(state, event);
    state = step.state;
    effects.push(...step.effects);
  }
  return { state, effects };
}

function kinds(effects: readonly RecordingEffect[]): string[] {
  return effects.map((effect) => effect.type);
}

test('a recording starts: fork, INVITE, relay told, announced; stop gives back fork and dialog', () => {
  const { state, effects } = play([...up, stop, { type: 'released' }]);
  assert.equal(state.phase, 'ended');
  assert.deepEqual(kinds(effects), [
    'start-fork',
    'invite',
    'connect',
    'attend',
    'announce-start',
    'release',
    'announce-end',
  ]);
  assert.deepEqual(effects.at(-2), { type: 'release', fork: true, bye: true, termination: callEnded });
  assert.deepEqual(effects.at(-1), { type: 'announce-end', started: true, termination: callEnded });
});

test('the next recorder is tried after a refusal and after an unusable answer, which gets BYE; the relay never hears of it', () => {
  const unusable: RecordingEvent = { type: 'answer-unusable', termination: terminated('recorder-answer-unusable') };
  const { state, effects } = play(
    [start, forked, unusable, forked, { type: 'refused', termination: refused }, forked],
    3,
  );
  assert.equal(state.phase, 'inviting');
  assert.equal(state.candidate, 2);
  const another = ['give-up', 'start-fork', 'invite'];
  assert.deepEqual(kinds(effects), ['start-fork', 'invite', ...another, ...another]);
  const forks = effects.flatMap((effect) => (effect.type === 'start-fork' ? [effect.candidate] : []));
  assert.deepEqual(forks, [0, 1, 2]);
  assert.deepEqual(
    effects.flatMap((effect) => (effect.type === 'give-up' ? [effect.bye] : [])),
    [true, false],
  );
});

test('the last recorder fails: the fork is stopped and the reason is the last one', () => {
  const { state, effects } = play([start, forked, { type: 'refused', termination: refused }, { type: 'released' }]);
  assert.equal(state.termination, refused);
  assert.deepEqual(effects.at(-2), { type: 'release', fork: true, bye: false, termination: refused });
});

test('stopping while starting waits for the step in flight and gives back what it brought', () => {
  const whileForking = play([start, stop]);
  assert.equal(whileForking.state.phase, 'stopping-while-starting');
  assert.deepEqual(kinds(whileForking.effects), ['start-fork', 'abort-start']);
  assert.deepEqual(play([start, stop, forked]).effects.at(-1), {
    type: 'release',
    fork: true,
    bye: false,
    termination: callEnded,
  });
  const lateAnswer = play([start, forked, stop, accepted]);
  assert.deepEqual(lateAnswer.effects.at(-1), { type: 'release', fork: true, bye: true, termination: callEnded });
  const cancelled = play([start, forked, stop, { type: 'refused', termination: refused }]);
  assert.deepEqual(cancelled.effects.at(-1), { type: 'release', fork: true, bye: false, termination: callEnded });
});

const path = (effects: readonly RecordingEffect[]) =>
  effects.flatMap((effect) => {
    if (effect.type === 'start-fork') return [`fork ${effect.candidate} after ${effect.losses}`];
    if (effect.type === 'give-up') return [effect.bye ? 'bye' : 'gone'];
    return effect.type === 'wait' ? [`wait ${effect.round}`] : [];
  });

test('a lost recorder is followed by the next at once, and heard of when that one is up; a hangup is not answered by BYE', () => {
  const { state, effects } = play([...up, hangup, forked, accepted, connected], 2);
  assert.deepEqual(path(effects), ['fork 0 after 0', 'gone', 'fork 1 after 1']);
  assert.deepEqual(kinds(effects).slice(-2), ['attend', 'announce-recovery']);
  assert.deepEqual(effects.at(-1), { type: 'announce-recovery', lost: hangup.termination });
  assert.deepEqual([state.phase, state.lost], ['active', undefined]);
});

test('a recorder that is only thought to be lost gets BYE', () => {
  const { effects } = play([...up, { type: 'lost', termination: terminated('recorder-lost') }], 2);
  assert.deepEqual(path(effects), ['fork 0 after 0', 'bye', 'fork 1 after 1']);
});

test('recovery goes round the list, with a longer pause after each round, until the recording is known to be sound', () => {
  const no: RecordingEvent = { type: 'refused', termination: refused };
  const retry: RecordingEvent = { type: 'retry' };
  const round = [forked, no, retry, forked, no];
  const { state, effects } = play([...up, hangup, ...round, ...round, retry, forked, accepted, connected], 2);
  const rounds = ['fork 1 after 1', 'gone', 'wait 1', 'fork 0 after 1', 'gone', 'fork 1 after 1', 'gone', 'wait 2'];
  assert.deepEqual(path(effects).slice(2, 10), rounds);
  assert.equal(state.phase, 'active');
  assert.ok(state.failures > 2);
  const again = play([...up, hangup, forked, accepted, connected, settled, hangup, forked], 2);
  assert.deepEqual(path(again.effects), ['fork 0 after 0', 'gone', 'fork 1 after 1', 'gone', 'fork 0 after 2']);
});

test('the only recorder is asked again after a pause, and a recorder that takes and drops is not asked in a loop', () => {
  const drops = [{ type: 'retry' } as const, forked, accepted, connected, hangup];
  const { state, effects } = play([...up, hangup, ...drops, ...drops], 1);
  assert.equal(state.phase, 'waiting');
  const waits = path(effects).filter((what) => what.startsWith('wait'));
  assert.deepEqual(waits, ['wait 1', 'wait 2', 'wait 3']);
});

test('a call that ends while its recording is lost: the recording ended with the loss, and there is nothing to give back', () => {
  const waiting = play([...up, hangup, stop], 1);
  assert.deepEqual(waiting.effects.at(-1), {
    type: 'release',
    fork: false,
    bye: false,
    termination: hangup.termination,
  });
  const inviting = play([...up, hangup, forked, stop, { type: 'refused', termination: refused }], 2);
  assert.deepEqual(inviting.effects.at(-1), {
    type: 'release',
    fork: true,
    bye: false,
    termination: hangup.termination,
  });
});

test('a recorder that hangs up before the relay has taken its answer is followed by the next', () => {
  const { state, effects } = play([start, forked, accepted, hangup], 2);
  assert.deepEqual(path(effects), ['fork 0 after 0', 'gone', 'fork 1 after 0']);
  assert.equal(state.lost, undefined);
  const last = play([start, forked, accepted, hangup], 1);
  assert.deepEqual(last.effects.at(-1), { type: 'release', fork: true, bye: false, termination: hangup.termination });
});

test('a recording has started once media may flow; before that it waits, and says so', () => {
  const waits = play([start, forked, accepted, { type: 'connected', flowing: false }]);
  assert.deepEqual(kinds(waits.effects).slice(-2), ['attend', 'announce-pause']);
  assert.equal(waits.state.started, false);
  const flow = (flowing: boolean): RecordingEvent => ({ type: 'flow', flowing });
  const flows = play([
    ...[start, forked, accepted, { type: 'connected', flowing: false } as const],
    ...[flow(false), flow(true), flow(true), flow(false), flow(false), flow(true)],
  ]);
  const told = ['announce-pause', 'announce-start', 'announce-pause', 'announce-resume'];
  assert.deepEqual(
    kinds(flows.effects).filter((kind) => kind.startsWith('announce')),
    told,
  );
});

test('an end that the recorder did not confirm is no success, and no other reason than the first', () => {
  const lost = terminated('recorder-lost');
  const ended = play([...up, stop, { type: 'released', unconfirmed: lost }]);
  assert.deepEqual(ended.effects.at(-1), { type: 'announce-end', started: true, termination: lost });
  const failed: RecordingEvent = { type: 'failed', termination: terminated('media-refused') };
  const both = play([...up, failed, { type: 'released', unconfirmed: lost }]);
  assert.equal(both.state.termination, failed.termination);
});

test('every event in every reachable state is taken without a throw', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...events), { maxLength: 12 }), (sequence) => {
      const { state } = play(sequence, 2);
      for (const event of events) stepRecording(state, event);
    }),
  );
});

test('whatever the order of events, once stopped and its steps answered it ends with one termination and nothing held', () => {
  const settling: RecordingEvent[] = [
    stop,
    { type: 'fork-failed', termination: refused },
    { type: 'refused', termination: refused },
    { type: 'connect-failed', termination: refused },
    { type: 'released' },
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...events), { maxLength: 40 }), (sequence) => {
      const { state, effects } = play([...sequence, ...settling], 3);
      assert.equal(state.phase, 'ended');
      const releases = effects.filter((effect) => effect.type === 'release');
      const ends = effects.filter((effect) => effect.type === 'announce-end');
      assert.equal(releases.length, 1);
      assert.equal(ends.length, 1);
      // Only a success may turn out to be none.
      if (releases[0]?.termination !== callEnded) assert.equal(ends[0]?.termination, releases[0]?.termination);
      else assert.ok(['call-ended', 'recorder-lost'].includes(ends[0]?.termination.reason ?? ''));
      assert.deepEqual(kinds(effects).slice(-2), ['release', 'announce-end']);
      // Each fork is stopped by whoever ends it: the loss of its recorder, or the end.
      const forks = effects.filter(({ type }) => type === 'start-fork').length;
      const gone = effects.filter(({ type }) => type === 'give-up').length;
      assert.ok(forks - gone <= (releases[0]?.fork === true ? 1 : 0));
      assert.equal(ends[0]?.started, kinds(effects).includes('announce-start'));
    }),
    { numRuns: 2_000 },
  );
});
