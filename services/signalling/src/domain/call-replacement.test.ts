// INVITE with Replaces (RFC 3891): a newcomer takes the place of the callee of a call that is up, the far side.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SidestreamError } from '@sidestream/service';
import { parseUri } from '@sidestream/sip';
import { FakeLeg } from '../testing/fake-leg.js';
import { type FakeWorld, silent } from '../testing/fake-world.js';
import { talking } from '../testing/referral.js';
import { replaceLeg } from './call-replacement.js';
import type { IncomingInvite } from './ports.js';
import { terminated } from './termination.js';

/** Dave's INVITE, with what he heard. */
function daves(world: FakeWorld, sdp: string, o: { ack?: string; cancelled?: boolean } = {}) {
  const heard: string[] = [];
  const accept = async (answer: string) => {
    await world.step('accept newcomer');
    if (o.cancelled) throw new SidestreamError('cancelled', 'CANCEL won');
    heard.push(`200 ${answer}`);
    return new FakeLeg(world, 'newcomer');
  };
  const invite: IncomingInvite = {
    ...world.invite,
    sdp,
    cancelled: new AbortController().signal,
    header: () => undefined,
    accept,
    acceptWithOffer: async (offer) => ({ leg: await accept(offer), answer: Promise.resolve(o.ack ?? '') }),
    refuse: async (status) => void heard.push(String(status)),
  };
  return { invite, heard };
}

/** A recorded call, and Dave, who is to take the far side's place. */
async function replaced(sdp: string, o: Parameters<typeof daves>[2] & { prepare?: (world: FakeWorld) => void } = {}) {
  const up = await talking();
  const { world, call } = up;
  o.prepare?.(world);
  const dave = daves(world, sdp, o);
  const by = call.transferable.members.trunkOf('far');
  const newcomer = { uri: parseUri('sip:+15550009@pbx'), name: 'Dave', by };
  const over = replaceLeg({ call: call.transferable, side: 'far' }, dave.invite, newcomer, silent);
  return { ...up, ...dave, over };
}

test('RFC 3891 §3: the newcomer takes the place of the leg, which is hung up on; the recorder hears of it', async () => {
  const { world, call, near, heard, over } = await replaced('dave offer');
  await over;
  assert.deepEqual(heard, ['200 answer relayed of answer to re-INVITE']);
  assert.deepEqual(near.reinvites, ['offer relayed of dave offer']);
  assert.ok(world.did.includes('bye far'));
  assert.ok(world.did.includes('parties told'));
  assert.equal(world.count('callTransferred seller +15550009'), 1);
  assert.equal(call.phase, 'talking');
  near.hangUp();
  await call.ended;
  assert.ok(world.did.includes('bye newcomer'));
  assert.deepEqual([...world.held.keys()], []);
  assert.equal(world.count('recordingEnded'), 1);
});

test('RFC 3264 §5: a newcomer without an offer gets ours, and its answer in the ACK goes to the other party', async () => {
  const { world, call, near, heard, over } = await replaced('', { ack: 'dave answer' });
  await over;
  assert.deepEqual(heard, ['200 offer relayed of near offer']);
  assert.deepEqual(near.reinvites, ['offer relayed of dave answer']);
  assert.ok(world.did.includes('bye far'));
  near.hangUp();
  await call.ended;
  assert.deepEqual([...world.held.keys()], []);
});

for (const [what, sdp, options, status] of [
  [
    'the other party refuses its media',
    'dave offer',
    {
      prepare: (world: FakeWorld) => {
        if (world.near) world.near.reinviteAnswer = { status: 488, reason: '', sdp: '' };
      },
    },
    '488',
  ],
  ['its CANCEL is faster than our 200', 'dave offer', { cancelled: true }, '487'],
  ['its ACK has no answer', '', {}, '488'],
] as const) {
  test(`a newcomer does not come, because ${what}: the call stays as it was`, async () => {
    const { world, call, far, heard, over } = await replaced(sdp, options);
    await over;
    assert.equal(heard.at(-1), status);
    assert.equal(call.phase, 'talking');
    assert.ok(!world.did.includes('bye far'));
    assert.ok(world.did.slice(-4).includes('media update seller far answer'), 'the relay has heard again what holds');
    far.hangUp();
    await call.ended;
    assert.deepEqual([...world.held.keys()], []);
  });
}

test('a party that leaves while another one comes in its place leaves the call to that one; if none comes, the call ends', async () => {
  for (const cancelled of [false, true]) {
    const { world, call, near, over } = await replaced('dave offer', {
      cancelled,
      prepare: (world) => {
        world.onStep = (name) => name === 'reinvite near' && world.far?.hangUp();
      },
    });
    await over;
    if (!cancelled) near.hangUp();
    await call.ended;
    assert.equal(world.terminationOf('callEnded')?.reason, 'hangup');
    assert.deepEqual([...world.held.keys()], []);
  }
});

test('at any step of it the call ends: the newcomer is sent away, everything is given back', async () => {
  for (const sdp of ['dave offer', '']) {
    const run = async (at: number) => {
      const { world, call, over } = await replaced(sdp, {
        ack: 'dave answer',
        prepare: (world) => {
          const from = world.steps.length;
          world.onStep = (_name, index) => index - from === at && running.close();
        },
      });
      const before = world.steps.length;
      const running = { close: () => call.close(terminated('drained')) };
      await over;
      call.close(terminated('drained'));
      await call.ended;
      assert.deepEqual([...world.held.keys()], [], `step ${at}`);
      assert.equal(world.count('callEnded'), 1);
      return world.steps.length - before;
    };
    const steps = await run(-1);
    for (let at = 1; at < steps; at += 1) await run(at);
  }
});
