import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type CallEffect, type CallEvent, type CallState, newCall, stepCall } from './call-state.js';
import { terminated } from './termination.js';

const hangup = terminated('hangup');
const busy = terminated('busy');
const events: CallEvent[] = [
  { type: 'arrived' },
  { type: 'media-opened' },
  { type: 'progressed', status: 180 },
  { type: 'far-answered' },
  { type: 'far-refused', status: 486, termination: busy },
  { type: 'far-refused', status: 503, termination: terminated('far-side-unreachable') },
  { type: 'media-answered' },
  { type: 'near-accepted' },
  { type: 'cancelled', termination: terminated('cancelled') },
  { type: 'near-over', termination: hangup },
  { type: 'far-over', termination: hangup },
  { type: 'failed', status: 503, termination: terminated('relay-unavailable') },
  { type: 'released' },
];
const happyPath: CallEvent[] = ['arrived', 'media-opened', 'far-answered', 'media-answered', 'near-accepted'].map(
  (type) => ({ type }) as CallEvent,
);

function play(sequence: readonly CallEvent[], candidates = 1): { state: CallState; effects: CallEffect[] } {
  let state = newCall(candidates);
  const effects: CallEffect[] = [];
  for (const event of sequence) {
    const step = stepCall(state, event);
    state = step.state;
    effects.push(...step.effects);
  }
  return { state, effects };
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
  const refused = play([...happyPath.slice(0, 2), { type: 'far-refused', status: 486, termination: busy }]);
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
  const unreachable: CallEvent = { type: 'far-refused', status: 503, termination: terminated('far-side-unreachable') };
  const dialling = happyPath.slice(0, 2);
  const next = play([...dialling, unreachable], 2);
  assert.deepEqual(next.effects.at(-1), { type: 'dial', candidate: 1 });
  assert.equal(play([...dialling, unreachable, unreachable], 2).state.phase, 'closing');
  assert.equal(play([...dialling, { type: 'progressed', status: 180 }, unreachable], 2).state.phase, 'closing');
  assert.equal(play([...dialling, { type: 'far-refused', status: 486, termination: busy }], 2).state.phase, 'closing');
});

test('every event in every reachable state is taken without a throw', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...events), { maxLength: 12 }), (sequence) => {
      const { state } = play(sequence, 2);
      for (const event of events) stepCall(state, event);
    }),
  );
});

test('whatever the order of events: one release, one termination, no step after it, each leg given back at most once', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...events), { maxLength: 40 }), (sequence) => {
      const { state, effects } = play(
        [...sequence, { type: 'failed', status: 500, termination: terminated('internal') }, { type: 'released' }],
        3,
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
    }),
    { numRuns: 2_000 },
  );
});
