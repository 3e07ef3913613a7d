import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type CallEffect, type CallEvent, type CallState, newCall, stepCall } from './call-state.js';
import type { RecordingPlan } from './recording-terms.js';
import { terminated } from './termination.js';

const hangup = terminated('hangup');
const busy = terminated('busy');
const events: CallEvent[] = [
  { type: 'arrived' },
  { type: 'media-opened' },
  { type: 'progressed', status: 180 },
  { type: 'far-answered' },
  { type: 'planned', plan: 'required', begun: false },
  { type: 'far-refused', status: 486, another: false, termination: busy },
  { type: 'far-refused', status: 503, another: true, termination: terminated('far-side-unreachable') },
  { type: 'media-answered' },
  { type: 'near-accepted' },
  { type: 'recorded' },
  { type: 'cancelled', termination: terminated('cancelled') },
  { type: 'near-over', termination: hangup },
  { type: 'far-over', termination: hangup },
  { type: 'failed', status: 503, termination: terminated('relay-unavailable') },
  { type: 'released' },
];
const happyPath: CallEvent[] = ['arrived', 'media-opened', 'far-answered', 'media-answered', 'near-accepted'].map(
  (type) => ({ type }) as CallEvent,
);

function play(
  sequence: readonly CallEvent[],
  candidates = 1,
  plan: RecordingPlan = 'none',
): { state: CallState; effects: CallEffect[]; begun: number } {
  let state = newCall(candidates, plan);
  const effects: CallEffect[] = [];
  /** Recordings that were begun, without those that a change of who is dialled has given up. */
  let begun = 0;
  for (const event of sequence) {
    if (event.type === 'planned' && !event.begun && state.phase === 'dialling') begun = 0;
    const step = stepCall(state, event);
    state = step.state;
    effects.push(...step.effects);
    begun += step.effects.filter(({ type }) => type === 'start-recording').length;
  }
  return { state, effects, begun };
}

function releaseOf(effects: readonly CallEffect[]) {
  const release = effects.find((effect) => effect.type === 'release');
  assert.ok(release?.type === 'release');
  return release;
}

test('an answered call runs its steps in order and talks', () => {
  const { state, effects } = play(happyPath);
  assert.equal(state.phase, 'talking');
  assert.deepEqual(
    effects.map((effect) => effect.type),
    ['open-media', 'dial', 'answer-media', 'accept-near', 'announce-answer'],
  );
});

test('the first end wins: a BYE of the near side ends the far leg and nothing later changes the termination', () => {
  const { state, effects } = play([
    ...happyPath,
    { type: 'near-over', termination: hangup },
    { type: 'far-over', termination: busy },
    { type: 'failed', status: 500, termination: terminated('internal') },
    { type: 'released' },
  ]);
  assert.equal(state.phase, 'ended');
  assert.equal(state.termination, hangup);
  const release = releaseOf(effects);
  assert.deepEqual([release.near, release.far], ['none', 'bye']);
});

test('RFC 3261 §9.2: CANCEL while dialling cancels the far INVITE and leaves the near one to the edge', () => {
  const { effects } = play([...happyPath.slice(0, 2), { type: 'cancelled', termination: terminated('cancelled') }]);
  const release = releaseOf(effects);
  assert.deepEqual([release.near, release.far], ['none', 'cancel']);
});

test('a CANCEL after the 200 has no effect', () => {
  const { state } = play([...happyPath, { type: 'cancelled', termination: terminated('cancelled') }]);
  assert.equal(state.phase, 'talking');
});

test("the far side's refusal reaches the near side without a word of ours; a failure of ours is explained", () => {
  const refused = play([
    ...happyPath.slice(0, 2),
    { type: 'far-refused', status: 486, another: false, termination: busy },
  ]);
  assert.deepEqual(
    [releaseOf(refused.effects).near, releaseOf(refused.effects).status, releaseOf(refused.effects).explain],
    ['refuse', 486, false],
  );
  const failed = play([
    { type: 'arrived' },
    { type: 'failed', status: 503, termination: terminated('relay-unavailable') },
  ]);
  assert.equal(releaseOf(failed.effects).explain, true);
});

