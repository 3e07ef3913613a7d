// Attended transfer of two calls that are up (RFC 5589 §7, RFC 3891): who refers is the callee of both, the far side.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FakeLeg } from '../testing/fake-leg.js';
import { FakeWorld } from '../testing/fake-world.js';
import { refer, talking } from '../testing/referral.js';
import { terminated } from './termination.js';

/** Refer-To with the dialog that this leg is. */
function replacing({ dialog: { sipCallId, localTag, remoteTag } }: Pick<FakeLeg, 'dialog'>, more = ''): string {
  const replaces = `${sipCallId};to-tag=${localTag};from-tag=${remoteTag}${more}`;
  return `<sip:+15550009@sbc?Replaces=${encodeURIComponent(replaces)}>`;
}

/** Bob's call, in which the reference comes, and Carol's. */
async function twoCalls(recorded: { bob?: string[]; carol?: string[] } = {}) {
  const bob = await talking(recorded.bob ?? ['sip:r1'], new FakeWorld('bob'));
  const carol = await talking(recorded.carol ?? [], new FakeWorld('carol'));
  bob.world.calls = [bob.call, carol.call];
  const nothingIsHeld = (message?: string) =>
    assert.deepEqual([...bob.world.held.keys(), ...carol.world.held.keys()], [], message);
  return { bob, carol, nothingIsHeld };
}

test('RFC 5589 §7.1: the call goes on with the party of the other call, which ends as transferred; both dialogs of who referred end', async () => {
  const { bob, carol, nothingIsHeld } = await twoCalls();
  const { referral, heard, until } = refer(replacing(carol.far));
  bob.far.handlers?.refer(referral);
  await until(200);
  assert.deepEqual(heard, ['accepted', 100, 200]);
  await carol.call.ended;
  assert.equal(carol.world.terminationOf('callEnded')?.reason, 'transferred');
  assert.ok(carol.world.did.includes('bye far'));
  assert.ok(!carol.world.did.includes('bye near'), 'she is in the other call now');
  assert.deepEqual(carol.near.reinvites, ['offer relayed of near offer']);
  assert.equal(bob.near.reinvites.at(-1), 'offer relayed of answer to re-INVITE');
  assert.equal(bob.world.count('callTransferred seller +15559999'), 1);
  assert.ok(bob.world.did.includes('parties told'), 'the recorder hears of the new party');
  bob.far.hangUp();
  assert.equal(bob.call.phase, 'talking', 'the end of the replaced dialog is not the end of the call');
  carol.near.hangUp();
  await bob.call.ended;
  nothingIsHeld();
  assert.equal(bob.world.terminationOf('callEnded')?.reason, 'hangup');
  assert.ok(bob.world.did.includes('bye near'));
  assert.deepEqual([bob.world.count('recordingEnded'), bob.world.count('recordingStarted')], [1, 1]);
});

test('the call that is recorded goes on, although the reference came in the other one', async () => {
  const { bob, carol } = await twoCalls({ bob: [], carol: ['sip:r1'] });
  // Who is the seller of Bob's call would not be recorded; who comes into Carol's would.
  bob.world.newSellerListed = false;
  const { regard } = bob.world.referrals;
  bob.world.referrals.regard = (call, ...newcomer) =>
    call.callId === carol.call.id ? carol.world.referrals.regard(call, ...newcomer) : regard(call, ...newcomer);
  const { referral, heard, until } = refer(replacing(carol.far));
  bob.far.handlers?.refer(referral);
  await until(200);
  await bob.call.ended;
  assert.deepEqual(heard, ['accepted', 100, 200]);
  assert.equal(bob.world.terminationOf('callEnded')?.reason, 'transferred');
  assert.equal(carol.call.phase, 'talking');
  assert.equal(carol.world.count('callTransferred seller +15559999'), 1);
  assert.ok(carol.world.did.includes('parties told'));
  carol.near.hangUp();
  await carol.call.ended;
  assert.ok(carol.world.did.includes('bye far'), 'the replaced dialog has ended, too');
  assert.ok(bob.world.did.includes('bye near'), 'and Bob is hung up on at last');
  assert.equal(carol.world.count('recordingEnded'), 1);
});

