// What the trunks of a call want of its media reaches the relay, that of each target with its own offer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeWorld } from '../testing/fake-world.js';

/** A call whose first target cannot take it, and whose second one is another trunk's. */
async function failedOver(second: object, nearOffer = 'near offer') {
  const world = new FakeWorld();
  world.nearOffer = nearOffer;
  world.contactCentre = { targets: ['sip:192.0.2.9', 'sip:t1'], codecs: ['PCMA'], srtp: 'require' };
  const [first, next] = world.candidates();
  assert.ok(first && next);
  const other = { ...next, trunk: { ...next.trunk, config: { ...next.trunk.config, ...second } } };
  world.candidates = () => [first, other];
  const { invite } = world.trunking;
  const offered: string[] = [];
  Object.assign(world.trunking, {
    invite: async (...[outgoing, signal]: Parameters<typeof invite>) => {
      if (offered.push(outgoing.sdp) === 1) return { kind: 'refused', status: 503, reason: '' };
      return invite(outgoing, signal);
    },
  });
  const call = world.call([]);
  call.start();
  await world.until(() => world.count('callAnswered') + world.count('callEnded') > 0);
  if (call.phase === 'talking') world.near?.hangUp();
  await call.ended;
  return { world, offered };
}

const near = { codecs: [], srtp: 'off' };
const far = { codecs: ['PCMA'], srtp: 'require' };

test('both trunks are told of at the start; a target of another trunk gets an offer of its own', async () => {
  const { world, offered } = await failedOver({ codecs: [], srtp: 'off' });
  assert.deepEqual(world.terms, [{ customer: near, seller: far }, { seller: { codecs: [], srtp: 'off' } }]);
  assert.equal(offered.length, 2);
  assert.ok(world.did.includes('media update customer near offer'));
});

test('a target of the same trunk gets the same offer', async () => {
  const { world, offered } = await failedOver({});
  assert.deepEqual(world.terms, [{ customer: near, seller: far }]);
  assert.equal(offered[0], offered[1]);
});

test('a late offer is opened with the terms of the trunk that answered', async () => {
  const { world } = await failedOver({ codecs: ['opus'], srtp: 'offer' }, '');
  assert.deepEqual(world.terms, [{ customer: near, seller: { codecs: ['opus'], srtp: 'offer' } }]);
});
