import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeWorld, fakeOffer, silent } from '../testing/fake-world.js';
import type { RecordingScript } from './recording-script.js';
import { RecordingUpdates } from './recording-updates.js';

function active(statuses: number[] = []) {
  const world = new FakeWorld();
  const failures: string[] = [];
  const work = new AbortController();
  const dialog = {
    ...world.recorderDialog,
    reinvite: async () => {
      await world.step('recorder reinvite');
      const status = statuses.shift() ?? 200;
      return { status, reason: '', contentType: 'application/sdp', body: Buffer.from('answer 2') };
    },
  };
  const updates = new RecordingUpdates({
    media: world.media,
    dialog,
    script: world.script as unknown as RecordingScript,
    forkId: 'f',
    parties: ['customer', 'seller'],
    answer: 'answer 1',
    onFailed: (error, gone) => failures.push(`${error.code}${gone ? ' gone' : ''}`),
    signal: work.signal,
    backOffMs: () => 1,
    log: silent,
  });
  return { world, updates, failures, work };
}

test('a changed description is offered to the recorder and its answer given to the relay', async () => {
  const { world, updates } = active();
  updates.refresh();
  await updates.idle();
  assert.deepEqual(world.steps, ['start fork', 'recorder reinvite', 'answer fork']);
  assert.deepEqual(world.did, ['fork answered answer 2']);
});

test('an unchanged description needs no offer: the relay hears the standing answer again', async () => {
  const { world, updates } = active();
  world.script.propose = () => false;
  updates.refresh();
  await updates.idle();
  assert.deepEqual(world.steps, ['start fork', 'answer fork']);
  assert.deepEqual(world.did, ['fork answered answer 1']);
});

test('one at a time, and of many changes only the newest is sent', async () => {
  const { world, updates } = active();
  world.onStep = (name, index) => {
    if (name === 'recorder reinvite' && index < 3) for (let i = 0; i < 5; i++) updates.refresh();
  };
  updates.refresh();
  await updates.idle();
  assert.equal(world.steps.filter((name) => name === 'recorder reinvite').length, 2);
});

test('RFC 3261 §14.1: 491 is tried again after a pause, with a fresh description', async () => {
  const { world, updates, failures } = active([491, 491]);
  // The pause itself keeps no process alive.
  const alive = setInterval(() => {}, 1_000);
  updates.refresh();
  await updates.idle();
  clearInterval(alive);
  assert.equal(world.steps.filter((name) => name === 'start fork').length, 3);
  assert.deepEqual(failures, []);
});

test('a refused offer leaves the session as agreed before', async () => {
  const { world, updates, failures } = active([488]);
  updates.refresh();
  await updates.idle();
  assert.deepEqual(world.did, ['fork answered answer 1']);
  assert.deepEqual(failures, []);
});

test('RFC 5057 §5.1: 481 is the end of the dialog', async () => {
  const { updates, failures } = active([481]);
  updates.refresh();
  await updates.idle();
  assert.deepEqual(failures, ['recorder-unreachable gone']);
});

test('an unusable answer to a new offer ends the recording and never reaches the relay', async () => {
  const { world, updates, failures } = active();
  world.script.accept = () => {
    throw new Error('plain RTP');
  };
  updates.refresh();
  await updates.idle();
  assert.equal(failures.length, 1);
  assert.deepEqual(world.did, []);
});

test("the recorder's re-INVITE hears the standing description, with an offer or without", async () => {
  const { world, updates } = active();
  const withOffer = fakeOffer('recorder offer');
  await updates.recorderOffers(withOffer);
  assert.equal(await withOffer.heard, 'standing offer');
  const without = fakeOffer('', 'recorder answer in ACK');
  await updates.recorderOffers(without);
  assert.equal(await without.heard, 'standing offer');
  assert.deepEqual(world.did, ['fork answered recorder offer', 'fork answered recorder answer in ACK']);
});

test("the recorder's offer while ours is pending hears 491", async () => {
  const { updates } = active();
  updates.refresh();
  const offer = fakeOffer('recorder offer');
  await updates.recorderOffers(offer);
  assert.equal(await offer.heard, 491);
  await updates.idle();
});
