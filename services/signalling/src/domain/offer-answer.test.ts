import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { FakeLeg, fakeOffer } from '../testing/fake-leg.js';
import { FakeWorld, silent } from '../testing/fake-world.js';
import { OfferAnswer } from './offer-answer.js';
import { LegDescriptions, type RecordIndication } from './recording-awareness.js';

function established(aware: { near?: boolean; far?: boolean } = {}) {
  const world = new FakeWorld();
  const near = new FakeLeg(world, 'near');
  const far = new FakeLeg(world, 'far');
  const changes: string[] = [];
  const gone: string[] = [];
  const heard: string[] = [];
  const told: { now: RecordIndication } = { now: 'off' };
  const offers = new OfferAnswer({
    media: world.media,
    legs: {
      near: {
        leg: near,
        party: 'customer',
        remote: 'near 1',
        local: 'to near 1',
        descriptions: new LegDescriptions(aware.near ?? false),
      },
      far: {
        leg: far,
        party: 'seller',
        remote: 'far 1',
        local: 'to far 1',
        descriptions: new LegDescriptions(aware.far ?? false),
      },
    },
    onChanged: () => changes.push('changed'),
    onDescribed: (side, sdp) => void heard.push(`${side} ${sdp}`),
    indication: () => told.now,
    onLegGone: (side, status) => gone.push(`${side} ${status}`),
    signal: new AbortController().signal,
    log: silent,
  });
  near.recordAware = aware.near ?? false;
  far.recordAware = aware.far ?? false;
  return { world, near, far, offers, changes, gone, told, heard };
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
  const { offers, world, near, gone } = established();
  near.reinviteAnswer = { status: 481, reason: 'Gone', sdp: '' };
  const offer = fakeOffer('hold');
  await offers.handle('far', offer);
  assert.equal(await offer.heard, 481);
  await world.until(() => gone.length > 0);
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

const described = (version: number, ...more: string[]) =>
  `v=0\r\no=- 7 ${version} IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\n${more.map((line) => `${line}\r\n`).join('')}`;

test('RFC 7866 §6.2: only aware legs are told of a change, each once, and nothing goes to the other one', async () => {
  const { offers, near, far, told, world, changes } = established({ far: true });
  far.reinviteAnswer = { status: 200, reason: 'OK', sdp: 'far 1' };
  offers.indicate();
  assert.deepEqual(far.reinvites, []);
  told.now = 'on';
  offers.indicate();
  await world.until(() => far.reinvites.length === 1);
  offers.indicate();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(far.reinvites.length, 1);
  assert.deepEqual([near.reinvites, changes, world.did], [[], [], []]);
});

test('a change that comes while an offer is relayed is told behind it, and with the description that was agreed', async () => {
  const { offers, near, told, world } = established({ near: true });
  world.media.answer = async () => described(3);
  near.reinviteAnswer = { status: 200, reason: 'OK', sdp: 'hold' };
  const offer = fakeOffer('hold');
  const handled = offers.handle('near', offer);
  told.now = 'on';
  offers.indicate();
  assert.deepEqual(near.reinvites, []);
  await handled;
  assert.equal(await offer.heard, described(3, 'a=record:on'));
  told.now = 'paused';
  offers.indicate();
  await world.until(() => near.reinvites.length === 1);
  assert.deepEqual(near.reinvites, [described(4, 'a=record:paused')]);
});

test('RFC 3261 §14.1: a leg that answers 491 is told again, with what is true then', async () => {
  const { offers, near, told, world } = established({ near: true });
  near.reinviteAnswer = { status: 491, reason: 'Request Pending', sdp: '' };
  told.now = 'on';
  offers.indicate();
  // The timer of the second try keeps no process alive.
  const alive = setInterval(() => {}, 1_000);
  await world.until(() => near.reinvites.length === 2);
  clearInterval(alive);
});

test('an aware leg that moves its media in the answer has that relayed', async () => {
  const { offers, near, far, told, world, heard } = established({ near: true });
  near.reinviteAnswer = { status: 200, reason: 'OK', sdp: 'c=IN IP4 192.0.2.7' };
  told.now = 'on';
  offers.indicate();
  await world.until(() => far.reinvites.length === 1);
  assert.deepEqual(far.reinvites, ['offer relayed of c=IN IP4 192.0.2.7']);
  await eventually(() => heard.length > 0, 'what the leg described is heard');
  assert.deepEqual(heard, ['near c=IN IP4 192.0.2.7']);
});
