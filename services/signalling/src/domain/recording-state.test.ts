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
  { type: 'connected' },
  { type: 'connect-failed', termination: terminated('media-refused') },
  { type: 'dialog-over', termination: terminated('recorder-hangup') },
  { type: 'failed', termination: terminated('recorder-answer-unusable') },
  { type: 'stop', termination: callEnded },
  { type: 'released' },
  { type: 'released', unconfirmed: terminated('recorder-lost') },
];
const start: RecordingEvent = { type: 'start' };
const forked: RecordingEvent = { type: 'fork-started' };
const accepted: RecordingEvent = { type: 'accepted' };
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
  const { state, effects } = play([start, forked, accepted, { type: 'connected' }, stop, { type: 'released' }]);
  assert.equal(state.phase, 'ended');
  assert.deepEqual(kinds(effects), ['start-fork', 'invite', 'connect', 'announce-start', 'release', 'announce-end']);
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
  const another = ['give-up', 'stop-fork', 'start-fork', 'invite'];
  assert.deepEqual(kinds(effects), ['start-fork', 'invite', ...another, ...another]);
  const forks = effects.flatMap((effect) => ('candidate' in effect ? [`${effect.type} ${effect.candidate}`] : []));
  assert.deepEqual(forks.slice(2, 6), ['give-up 0', 'stop-fork 0', 'start-fork 1', 'invite 1']);
  assert.ok(effects.some((effect) => effect.type === 'give-up' && effect.bye));
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

test('a recorder that hangs up is not sent BYE', () => {
  const over: RecordingEvent = { type: 'dialog-over', termination: terminated('recorder-hangup') };
  const active = play([start, forked, accepted, { type: 'connected' }, over]);
  assert.deepEqual(active.effects.at(-1), { type: 'release', fork: true, bye: false, termination: over.termination });
  const connecting = play([start, forked, accepted, over, { type: 'connected' }]);
  assert.deepEqual(connecting.effects.at(-1), {
    type: 'release',
    fork: true,
    bye: false,
    termination: over.termination,
  });
});

test('an end that the recorder did not confirm is no success, and no other reason than the first', () => {
  const lost = terminated('recorder-lost');
  const up = [start, forked, accepted, { type: 'connected' } as const];
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
      if (kinds(effects).includes('start-fork')) assert.equal(releases[0]?.fork, true);
      assert.equal(ends[0]?.started, kinds(effects).includes('announce-start'));
    }),
    { numRuns: 2_000 },
  );
});