test('RFC 3263 §4.3: 503 before any ringing goes to the next target, a refusal or a ringing one does not', () => {
  const unreachable: CallEvent = {
    type: 'far-refused',
    status: 503,
    another: true,
    termination: terminated('far-side-unreachable'),
  };
  const dialling = happyPath.slice(0, 2);
  const next = play([...dialling, unreachable], 2);
  assert.deepEqual(next.effects.at(-1), { type: 'dial', candidate: 1 });
  assert.equal(play([...dialling, unreachable, unreachable], 2).state.phase, 'closing');
  assert.equal(play([...dialling, { type: 'progressed', status: 180 }, unreachable], 2).state.phase, 'closing');
  assert.equal(
    play([...dialling, { type: 'far-refused', status: 486, another: false, termination: busy }], 2).state.phase,
    'closing',
  );
});

const kindsOf = (sequence: readonly CallEvent[], plan: RecordingPlan) =>
  play(sequence, 1, plan).effects.map((effect) => effect.type);
const ringing: CallEvent = { type: 'progressed', status: 180 };
const recorded: CallEvent = { type: 'recorded' };

test('a recording starts beside the 200, or behind the first ringing, or beside the 200 if nobody rang', () => {
  const [arrived, opened, ...answer] = happyPath as [CallEvent, CallEvent, ...CallEvent[]];
  const rang = [arrived, opened, ringing, ringing, ...answer];
  const [relay, start] = ['relay-progress', 'start-recording'];
  const [first, last] = [
    ['open-media', 'dial'],
    ['answer-media', 'accept-near'],
  ];
  const announce = 'announce-answer';
  assert.deepEqual(kindsOf(rang, 'none'), [...first, relay, relay, ...last, announce]);
  assert.deepEqual(kindsOf(rang, 'at-answer'), [...first, relay, relay, ...last, start, announce]);
  assert.deepEqual(kindsOf(rang, 'at-ringing'), [...first, relay, start, relay, ...last, announce]);
  assert.deepEqual(kindsOf(happyPath, 'at-ringing'), [...first, ...last, start, announce]);
});

test('required: the caller is accepted once the call is recorded, however early or late that is', () => {
  const answered = happyPath.slice(0, 4);
  const late = play([...answered, recorded], 1, 'required');
  assert.deepEqual(
    late.effects.slice(-3).map((effect) => effect.type),
    ['await-recording', 'start-recording', 'accept-near'],
  );
  const [arrived, opened, ...answer] = answered as [CallEvent, CallEvent, ...CallEvent[]];
  const early = play([arrived, opened, ringing, recorded, ...answer], 1, 'required');
  assert.equal(early.state.phase, 'accepting');
  assert.ok(!early.effects.some((effect) => effect.type === 'await-recording'));
});

test('required: what fails while the far side waits refuses the caller and hangs up on the far side, recording included', () => {
  const termination = terminated('recording-required');
  const { effects } = play([...happyPath.slice(0, 4), { type: 'failed', status: 503, termination }], 1, 'required');
  const release = releaseOf(effects);
  assert.deepEqual(
    [release.near, release.status, release.explain, release.far, release.recording],
    ['refuse', 503, true, 'bye', true],
  );
});

const anyPlan = fc.constantFrom<RecordingPlan>('none', 'at-answer', 'at-ringing', 'required');

test('every event in every reachable state is taken without a throw', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...events), { maxLength: 12 }), anyPlan, (sequence, plan) => {
      const { state } = play(sequence, 2, plan);
      for (const event of events) stepCall(state, event);
    }),
  );
});

test('whatever the order of events: one release, one termination, no step after it, each leg given back at most once', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...events), { maxLength: 40 }), anyPlan, (sequence, plan) => {
      const { state, effects, begun } = play(
        [...sequence, { type: 'failed', status: 500, termination: terminated('internal') }, { type: 'released' }],
        3,
        plan,
      );
      assert.equal(state.phase, 'ended');
      const kinds = effects.map((effect) => effect.type);
      assert.equal(kinds.filter((kind) => kind === 'release').length, 1);
      assert.equal(kinds.filter((kind) => kind === 'announce-end').length, 1);
      assert.deepEqual(kinds.slice(kinds.indexOf('release')), ['release', 'announce-end']);
      const release = releaseOf(effects);
      assert.equal(release.termination, state.termination);
      if (!kinds.includes('dial')) assert.equal(release.far, 'none');
      if (!kinds.includes('announce-answer')) assert.notEqual(release.near, 'bye');
      assert.equal(begun, release.recording ? 1 : 0);
      if (plan === 'required' && kinds.includes('accept-near'))
        assert.ok(sequence.some(({ type }) => type === 'recorded'));
    }),
    { numRuns: 2_000 },
  );
});