test('of two recorded calls one goes on, and the recording of the other one ends with its call', async () => {
  const { bob, carol } = await twoCalls({ carol: ['sip:r1'] });
  const { referral, until } = refer(replacing(carol.far));
  bob.far.handlers?.refer(referral);
  await until(200);
  await carol.call.ended;
  const ended = carol.world.terminationOf('recordingEnded');
  assert.equal(ended?.reason, 'call-ended');
  assert.match(ended.detail, /transferred/);
  assert.equal(bob.world.count('recordingEnded'), 0);
  bob.near.hangUp();
  await bob.call.ended;
  assert.equal(bob.world.count('recordingEnded'), 1);
});

test('who refers and hangs up both calls at once leaves them to the others', async () => {
  const { bob, carol } = await twoCalls();
  const { referral, until } = refer(replacing(carol.far));
  bob.world.onStep = (name) => {
    if (name !== 'media update') return;
    bob.world.onStep = undefined;
    bob.far.hangUp();
    carol.far.hangUp();
  };
  bob.far.handlers?.refer(referral);
  await until(200);
  await carol.call.ended;
  assert.equal(bob.call.phase, 'talking');
  bob.near.hangUp();
  await bob.call.ended;
  assert.ok(bob.world.did.includes('bye far') === false, 'who has left needs no BYE');
  assert.deepEqual([...bob.world.held.keys()], []);
});

for (const status of [488, 491]) {
  test(`the party to be joined answers ${status}: both calls go on as they were, and who referred hears it`, async () => {
    const { bob, carol, nothingIsHeld } = await twoCalls();
    carol.near.reinviteAnswer = { status, reason: '', sdp: '' };
    const { referral, until } = refer(replacing(carol.far));
    bob.far.handlers?.refer(referral);
    await until(status);
    assert.deepEqual(bob.near.reinvites, [], 'the other party notices nothing');
    assert.deepEqual(bob.world.did.slice(-2), ['media update seller far answer', 'media answer customer near offer']);
    for (const { call, far } of [bob, carol]) {
      assert.equal(call.phase, 'talking');
      far.hangUp();
      await call.ended;
    }
    nothingIsHeld();
  });
}

test('the party that stays refuses the media of the other one, who is offered again what it had', async () => {
  const { bob, carol, nothingIsHeld } = await twoCalls();
  bob.near.reinviteAnswer = { status: 488, reason: '', sdp: '' };
  const { referral, until } = refer(replacing(carol.far));
  bob.far.handlers?.refer(referral);
  await until(488);
  assert.deepEqual(carol.near.reinvites, ['offer relayed of near offer', 'answer relayed of far answer']);
  assert.equal(carol.world.count('callEnded'), 0);
  for (const { call, far } of [bob, carol]) {
    far.hangUp();
    await call.ended;
  }
  nothingIsHeld();
});

test('RFC 3891 §3: the party to be joined hangs up meanwhile: 603, and the other call goes on', async () => {
  for (const during of ['reinvite near-carol', 'reinvite near-bob']) {
    const { bob, carol, nothingIsHeld } = await twoCalls();
    for (const { world, near } of [bob, carol])
      world.onStep = (name) => {
        if (name !== 'reinvite near' || during !== `reinvite ${near.dialog.sipCallId}`) return;
        world.onStep = undefined;
        carol.near.hangUp();
      };
    const { referral, until } = refer(replacing(carol.far));
    bob.far.handlers?.refer(referral);
    await until(603);
    await carol.call.ended;
    assert.equal(carol.world.terminationOf('callEnded')?.reason, 'hangup');
    assert.equal(bob.call.phase, 'talking');
    bob.far.hangUp();
    await bob.call.ended;
    nothingIsHeld();
  }
});

test('who refers has left both calls and they can not be joined: both end', async () => {
  const { bob, carol, nothingIsHeld } = await twoCalls();
  carol.near.reinviteAnswer = { status: 488, reason: '', sdp: '' };
  carol.world.onStep = (name) => {
    if (name !== 'reinvite near') return;
    bob.far.hangUp();
    carol.far.hangUp();
  };
  const { referral, until } = refer(replacing(carol.far));
  bob.far.handlers?.refer(referral);
  await until(488);
  await Promise.all([bob.call.ended, carol.call.ended]);
  for (const { world } of [bob, carol]) assert.equal(world.terminationOf('callEnded')?.reason, 'hangup');
  nothingIsHeld();
});

