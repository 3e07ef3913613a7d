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
  { type: 'none-left', termination: terminated('recorder-unreachable') },
  { type: 'fork-started' },
  { type: 'fork-failed', termination: terminated('forks-exhausted') },
  { type: 'fork-failed', termination: terminated('relay-unavailable') },
  { type: 'accepted' },
  { type: 'answer-unusable', termination: terminated('recorder-answer-unusable') },
  { type: 'refused', termination: refused },
  { type: 'connected', flowing: true, paused: false },
  { type: 'connected', flowing: false, paused: false },
  { type: 'flow', flowing: true },
  { type: 'flow', flowing: false },
  { type: 'settled' },
  { type: 'connect-failed', termination: terminated('media-refused') },
  { type: 'dialog-over', termination: terminated('recorder-hangup') },
  { type: 'lost', termination: terminated('recorder-lost') },
  { type: 'retry' },
  { type: 'stop', termination: callEnded },
  { type: 'released' },
  { type: 'released', unconfirmed: terminated('recorder-lost') },
];
const start: RecordingEvent = { type: 'start' };
const forked: RecordingEvent = { type: 'fork-started' };
const accepted: RecordingEvent = { type: 'accepted' };
const connected: RecordingEvent = { type: 'connected', flowing: true, paused: false };
const settled: RecordingEvent = { type: 'settled' };
const hangup: RecordingEvent = { type: 'dialog-over', termination: terminated('recorder-hangup') };
const up = [start, forked, accepted, connected];
const noneLeft: RecordingEvent = { type: 'none-left', termination: terminated('recorder-unreachable') };
const no: RecordingEvent = { type: 'refused', termination: refused };
const retry: RecordingEvent = { type: 'retry' };
const stop: RecordingEvent = { type: 'stop', termination: callEnded };

function play(
  sequence: readonly RecordingEvent[],
  onStep: (before: RecordingState, event: RecordingEvent, after: RecordingState) => void = () => {},
): { state: RecordingState; effects: RecordingEffect[] } {
  let state = newRecording;
  const effects: RecordingEffect[] = [];
  for (const event of sequence) {
    const step = stepRecording(state, event);
    onStep(state, event, step.state);
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
  const { state, effects } = play([start, forked, unusable, forked, no, forked]);
  assert.equal(state.phase, 'inviting');
  const another = ['give-up', 'start-fork', 'invite'];
  assert.deepEqual(kinds(effects), ['start-fork', 'invite', ...another, ...another]);
  assert.deepEqual(
    effects.flatMap((effect) => (effect.type === 'give-up' ? [effect.bye] : [])),
    [true, false],
  );
});

test('all recorders were asked in vain at first: that is told, and they are asked again, ever more seldom', () => {
  const { state, effects } = play([start, forked, no, noneLeft, retry, forked, no, noneLeft]);
  assert.deepEqual([state.phase, state.started], ['waiting', false]);
  assert.deepEqual(path(effects), ['fork', 'gone', 'fork', 'wait 1', 'fork anew', 'gone', 'fork', 'wait 2']);
  assert.deepEqual(
    effects.find(({ type }) => type === 'announce-delay'),
    { type: 'announce-delay', termination: refused },
  );
  const stopped = play([start, forked, no, noneLeft, stop, { type: 'released' }]);
  assert.deepEqual(stopped.effects.at(-1), { type: 'announce-end', started: false, termination: refused });
  const made = play([start, forked, no, noneLeft, retry, ...up.slice(1), stop, { type: 'released' }]);
  assert.ok(!kinds(made.effects).includes('announce-recovery'), 'nothing was lost');
  assert.deepEqual(made.effects.at(-1), { type: 'announce-end', started: true, termination: callEnded });
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
    if (effect.type === 'start-fork') return [effect.newRound ? 'fork anew' : 'fork'];
    if (effect.type === 'give-up') return [effect.bye ? 'bye' : 'gone'];
    return effect.type === 'wait' ? [`wait ${effect.round}`] : [];
  });

test('a lost recorder is followed by the next at once, and heard of when that one is up; a hangup is not answered by BYE', () => {
  const { state, effects } = play([...up, hangup, forked, accepted, connected]);
  assert.deepEqual(path(effects), ['fork', 'gone', 'fork']);
  assert.deepEqual(kinds(effects).slice(-2), ['attend', 'announce-recovery']);
  assert.deepEqual(effects.at(-1), { type: 'announce-recovery', lost: hangup.termination });
  assert.deepEqual([state.phase, state.lost], ['active', undefined]);
});

test('a recorder that is only thought to be lost gets BYE', () => {
  const { effects } = play([...up, { type: 'lost', termination: terminated('recorder-lost') }]);
  assert.deepEqual(path(effects), ['fork', 'bye', 'fork']);
});

test('the next recorder has taken the recording and waits: the gap lasts until media flows, unless it is paused', () => {
  const waits: RecordingEvent = { type: 'connected', flowing: false, paused: false };
  const waiting = play([...up, hangup, forked, accepted, waits]);
  assert.deepEqual(kinds(waiting.effects).slice(-2), ['attend', 'announce-pause']);
  const flows = stepRecording(waiting.state, { type: 'flow', flowing: true });
  assert.deepEqual(kinds(flows.effects), ['announce-recovery', 'announce-resume']);
  assert.deepEqual(stepRecording(waiting.state, stop).state.termination, hangup.termination);
  const again = stepRecording(waiting.state, { type: 'lost', termination: terminated('recorder-lost') });
  assert.equal(again.state.lost, hangup.termination);
  const paused = play([...up, hangup, forked, accepted, { ...waits, paused: true }]);
  assert.deepEqual(kinds(paused.effects).slice(-3), ['attend', 'announce-recovery', 'announce-pause']);
});

