import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ForkHistory, type ForkLimits, type ForkSample, firstLook, nextLook } from './fork-condition.js';

const limits = { stalledAfterMs: 6_000, silentAfterMs: 15_000 };
const everyMs = 3_000;

/** What a look adds to the counters: what each party sent, what of it failed (undefined: not forked), what the recorder sent. */
interface Step {
  readonly came: readonly number[];
  readonly failed?: readonly (number | undefined)[];
  readonly returned?: number;
}

/** The history after these steps, a look each. */
function after(steps: readonly Step[], by: ForkLimits = limits): ForkHistory {
  let sample: ForkSample = { atMs: 0, lines: [0, 1].map(() => ({ came: 100, failed: 2 })), returned: 1 };
  let history = firstLook(sample);
  for (const { came, failed, returned = 0 } of steps) {
    const lines = sample.lines.map((line, index) => {
      const more = failed === undefined ? 0 : failed[index];
      return {
        came: line.came + (came[index] ?? 0),
        failed: more === undefined ? undefined : (line.failed ?? 0) + more,
      };
    });
    sample = { atMs: sample.atMs + everyMs, lines, returned: sample.returned + returned };
    history = nextLook(history, sample, by);
  }
  return history;
}

const times = (count: number, step: Step): Step[] => Array.from({ length: count }, () => step);
const both: Step = { came: [150, 150] };
const reporting: Step = { ...both, returned: 1 };

test('what leaves flows, some of it failing or not', () => {
  assert.equal(after(times(20, both)).condition, 'flowing');
  assert.equal(after(times(20, { ...both, failed: [149, 0] })).condition, 'flowing');
});

for (const [what, step] of [
  ['that fails to be sent', { came: [150, 150], failed: [0, 150] }],
  ['that the engine does not fork', { came: [150, 150], failed: [0, undefined] }],
  ['that fails while the other party is silent', { came: [0, 150], failed: [0, 150] }],
] satisfies [string, Step][]) {
  test(`one voice ${what} is a stall since nothing of it left, not before ${limits.stalledAfterMs} ms`, () => {
    assert.equal(after([...times(5, both), step]).condition, 'flowing');
    const { condition, sinceMs } = after([...times(5, both), ...times(2, step)]);
    assert.deepEqual([condition, sinceMs], ['stalled', 5 * everyMs]);
    assert.equal(after([...times(5, both), ...times(2, step), both]).condition, 'flowing');
  });
}

test('a party that sends nothing makes no stall: hold, mute, silence suppression', () => {
  for (const failed of [
    [0, 0],
    [undefined, undefined],
  ] as const)
    assert.equal(after([...times(5, both), ...times(100, { came: [0, 0], failed })]).condition, 'flowing');
});

for (const [what, forked] of [
  ['fails', true],
  ['is not forked any more', false],
] as const)
  test(`with a look each 2 s, a voice that ${what} is told after 6.5 s at the latest, whenever it began and however looks jitter`, () => {
    const told = (starvedMs: number, jitterMs: number) => {
      // 50 packets a second, of which none leaves from then on.
      const sampleAt = (atMs: number): ForkSample => {
        const lost = Math.max(0, atMs - starvedMs) / 20;
        return { atMs, lines: [{ came: atMs / 20, failed: forked || lost === 0 ? lost : undefined }], returned: 0 };
      };
      let [history, look] = [firstLook(sampleAt(0)), 0];
      while (history.condition === 'flowing' && look < 9) {
        look += 1;
        const atMs = look * 2_000 + (look % 3) * jitterMs;
        history = nextLook(history, sampleAt(atMs), { ...limits, stalledAfterMs: 3_000 });
      }
      return history.last.atMs - starvedMs;
    };
    for (let starvedMs = 0; starvedMs < 2_000; starvedMs += 20)
      for (const jitterMs of [0, 120]) assert.ok(told(starvedMs, jitterMs) <= 6_500, `starved at ${starvedMs} ms`);
  });

test('a stall does not end because the party stops sending', () => {
  const stuck: Step = { came: [150, 150], failed: [0, 150] };
  assert.equal(after([...times(3, stuck), ...times(9, { came: [150, 0] })]).condition, 'stalled');
});

test('a recorder that has never sent RTCP, or only once, is never silent', () => {
  assert.equal(after(times(100, both)).condition, 'flowing');
  assert.equal(after([reporting, ...times(100, both)]).condition, 'flowing');
});

test('one that used to send it is silent since it was heard last, not before the limit', () => {
  const heard = times(3, reporting);
  assert.equal(after([...heard, ...times(4, both)]).condition, 'flowing');
  const { condition, sinceMs } = after([...heard, ...times(5, both)]);
  assert.deepEqual([condition, sinceMs], ['recorder-silent', 3 * everyMs]);
  assert.equal(after([...heard, ...times(5, both), reporting]).condition, 'flowing');
});

test('one that reports seldom has three times its longest interval', () => {
  const seldom = times(3, both).concat(reporting);
  const heard = [...seldom, ...seldom];
  assert.equal(after([...heard, ...times(11, both)]).condition, 'flowing');
  assert.equal(after([...heard, ...times(12, both)]).condition, 'recorder-silent');
});

test('while nothing leaves, the silence of a recorder does not count', () => {
  assert.equal(after([...times(3, reporting), ...times(100, { came: [0, 0] })]).condition, 'flowing');
});

test('where the configuration says off, recorders may fall silent', () => {
  const off = { stalledAfterMs: 6_000, silentAfterMs: undefined };
  assert.equal(after([...times(3, reporting), ...times(100, both)], off).condition, 'flowing');
});

test('counters that are set back, or lines that come or go, prove nothing', () => {
  const before = after(times(3, { came: [150, 150], failed: [0, 150] }));
  assert.equal(before.condition, 'stalled');
  for (const sample of [
    { atMs: 60_000, lines: before.last.lines.map(() => ({ came: 0, failed: 0 })), returned: 0 },
    { atMs: 60_000, lines: before.last.lines.slice(1), returned: before.last.returned },
  ]) {
    const history = nextLook(before, sample, limits);
    assert.deepEqual(
      [history.condition, history.stuckSinceMs.some((since) => since !== undefined)],
      ['stalled', false],
    );
    const next = nextLook(history, { ...sample, atMs: 63_000 }, limits);
    assert.equal(next.condition, 'flowing');
  }
});