test('at any step of it one of the calls ends: everything is given back, each call ends once', async () => {
  const run = async (disturbed: 'bob' | 'carol' | undefined, at: number) => {
    const both = await twoCalls({ carol: ['sip:r1'] });
    const { bob, carol, nothingIsHeld } = both;
    let steps = 0;
    for (const { world } of [bob, carol])
      world.onStep = () => {
        if (steps === at && disturbed) both[disturbed].call.close(terminated('drained'));
        steps += 1;
      };
    const { referral, heard, until } = refer(replacing(carol.far));
    bob.far.handlers?.refer(referral);
    await Promise.race([until(200), bob.call.ended, carol.call.ended]);
    const taken = steps;
    for (const { call } of [bob, carol]) call.close(terminated('drained'));
    await Promise.all([bob.call.ended, carol.call.ended]);
    nothingIsHeld(`step ${at} of ${disturbed}: ${heard.join(' ')}`);
    for (const { world } of [bob, carol]) assert.equal(world.count('callEnded'), 1);
    return taken;
  };
  const steps = await run(undefined, 0);
  assert.ok(steps > 4);
  for (let at = 0; at < steps; at += 1) for (const disturbed of ['bob', 'carol'] as const) await run(disturbed, at);
});

for (const [what, more, status] of [
  ['a dialog whose tags are others', 'x', 481],
  ['a dialog only while it is early, which it is not any more', ';early-only', 486],
] as const) {
  test(`Replaces that names ${what}: who refers hears ${status}, nothing changes`, async () => {
    const { bob, carol } = await twoCalls();
    const { referral, heard, until } = refer(replacing(carol.far, more));
    bob.world.farRefusal = { status: 481, reason: '' };
    bob.far.handlers?.refer(referral);
    await until(status);
    assert.deepEqual(heard, ['accepted', 100, status]);
    assert.deepEqual([...bob.near.reinvites, ...carol.near.reinvites], []);
    for (const { call, far } of [bob, carol]) {
      far.hangUp();
      await call.ended;
    }
  });
}

test('RFC 5589 §7.3: Replaces with a dialog that is not ours goes to the target, which knows it', async () => {
  const { bob } = await twoCalls();
  const { referral, until } = refer('<sip:+15550009@sbc?Replaces=x%40pbx%3Bto-tag%3Da%3Bfrom-tag%3Db>');
  bob.far.handlers?.refer(referral);
  await until(200);
  const { headers } = bob.world.dialled.at(-1) ?? {};
  assert.deepEqual([headers?.['Replaces'], headers?.['Require']], ['x@pbx;to-tag=a;from-tag=b', 'replaces']);
  bob.near.hangUp();
  await bob.call.ended;
});

test('a call of another tenant, or of the other side, is none for who refers', async () => {
  for (const other of [{ tenant: 'fabrikam' }, { side: 'customer' }]) {
    const bob = await talking([], new FakeWorld('bob'));
    const stranger = new FakeWorld('carol');
    stranger.contactCentre = { targets: ['sip:192.0.2.9'], ...other };
    const carol = await talking([], stranger);
    bob.world.calls = [bob.call, carol.call];
    const { referral, heard, until } = refer(replacing(carol.far));
    bob.far.handlers?.refer(referral);
    await until(481);
    assert.deepEqual(heard, ['accepted', 100, 481]);
    assert.deepEqual(carol.near.reinvites, []);
    assert.equal(bob.world.dialled.length, 1, 'nobody else is asked for it');
    for (const { call, far } of [bob, carol]) {
      far.hangUp();
      await call.ended;
    }
  }
});

test('Replaces that names a dialog of the same call, or an early one, hears 481; one in a transfer makes 491', async () => {
  const { bob, carol } = await twoCalls();
  const own = refer(replacing(bob.near));
  bob.far.handlers?.refer(own.referral);
  await own.until(481);

  const ringing = new FakeWorld('ringing');
  ringing.behaviours.set('answer', 'obey');
  const early = ringing.call([]);
  early.start();
  await ringing.until(() => ringing.steps.includes('answer'));
  bob.world.calls = [bob.call, carol.call, early];
  const tooEarly = refer(replacing({ dialog: { sipCallId: 'near-ringing', localTag: 'a', remoteTag: 'b' } }));
  bob.far.handlers?.refer(tooEarly.referral);
  await tooEarly.until(481);
  early.close(terminated('drained'));
  await early.ended;

  carol.world.behaviours.set('reinvite near', 'obey');
  bob.far.handlers?.refer(refer(replacing(carol.far)).referral);
  carol.world.calls = bob.world.calls;
  const second = refer(replacing(bob.far));
  carol.far.handlers?.refer(second.referral);
  assert.deepEqual(second.heard, ['refused 491']);
  for (const { call } of [bob, carol]) call.close(terminated('drained'));
  await Promise.all([bob.call.ended, carol.call.ended]);
});
