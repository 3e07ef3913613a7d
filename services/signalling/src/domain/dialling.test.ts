import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { SidestreamError } from '@sidestream/service';
import { FakeWorld } from '../testing/fake-world.js';
import { dialWithin, mayTryNext } from './dialling.js';
import type { OutgoingInvite, Trunking } from './ports.js';

/** What each target does when it is called. */
type Target = (
  invite: OutgoingInvite,
  signal: AbortSignal,
  answers: Trunking['invite'],
) => ReturnType<Trunking['invite']>;

const refuses =
  (status: number): Target =>
  () =>
    Promise.resolve({ kind: 'refused', status, reason: '' });
const isSilent: Target = async (_invite, signal) => {
  if (!signal.aborted) await once(signal, 'abort');
  throw signal.reason;
};
const ringsThenRefuses =
  (status: number): Target =>
  (invite, signal, answer) => {
    invite.onProgress(180, '', 'a');
    return refuses(status)(invite, signal, answer);
  };
const answers: Target = (invite, signal, answer) => answer(invite, signal);
const cannotBeSent: Target = () => Promise.reject(new SidestreamError('not-ready', 'no such transport'));

/** A call to targets that do this in their order: whom it reached, and what became of it. */
async function called(targets: readonly Target[], failover: object = {}) {
  const world = new FakeWorld();
  world.contactCentre = {
    targets: ['sip:192.0.2.9', ...targets.slice(1).map((_, index) => `sip:t${index + 1}`)],
    failover,
  };
  const { invite } = world.trunking;
  const reached: string[] = [];
  Object.assign(world.trunking, {
    invite: (...[outgoing, signal]: Parameters<typeof invite>) => {
      const target = targets[reached.push(outgoing.uri.replace(/^.*@/, '')) - 1];
      assert.ok(target);
      return target(outgoing, signal, invite);
    },
  });
  const call = world.call([]);
  call.start();
  await world.until(() => world.count('callAnswered') + world.count('callEnded') > 0);
  if (call.phase === 'talking') world.near?.hangUp();
  await call.ended;
  assert.deepEqual([...world.held.keys()], []);
  return { reached, answered: world.count('callAnswered') === 1, did: world.did, there: world.targets };
}

for (const [what, first, failover, tried] of [
  ['503: it cannot take the call', refuses(503), {}, true],
  ['500 of a gateway', refuses(500), {}, true],
  ['408 of a dead one', refuses(408), {}, true],
  ['no response at all within the time-out', isSilent, { timeout: '500ms' }, true],
  ['an edge that cannot send it there', cannotBeSent, {}, true],
  ['a status that is configured', refuses(480), { statuses: [480] }, true],
  ['a status that is no more configured', refuses(503), { statuses: [480] }, false],
  ['busy', refuses(486), {}, false],
  ['busy everywhere', refuses(600), {}, false],
  ['declined', refuses(603), {}, false],
  ['a number that is not there', refuses(404), {}, false],
  ['a target that has rung and then fails', ringsThenRefuses(503), {}, false],
] as const) {
  test(`RFC 3263 §4.3: after ${what} the next target is ${tried ? '' : 'not '}tried`, async () => {
    const { reached, answered, did } = await called([first, answers], failover);
    assert.deepEqual(reached, tried ? ['192.0.2.9', 't1'] : ['192.0.2.9']);
    assert.equal(answered, tried, did.join());
  });
}

test('the last target may take its time, and its refusal is what the caller hears', async () => {
  const { reached, did } = await called([refuses(503), refuses(500)]);
  assert.deepEqual([reached, did], [['192.0.2.9', 't1'], ['refuse 500']]);
  const isSlow: Target = async (invite, signal, answer) => {
    await new Promise((resolve) => setTimeout(resolve, 700));
    return answer(invite, signal);
  };
  assert.equal((await called([isSlow], { timeout: '500ms' })).answered, true);
});

test('a target that rings too long is cancelled, and so is what the call itself gives up', async () => {
  const invite = {
    trunk: '',
    uri: '',
    protocol: 'udp',
    headers: {},
    sdp: '',
    onSent: () => {},
    onProgress: () => {},
  } as const;
  const silent = {
    invite: (...[outgoing, signal]: Parameters<Trunking['invite']>) => isSilent(outgoing, signal, () => assert.fail()),
  };
  const never = new AbortController().signal;
  assert.deepEqual(await dialWithin(silent, invite, { answerMs: 1, responseMs: undefined }, never), {
    kind: 'refused',
    status: 480,
    reason: 'no answer',
  });
  const gone = new SidestreamError('cancelled', 'gone');
  const limits = { answerMs: 60_000, responseMs: 60_000 };
  await assert.rejects(dialWithin(silent, invite, limits, AbortSignal.abort(gone)), gone);
});

test('a target is there if it answers or rings, whatever it says then; it is not after silence or 503', async () => {
  const { there } = await called([isSilent, refuses(503), refuses(500), answers], { timeout: '500ms' });
  assert.deepEqual([...there.values()], [false, false, true, true]);
  assert.deepEqual([...(await called([ringsThenRefuses(408)])).there.values()], [true]);
});

test('no configuration makes a call look elsewhere after a busy or a 6xx', () => {
  const [candidate] = new FakeWorld().candidates();
  assert.ok(candidate);
  const statuses = [486, 600, 603, 503];
  const config = { ...candidate.trunk.config, failover: { statuses, timeoutMs: 1 } };
  const permissive = { ...candidate, trunk: { ...candidate.trunk, config } };
  assert.deepEqual(
    statuses.map((status) => mayTryNext(permissive, status)),
    [false, false, false, true],
  );
});