test('recovery goes round the list, with a longer pause after each round, until the recording is known to be sound', () => {
  const round = [forked, no, forked, no, noneLeft, retry];
  const { state, effects } = play([...up, hangup, ...round, ...round, forked, accepted, connected]);
  const asked = ['fork', 'gone', 'fork', 'gone', 'fork'];
  assert.deepEqual(path(effects).slice(2), [...asked, 'wait 1', 'fork anew', ...asked.slice(1), 'wait 2', 'fork anew']);
  assert.deepEqual([state.phase, state.rounds], ['active', 2]);
  const sound = stepRecording(state, settled);
  assert.deepEqual([sound.state.rounds, kinds(sound.effects)], [0, ['settle']]);
});

test('a recorder that takes and drops is not asked in a loop', () => {
  const drops = [noneLeft, retry, forked, accepted, connected, hangup];
  const { state, effects } = play([...up, hangup, ...drops, ...drops, noneLeft]);
  assert.equal(state.phase, 'waiting');
  const waits = path(effects).filter((what) => what.startsWith('wait'));
  assert.deepEqual(waits, ['wait 1', 'wait 2', 'wait 3']);
});

const relayGone = terminated('relay-unavailable');

test('a relay that has no fork now is asked later, at first and after a loss; the next recorder would get none either', () => {
  const failed: RecordingEvent = { type: 'fork-failed', termination: relayGone };
  for (const [before, why] of [
    [[start], relayGone],
    [[...up, hangup], hangup.termination],
  ] as const) {
    const { state, effects } = play([...before, failed]);
    assert.deepEqual([state.phase, path(effects).slice(-2)], ['waiting', ['gone', 'wait 1']]);
    assert.equal(stepRecording(state, stop).state.termination, why);
    assert.equal(stepRecording(state, retry).state.phase, 'forking');
  }
});

test('a relay that gives the call no fork any more ends the recording', () => {
  const exhausted = terminated('forks-exhausted');
  const { state, effects } = play([...up, hangup, { type: 'fork-failed', termination: exhausted }]);
  assert.equal(state.termination, exhausted);
  assert.equal(effects.at(-1)?.type, 'release');
});

test("a relay that does not take a recorder's answer: the recorder gets BYE and the next one is asked, at first and after a loss", () => {
  const failed: RecordingEvent = { type: 'connect-failed', termination: terminated('media-refused') };
  for (const before of [[], [...up.slice(1), hangup]])
    assert.deepEqual(path(play([start, ...before, forked, accepted, failed]).effects).slice(-2), ['bye', 'fork']);
});

test('a call that ends while its recording is lost: the recording ended with the loss, and there is nothing to give back', () => {
  const waiting = play([...up, hangup, noneLeft, stop]);
  assert.deepEqual(waiting.effects.at(-1), {
    type: 'release',
    fork: false,
    bye: false,
    termination: hangup.termination,
  });
  const inviting = play([...up, hangup, forked, stop, no]);
  assert.deepEqual(inviting.effects.at(-1), {
    type: 'release',
    fork: true,
    bye: false,
    termination: hangup.termination,
  });
});

test('a recorder that hangs up before the relay has taken its answer is followed by the next', () => {
  const { state, effects } = play([start, forked, accepted, hangup]);
  assert.deepEqual(path(effects), ['fork', 'gone', 'fork']);
  assert.equal(state.lost, undefined);
});

test('a recording has started once media may flow; before that it waits, and says so', () => {
  const waits = play([start, forked, accepted, { type: 'connected', flowing: false, paused: false }]);
  assert.deepEqual(kinds(waits.effects).slice(-2), ['attend', 'announce-pause']);
  assert.equal(waits.state.started, false);
  const flow = (flowing: boolean): RecordingEvent => ({ type: 'flow', flowing });
  const flows = play([
    ...[start, forked, accepted, { type: 'connected', flowing: false, paused: false } as const],
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
  const gone = play([...up, hangup, noneLeft, stop, { type: 'released', unconfirmed: lost }]);
  assert.equal(gone.state.termination, hangup.termination);
});

test('every event in every reachable state is taken without a throw', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...events), { maxLength: 12 }), (sequence) => {
      const { state } = play(sequence);
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
      // A round that is over has started no fork.
      let inVain = 0;
      const { state, effects } = play([...sequence, ...settling], (before, event, after) => {
        if (event.type === 'none-left' && before.fork === 'starting' && after.fork === 'none') inVain += 1;
      });
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
      const forks = effects.filter(({ type }) => type === 'start-fork').length - inVain;
      const gone = effects.filter(({ type }) => type === 'give-up').length;
      assert.ok(forks - gone <= (releases[0]?.fork === true ? 1 : 0));
      assert.equal(ends[0]?.started, kinds(effects).includes('announce-start'));
    }),
    { numRuns: 2_000 },
  );
});
