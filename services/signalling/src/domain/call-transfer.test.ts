// Transfers of a call that is up, by the party on either side (RFC 5589 §6, RFC 3515).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeWorld } from '../testing/fake-world.js';
import { refer, talking } from '../testing/referral.js';
import { terminated } from './termination.js';

const carol = '<sip:+15550009@pbx.invalid>';

test('RFC 5589 §6.1: the target takes the place of who referred, who hears of it and hangs up; one termination', async () => {
  const { world, call, near, far } = await talking();
  const { referral, heard, until } = refer(carol);
  far.handlers?.refer(referral);
  await until(200);
  assert.deepEqual(heard, ['accepted', 100, 183, 200]);
  assert.notEqual(world.far, far, 'another leg is there');
  assert.equal(near.reinvites.at(-1), 'offer relayed of far answer');
  assert.ok(world.did.includes('parties told'), 'the recorder hears of the new party');
  far.hangUp();
  assert.equal(call.phase, 'talking', 'the end of the replaced leg is not the end of the call');
  near.hangUp();
  await call.ended;
  assert.deepEqual([...world.held.keys()], []);
  assert.deepEqual(world.terminationOf('callEnded')?.reason, 'hangup');
  assert.equal(world.count('callEnded'), 1);
  assert.equal(world.count('callTransferred seller +15550009'), 1);
  assert.equal(world.count('recordingEnded'), 1);
});

test('who referred and hangs up at once leaves the call to the target', async () => {
  const { world, call, near, far } = await talking();
  const { referral, until } = refer(carol);
  world.onStep = (name) => name === 'invite' && far.hangUp();
  far.handlers?.refer(referral);
  await until(200);
  assert.equal(call.phase, 'talking');
  near.hangUp();
  await call.ended;
  assert.deepEqual([...world.held.keys()], []);
});

test('RFC 5589 §6.3: who referred hears that the target is busy, and the call goes on as it was', async () => {
  const { world, call, near, far } = await talking();
  world.farRefusal = { status: 486, reason: 'Busy Here' };
  const { referral, heard, until } = refer(carol);
  far.handlers?.refer(referral);
  await until(486);
  assert.deepEqual(heard, ['accepted', 100, 486]);
  assert.equal(call.phase, 'talking');
  assert.deepEqual(near.reinvites, [], 'the other party notices nothing');
  assert.deepEqual(world.did.slice(-2), ['media update seller far answer', 'media answer customer near offer']);
  far.hangUp();
  await call.ended;
  assert.deepEqual([...world.held.keys()], []);
});

test('a target that is busy after who referred has left ends the call, as busy', async () => {
  const { world, call, far } = await talking();
  world.farRefusal = { status: 486, reason: 'Busy Here' };
  world.onStep = (name) => name === 'invite' && far.hangUp();
  far.handlers?.refer(refer(carol).referral);
  await call.ended;
  assert.equal(world.terminationOf('callEnded')?.reason, 'busy');
  assert.deepEqual([...world.held.keys()], []);
});

test('a party that does not take the media of the target leaves the call as it was, and the target is sent away', async () => {
  const { world, call, near, far } = await talking();
  near.reinviteAnswer = { status: 488, reason: '', sdp: '' };
  const { referral, until } = refer(carol);
  far.handlers?.refer(referral);
  await until(488);
  assert.ok(world.did.includes('bye far'));
  assert.equal(call.phase, 'talking');
  assert.equal(world.count('callTransferred seller +15550009'), 0);
  near.hangUp();
  await call.ended;
});

test('at any step of a transfer the party that stays hangs up, or the instance drains: everything is given back', async () => {
  const run = async (
    disturb: ((name: string, index: number, world: FakeWorld, close: () => void) => void) | undefined,
  ) => {
    const { world, call, near, far } = await talking();
    const from = world.steps.length;
    world.onStep = (name, index) => disturb?.(name, index - from, world, () => call.close(terminated('drained')));
    const { referral, until } = refer(carol);
    far.handlers?.refer(referral);
    await Promise.race([until(200), call.ended]);
    near.hangUp();
    await call.ended;
    assert.deepEqual([...world.held.keys()], [], `steps ${world.steps.slice(from).join(', ')}`);
    assert.equal(world.count('callEnded'), 1);
    return world.steps.length - from;
  };
  const steps = await run(undefined);
  for (let at = 0; at < steps; at += 1) {
    await run((_name, index, world) => index === at && world.near?.hangUp());
    await run((_name, index, _world, close) => index === at && close());
  }
});

