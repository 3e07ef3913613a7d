import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { after, test } from 'node:test';
import type { Target, Trunk } from '@sidestream/routing';
import { SidestreamError } from '@sidestream/service';
import { FakeWorld, silent } from '../testing/fake-world.js';
import { Keepalive } from './keepalive.js';
import { TargetStates } from './target-states.js';

// Nothing of what is watched keeps a process alive.
const alive = setInterval(() => {}, 1_000);
after(() => clearInterval(alive));

function targets(keepalive: unknown): (Target & { readonly trunk: Trunk })[] {
  const world = new FakeWorld();
  world.contactCentre = { targets: ['sip:192.0.2.9', 'sip:192.0.2.9', 'sip:b'], keepalive };
  // Shorter than any configuration may have it.
  return world.candidates().map((target) => {
    const { config } = target.trunk;
    const fast = config.keepalive && { ...config.keepalive, intervalMs: 10 };
    return { ...target, trunk: { ...target.trunk, config: { ...config, keepalive: fast } } };
  });
}

/** Asks with answers in the order of this list; of `b` always 200. */
function watch(answers: readonly (number | Error)[], keepalive: unknown = {}) {
  const of = targets(keepalive);
  const states = new TargetStates(() => performance.now());
  const bus = new EventEmitter();
  const asked: string[] = [];
  const trunking = {
    options: async (uri: string, _protocol: string, signal: AbortSignal) => {
      asked.push(uri);
      if (uri === 'sip:b') return 200;
      const answer = answers[asked.filter((one) => one === uri).length - 1];
      if (answer === undefined) {
        bus.emit('done');
        if (!signal.aborted) await once(signal, 'abort');
        throw signal.reason;
      }
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  const keeper = new Keepalive({ targets: of, trunking, states, log: silent, random: () => 0 });
  const done = once(bus, 'done');
  keeper.start();
  return { keeper, states, asked, done, target: of[0] as Target };
}

for (const [what, answers, up] of [
  ['two answers that do not come', [new Error('late'), new Error('late')], false],
  ['503 and 408 like none', [503, 408], false],
  ['one alone', [200, new Error('late')], true],
  ['404, the answer of a living one', [404, 405, 481], true],
  ['an answer after it was down', [408, 408, 408, 200], true],
  [
    'an edge that is away: nobody could ask',
    [new SidestreamError('not-ready', 'away'), new SidestreamError('not-ready', 'away')],
    true,
  ],
] as const) {
  test(`${what}: the target is ${up ? 'up' : 'down'}`, async () => {
    const { keeper, states, done, target } = watch(answers);
    await done;
    keeper.stop();
    assert.equal(states.isUp(target), up);
  });
}

test('a target is asked once at a time, however many trunks have it, and no more after stop()', async () => {
  const { keeper, asked, done } = watch([200, 200]);
  await done;
  assert.deepEqual(
    asked.filter((uri) => uri !== 'sip:b'),
    ['sip:192.0.2.9', 'sip:192.0.2.9', 'sip:192.0.2.9'],
  );
  keeper.stop();
  const before = asked.length;
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(asked.length, before);
});

test('a trunk without keepalive hears no OPTIONS', () => {
  assert.deepEqual(watch([], 'off').asked, []);
});
