import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeLeg, FakeWorld, fakeOffer, silent } from '../testing/fake-world.js';
import { OfferAnswer } from './offer-answer.js';

function established() {
  const world = new FakeWorld();
  const near = new FakeLeg(world, 'near');
  const far = new FakeLeg(world, 'far');
  const changes: string[] = [];
  const gone: string[] = [];
  const offers = new OfferAnswer({
    media: world.media,
    legs: {
      near: { leg: near, party: 'customer', remote: 'near 1', local: 'to near 1' },
      far: { leg: far, party: 'seller', remote: 'far 1', local: 'to far 1' },
    },
    onChanged: () => changes.push('changed'),
    onLegGone: (side, status) => gone.push(`${side} ${status}`),
    signal: new AbortController().signal,
    log: silent,
  });
  return { world, near, far, offers, changes, gone };
}

test('an offer of one leg is relayed to the other through the relay, and its answer back', async () => {
  const { offers, far, changes } = established();
  const offer = fakeOffer('hold');
  await offers.handle('near', offer);
  assert.equal(await offer.heard, 'answer relayed of answer to re-INVITE');
  assert.deepEqual(far.reinvites, ['offer relayed of hold']);
  assert.deepEqual(changes, ['changed']);
});

test('RFC 4028 §7.4: the same description again is answered without troubling the other leg', async () => {
  const { offers, far } = established();
  const offer = fakeOffer('near 1');
  await offers.handle('near', offer);
  assert.equal(await offer.heard, 'to near 1');
  assert.deepEqual(far.reinvites, []);
});

test('a refusal of the other leg is relayed, the media is put back, the call stays', async () => {
  const { offers, far, world, changes, gone } = established();
  far.reinviteAnswer = { status: 488, reason: 'Not Acceptable Here', sdp: '' };
  const offer = fakeOffer('new codec');
  await offers.handle('near', offer);
  assert.equal(await offer.heard, 488);
  assert.deepEqual(world.did, [
    'media update customer new codec',
    'media update customer near 1',
    'media answer seller far 1',
  ]);
  assert.deepEqual([changes, gone], [[], []]);
});

test('RFC 5057 §5.1: 481 of the other leg says that it is gone', async () => {
  const { offers, near, gone } = established();
  near.reinviteAnswer = { status: 481, reason: 'Gone', sdp: '' };
  await offers.handle('far', fakeOffer('hold'));
  assert.deepEqual(gone, ['near 481']);
});

test('RFC 3261 §14.2: while ours is pending 491; a second offer of the same peer 500', async () => {
  const { offers, world, far } = established();
  world.behaviours.set('reinvite far', 'obey');
  void offers.handle('near', fakeOffer('hold'));
  await world.until(() => far.reinvites.length > 0);
  const [glare, again] = [fakeOffer('far hold'), fakeOffer('near 2')];
  await offers.handle('far', glare);
  await offers.handle('near', again);
  assert.deepEqual([await glare.heard, await again.heard], [491, 500]);
});

test('an offer without SDP hears our present description; an answer that changes nothing goes no further', async () => {
  const { offers, far } = established();
  const offer = fakeOffer('', 'near 1');
  await offers.handle('near', offer);
  assert.equal(await offer.heard, 'to near 1');
  assert.deepEqual(far.reinvites, []);
});

test('an ACK whose answer is new is relayed to the other leg', async () => {
  const { offers, far } = established();
  await offers.handle('near', fakeOffer('', 'near 2'));
  assert.deepEqual(far.reinvites, ['offer relayed of near 2']);
});

test('a relay that fails refuses the offer and leaves the session as it was', async () => {
  const { offers, world, far } = established();
  world.behaviours.set('media update', 'fail');
  const offer = fakeOffer('hold');
  await offers.handle('near', offer);
  assert.equal(await offer.heard, 504);
  assert.deepEqual(far.reinvites, []);
});