test('a new seller who is not listed ends the recording, with its reason; the call goes on', async () => {
  const { world, call, near, far } = await talking();
  world.newSellerListed = false;
  const { referral, until } = refer(carol);
  far.handlers?.refer(referral);
  await until(200);
  await world.until(() => world.count('recordingEnded') > 0);
  assert.equal(world.terminationOf('recordingEnded')?.reason, 'seller-not-listed');
  assert.equal(call.phase, 'talking');
  near.hangUp();
  await call.ended;
});

test('a new seller who is listed begins a recording', async () => {
  const { world, call, near, far } = await talking([]);
  const { referral, until } = refer(carol);
  far.handlers?.refer(referral);
  await until(200);
  await world.until(() => world.count('recordingStarted') > 0);
  near.hangUp();
  await call.ended;
  assert.equal(world.terminationOf('recordingEnded')?.reason, 'call-ended');
});

for (const [referTo, status] of [
  ['nonsense', 400],
  ['<sip:a@b>, <sip:c@d>', 400],
  ['<sip:+15550009@sbc;method=BYE>', 603],
  ['<sip:nowhere@sbc>', 404],
] as const) {
  test(`a REFER to ${referTo} is refused with ${status} and changes nothing`, async () => {
    const { world, call, near, far } = await talking([]);
    const before = world.did.length;
    const { referral, heard } = refer(referTo);
    far.handlers?.refer(referral);
    assert.deepEqual(heard, [`refused ${status}`]);
    assert.equal(world.did.length, before);
    near.hangUp();
    await call.ended;
  });
}

test('a second REFER while one is followed is refused with 491', async () => {
  const { world, call, near, far } = await talking([]);
  world.behaviours.set('invite', 'obey');
  far.handlers?.refer(refer(carol).referral);
  const second = refer(carol);
  near.handlers?.refer(second.referral);
  assert.deepEqual(second.heard, ['refused 491']);
  near.hangUp();
  await call.ended;
  assert.deepEqual([...world.held.keys()], []);
});

test('who has referred and is replaced has no say any more; the newcomer may transfer at once, and leave while that goes on', async () => {
  const { world, call, near, far } = await talking([]);
  const first = refer(carol);
  far.handlers?.refer(first.referral);
  await first.until(200);
  const newcomer = world.far;
  assert.ok(newcomer && newcomer !== far);
  const late = refer(carol);
  far.handlers?.refer(late.referral);
  assert.deepEqual(late.heard, ['refused 481']);
  let informed = 0;
  far.handlers?.info({
    contentType: 'application/dtmf-relay',
    body: 'Signal=1',
    respond: (status) => (informed = status),
  });
  assert.equal(informed, 481);

  // The next transfer begins while the first referrer is still hung up on, whose end must not end it.
  world.behaviours.set('answer', 'obey');
  const second = refer('<sip:+15550010@pbx.invalid>');
  newcomer.handlers?.refer(second.referral);
  await second.until(183);
  far.hangUp();
  await new Promise(setImmediate);
  newcomer.hangUp();
  assert.equal(call.phase, 'talking', 'the call waits for the target');
  near.hangUp();
  await call.ended;
  assert.deepEqual([...world.held.keys()], []);
});

test('a trunk that may not transfer is refused with 603', async () => {
  const refusing = new FakeWorld();
  refusing.contactCentre = { targets: ['sip:192.0.2.9'], refer: 'refuse' };
  const other = refusing.call([]);
  other.start();
  await refusing.until(() => refusing.count('callAnswered') > 0);
  const { referral, heard } = refer(carol);
  refusing.far?.handlers?.refer(referral);
  assert.deepEqual(heard, ['refused 603']);
  refusing.far?.hangUp();
  await other.ended;
});
