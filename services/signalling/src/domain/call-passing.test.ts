// Transfers of a trunk whose REFER is passed to the other party (`refer: pass`).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeWorld } from '../testing/fake-world.js';
import { refer, talking } from '../testing/referral.js';

const carol = '<sip:+15550009@pbx.invalid>';

async function passing(name?: string) {
  const world = new FakeWorld(name);
  world.contactCentre = { targets: ['sip:192.0.2.9'], refer: 'pass' };
  return talking([], world);
}

test('RFC 3515 §2.4.4: the other party gets the REFER with our address, and what it tells goes back to who referred', async () => {
  const { world, call, near, far } = await passing();
  const { referral, heard, until } = refer(carol);
  world.onStep = (name) => name === 'refer near' && near.referred?.(100);
  far.handlers?.refer(referral);
  await until(100);
  near.referred?.(180);
  near.referred?.(200);
  assert.deepEqual(heard, ['accepted', 100, 180, 200]);
  assert.ok(world.did.includes('refer near <sip:+15550009@192.0.2.1>'), world.did.join('\n'));
  assert.equal(call.phase, 'talking', 'who hangs up is their own affair');
  far.hangUp();
  await call.ended;
  assert.deepEqual([...world.held.keys()], []);
});

test('a refusal of the other party goes back; one that does not know the dialog any more ends the call', async () => {
  for (const [status, told] of [
    [603, 603],
    [401, 502],
    [481, 480],
  ] as const) {
    const { call, near, far } = await passing();
    near.referStatus = status;
    const { referral, heard, until } = refer(carol);
    far.handlers?.refer(referral);
    await until(`refused ${told}`);
    assert.equal(heard.length, 1);
    if (status !== 481) far.hangUp();
    await call.ended;
  }
});

test('RFC 3891 §3: whom the holder of a leg refers to it may take its place, and nobody else of the other side', async () => {
  const { world, call, near, far } = await passing('bob');
  const other = await passing('carol');
  world.calls = [call, other.call];
  const { sipCallId, localTag, remoteTag } = other.far.dialog;
  const replaces = `${sipCallId};to-tag=${localTag};from-tag=${remoteTag}`;
  const { referral, until } = refer(`<sip:+15550009@sbc?Replaces=${encodeURIComponent(replaces)}>`);
  const dialog = { callId: sipCallId, toTag: localTag, fromTag: remoteTag, earlyOnly: false };
  const stranger = new FakeWorld();
  stranger.contactCentre = { targets: ['sip:192.0.2.9'], side: 'customer' };
  const from = stranger.candidates()[0]?.trunk;
  assert.ok(from);
  assert.deepEqual(world.referrals.legNamed(dialog, from), { refused: 481 });
  far.handlers?.refer(referral);
  await until(100);
  assert.match(world.did.at(-1) ?? '', /^refer near .*\?Replaces=far-carol%3Bto-tag%3Dours%3Bfrom-tag%3Dtheirs>$/);
  const found = world.referrals.legNamed(dialog, from);
  assert.ok(found && 'call' in found && found.side === 'far');
  const unknown = refer('<sip:+15550009@sbc?Replaces=x%3Bto-tag%3Da%3Bfrom-tag%3Db>');
  far.handlers?.refer(unknown.referral);
  assert.deepEqual(unknown.heard, ['refused 404']);
  for (const one of [near, other.near]) one.hangUp();
  await Promise.all([call.ended, other.call.ended]);
});
