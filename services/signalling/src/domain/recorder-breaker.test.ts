import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  admits,
  type BreakerEvent,
  type BreakerPhase,
  type BreakerState,
  breakerLimits,
  newBreaker,
  type Standing,
  standingOf,
  stepBreaker,
} from './recorder-breaker.js';

const unreachable = { type: 'failed', proof: 'link', definite: false } as const;
const wrongName = { type: 'failed', proof: 'link', definite: true } as const;
const refused = { type: 'failed', proof: 'invite', definite: false } as const;
const forbidden = { type: 'failed', proof: 'invite', definite: true } as const;
const busy = { type: 'failed', proof: 'invite', definite: false, retryAfterMs: 5_000 } as const;
const alive = { type: 'alive' } as const;
const accepted = { type: 'accepted' } as const;
const begun = { type: 'trial-begun' } as const;
const ended = { type: 'trial-ended' } as const;

/** Events at their times; the random number in the middle makes a backoff exact. */
function after(...steps: readonly (readonly [nowMs: number, event: BreakerEvent])[]): BreakerState {
  return steps.reduce((state, [nowMs, event]) => stepBreaker(state, event, nowMs, 0.5), newBreaker);
}

type Row = readonly [
  behaviour: string,
  steps: readonly (readonly [number, BreakerEvent])[],
  atMs: number,
  phase: BreakerPhase,
  standing: Standing,
];

const table: readonly Row[] = [
  [
    'two failures change nothing',
    [
      [0, refused],
      [1, refused],
    ],
    2,
    'closed',
    'usable',
  ],
  [
    'the third in a row opens it',
    [
      [0, refused],
      [1, refused],
      [2, refused],
    ],
    3,
    'open',
    'doubtful',
  ],
  [
    'a success between them starts the count anew',
    [
      [0, refused],
      [1, refused],
      [2, accepted],
      [3, refused],
    ],
    4,
    'closed',
    'usable',
  ],
  [
    'failures of the way and of INVITEs are counted apart',
    [
      [0, refused],
      [1, refused],
      [2, unreachable],
    ],
    3,
    'closed',
    'usable',
  ],
  [
    'an answer to OPTIONS takes failures of the way back',
    [
      [0, unreachable],
      [1, unreachable],
      [2, alive],
      [3, unreachable],
    ],
    4,
    'closed',
    'usable',
  ],
  [
    '… but none of INVITEs',
    [
      [0, refused],
      [1, refused],
      [2, alive],
      [3, refused],
    ],
    4,
    'open',
    'doubtful',
  ],
  ['a refused certificate opens it at once', [[0, wrongName]], 1, 'open', 'doubtful'],
  ['401 or 403 opens it at once', [[0, forbidden]], 1, 'open', 'doubtful'],
  ['Retry-After opens it at once, and is kept', [[0, busy]], 4_999, 'open', 'resting'],
  ['after Retry-After it may be tried', [[0, busy]], 5_000, 'open', 'doubtful'],
  [
    'an answer before the backoff is over changes nothing',
    [
      [0, wrongName],
      [999, alive],
    ],
    1_000,
    'open',
    'doubtful',
  ],
  [
    'an answer after it closes what was the way',
    [
      [0, wrongName],
      [1_000, alive],
    ],
    1_001,
    'closed',
    'usable',
  ],
  [
    'an answer after it half-opens what was INVITEs',
    [
      [0, forbidden],
      [1_000, alive],
    ],
    1_001,
    'half-open',
    'usable',
  ],
  [
    'half-open: one trial at a time comes first',
    [
      [0, forbidden],
      [1_000, alive],
      [1_001, begun],
    ],
    1_002,
    'half-open',
    'doubtful',
  ],
  [
    'half-open: the trial that ends makes room',
    [
      [0, forbidden],
      [1_000, alive],
      [1_001, begun],
      [1_002, ended],
    ],
    1_003,
    'half-open',
    'usable',
  ],
  [
    'half-open: a success closes it',
    [
      [0, forbidden],
      [1_000, alive],
      [1_001, accepted],
    ],
    1_002,
    'closed',
    'usable',
  ],
  [
    'half-open: one failure opens it again',
    [
      [0, forbidden],
      [1_000, alive],
      [1_001, refused],
    ],
    1_002,
    'open',
    'doubtful',
  ],
  [
    'an INVITE that nobody better could take closes it',
    [
      [0, wrongName],
      [1, accepted],
    ],
    2,
    'closed',
    'usable',
  ],
];

for (const [behaviour, steps, atMs, phase, standing] of table) {
  test(`breaker: ${behaviour}`, () => {
    const state = after(...steps);
    assert.deepEqual([state.phase, standingOf(state, atMs)], [phase, standing]);
  });
}

test('the backoff doubles with every opening, up to a bound, and late failures of one outage count once', () => {
  let state = newBreaker;
  let nowMs = 0;
  const waits: number[] = [];
  for (let i = 0; i < 8; i += 1) {
    state = stepBreaker(state, wrongName, nowMs, 0.5);
    const late = stepBreaker(state, wrongName, state.probeAtMs - 1, 0.5);
    assert.equal(late.probeAtMs, state.probeAtMs);
    waits.push(state.probeAtMs - nowMs);
    nowMs = state.probeAtMs;
  }
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
});

test('the backoff is spread by a fifth either way', () => {
  assert.equal(stepBreaker(newBreaker, wrongName, 0, 0).probeAtMs, 800);
  assert.ok(stepBreaker(newBreaker, wrongName, 0, 0.999).probeAtMs > 1_190);
});

test('a Retry-After of a day is granted in part', () => {
  const state = stepBreaker(newBreaker, { ...busy, retryAfterMs: 86_400_000 }, 0, 0.5);
  assert.equal(state.restUntilMs, breakerLimits.maxRestMs);
  assert.equal(state.probeAtMs, breakerLimits.maxRestMs);
});

test('while it is open a bounded number of INVITEs goes out, and none while the recorder rests', () => {
  let state = after([0, wrongName]);
  for (let i = 0; i < breakerLimits.trials; i += 1) {
    assert.ok(admits(state, 1));
    state = stepBreaker(state, begun, 1, 0.5);
  }
  assert.equal(admits(state, 1), false);
  assert.ok(admits(stepBreaker(state, ended, 1, 0.5), 1));
  assert.equal(admits(after([0, busy]), 4_999), false);
});

test('property: whatever happens, a probe is due within the bounds, and a success closes it', () => {
  const event = fc.constantFrom<BreakerEvent>(
    unreachable,
    wrongName,
    refused,
    forbidden,
    busy,
    alive,
    accepted,
    begun,
    ended,
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(60_000), event, fc.double({ min: 0, max: 0.999, noNaN: true }))), (steps) => {
      let state = newBreaker;
      let nowMs = 0;
      for (const [waitMs, what, random] of steps) {
        nowMs += waitMs;
        state = stepBreaker(state, what, nowMs, random);
        assert.ok(state.probeAtMs <= nowMs + breakerLimits.maxBackoffMs * 1.2);
        assert.ok(state.trials >= 0);
        assert.equal(stepBreaker(state, accepted, nowMs, random).phase, 'closed');
      }
    }),
  );
});
