import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orderRecorders, type RecorderCandidate } from './recorder-choice.js';

function candidate(recorder: string, place: number, over: Partial<RecorderCandidate> = {}): RecorderCandidate {
  return { recorder, place, sessions: 0, maxSessions: Number.POSITIVE_INFINITY, standing: 'usable', ...over };
}

const doubtful = { standing: 'doubtful' } as const;
const resting = { standing: 'resting' } as const;
const full = { sessions: 5, maxSessions: 5 };

for (const [behaviour, candidates, expected] of [
  [
    'the configured order, whatever the load',
    [candidate('a', 0, { sessions: 9 }), candidate('b', 1), candidate('c', 2)],
    ['a', 'b', 'c'],
  ],
  [
    'equals by least sessions, within their place',
    [candidate('a', 0, { sessions: 9 }), candidate('b', 1, { sessions: 2 }), candidate('c', 1, { sessions: 1 })],
    ['a', 'c', 'b'],
  ],
  [
    'doubtful ones last, resting ones after them, none removed',
    [candidate('a', 0, resting), candidate('b', 1, doubtful), candidate('c', 2)],
    ['c', 'b', 'a'],
  ],
  [
    'all doubtful: the configured order again, so that the first is the one to try',
    [candidate('b', 1, doubtful), candidate('a', 0, doubtful)],
    ['a', 'b'],
  ],
  ['a full one is skipped', [candidate('a', 0, full), candidate('b', 1)], ['b']],
  ['a full one is skipped for a doubtful one too', [candidate('a', 0, full), candidate('b', 1, doubtful)], ['b']],
  ['all full: the first remains, to say so', [candidate('a', 0, full), candidate('b', 1, full)], ['a']],
  ['no recorders: nothing to try', [], []],
] as const) {
  test(`recorders to try: ${behaviour}`, () =>
    assert.deepEqual(
      orderRecorders(candidates, () => 0.5),
      expected,
    ));
}

test('equals of equal load share the calls', () => {
  const firsts = new Set<string | undefined>();
  const numbers = [0.1, 0.9, 0.9, 0.1];
  for (let i = 0; i < 2; i += 1) {
    firsts.add(orderRecorders([candidate('a', 0), candidate('b', 0)], () => numbers.shift() ?? 0)[0]);
  }
  assert.deepEqual([...firsts].sort(), ['a', 'b']);
});
