import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeOffer } from '../testing/fake-leg.js';
import { FakeWorld, silent } from '../testing/fake-world.js';
import { RecordingFork } from './recording-fork.js';
import type { RecordingScript } from './recording-script.js';
import { RecordingUpdates } from './recording-updates.js';

async function active(statuses: number[] = []) {
  const world = new FakeWorld();
  const failures: string[] = [];
  const at: number[] = [];
  const work = new AbortController();
  const dialog = {
    ...world.recorderDialog,
    reinvite: async () => {
      await world.step('recorder reinvite');
      const status = statuses.shift() ?? 200;
      return { status, reason: '', contentType: 'application/sdp', body: Buffer.from('answer 2') };
    },
  };
  const fork = new RecordingFork(world.media, 'f', false, silent);
  await fork.connect(world.description('answer 1'), work.signal);
  world.steps.length = 0;
  world.did.length = 0;
  const updates = new RecordingUpdates({
    dialog,
    script: world.script as unknown as RecordingScript,
    fork,
    answer: world.description('answer 1'),
    onAgreed: () => world.did.push('agreed'),
    onFailed: (error, gone, sinceMs) => {
      failures.push(`${error.code}${gone ? ' gone' : ''}`);
      if (sinceMs !== undefined) at.push(sinceMs);
    },
    clock: () => world.nowMs ?? performance.now(),
    signal: work.signal,
    backOffMs: () => 1,
    firstRefusalMs: 1,
    log: silent,
  });
  return { world, updates, failures, at, work, fork };
}

test('a changed description is offered to the recorder and its answer given to the relay', async () => {
  const { world, updates } = await active();
  updates.refresh();
  await updates.idle();
  assert.deepEqual(world.steps, ['start fork', 'recorder reinvite', 'answer fork']);
  assert.deepEqual(world.did, ['fork answered answer 2', 'agreed']);
});

test('an unchanged description needs no offer: the relay hears the standing answer again', async () => {
  const { world, updates } = await active();
  world.script.propose = () => false;
  updates.refresh();
  await updates.idle();
  assert.deepEqual(world.steps, ['start fork', 'answer fork']);
  assert.deepEqual(world.did, ['fork answered answer 1']);
});

test('one at a time, and of many changes only the newest is sent', async () => {
  const { world, updates } = await active();
  world.onStep = (name, index) => {
    if (name === 'recorder reinvite' && index < 3) for (let i = 0; i < 5; i++) updates.refresh();
  };
  updates.refresh();
  await updates.idle();
  assert.equal(world.steps.filter((name) => name === 'recorder reinvite').length, 2);
});

test('RFC 3261 §14.1: 491 is tried again after a pause, with a fresh description', async () => {
  const { world, updates, failures } = await active([491, 491]);
  // The pause itself keeps no process alive.
  const alive = setInterval(() => {}, 1_000);
  updates.refresh();
  await updates.idle();
  clearInterval(alive);
  assert.equal(world.steps.filter((name) => name === 'start fork').length, 3);
  assert.deepEqual(failures, []);
});

test('a refused offer leaves the session as agreed before', async () => {
  const { world, updates, failures } = await active([488]);
  updates.refresh();
  await updates.idle();
  assert.deepEqual(world.did, ['fork answered answer 1']);
  assert.deepEqual(failures, []);
});

test('RFC 5057 §5.1: 481 is the end of the dialog', async () => {
  const { updates, failures } = await active([481]);
  updates.refresh();
  await updates.idle();
  assert.deepEqual(failures, ['recorder-unreachable gone']);
});

test('an unusable answer to a new offer ends the recording and never reaches the relay', async () => {
  const { world, updates, failures } = await active();
  world.script.check = () => {
    throw new Error('plain RTP');
  };
  updates.refresh();
  await updates.idle();
  assert.equal(failures.length, 1);
  assert.deepEqual(world.did, []);
});

test("RFC 3264 §6: the recorder's offer hears an answer made for it; one without an offer hears the standing description", async () => {
  const { world, updates } = await active();
  const withOffer = fakeOffer('recorder offer');
  await updates.recorderOffers(withOffer);
  assert.equal(await withOffer.heard, 'answer to recorder offer');
  const without = fakeOffer('', 'recorder answer in ACK');
  await updates.recorderOffers(without);
  assert.equal(await without.heard, 'standing offer');
  assert.deepEqual(world.did, [
    'fork answered recorder offer',
    'agreed',
    'fork answered recorder answer in ACK',
    'agreed',
  ]);
});

test("RFC 3261 §14.2: a recorder's offer that is not safe hears 488 and changes nothing, not even at the relay", async () => {
  const { world, updates, failures } = await active();
  world.script.check = () => {
    throw new Error('plain RTP');
  };
  const offer = fakeOffer('recorder offer');
  await updates.recorderOffers(offer);
  assert.equal(await offer.heard, 488);
  assert.deepEqual([world.steps, world.agreed, failures], [[], [], []]);
});

test("a recorder's offer that the relay refuses is refused, and the fork it stopped is subscribed anew as it was", async () => {
  const { world, updates, failures } = await active();
  world.script.propose = () => false;
  world.behaviours.set('answer fork', 'fail');
  world.onStep = (name) => name === 'start fork' && world.behaviours.delete('answer fork');
  const offer = fakeOffer('recorder offer');
  await updates.recorderOffers(offer);
  assert.equal(await offer.heard, 500);
  await updates.idle();
  assert.deepEqual(world.steps, ['answer fork', 'start fork', 'answer fork']);
  assert.deepEqual(world.did, ['fork answered recorder offer', 'fork answered answer 1']);
  assert.deepEqual([world.agreed, failures], [['answer 1'], []]);
});

test('a relay that refuses twice ends the recording with its reason', async () => {
  for (const begin of ['recorder', 'call'] as const) {
    const { world, updates, failures } = await active();
    world.behaviours.set('answer fork', 'fail');
    if (begin === 'call') updates.refresh();
    else await updates.recorderOffers(fakeOffer('recorder offer'));
    await updates.idle();
    // What the recorder has agreed to stands, whatever the relay says.
    const agreed = begin === 'call' ? ['answer 2', 'answer 2'] : ['answer 2'];
    assert.deepEqual([failures, world.agreed], [['deadline-exceeded'], agreed], begin);
    assert.equal(world.steps.filter((name) => name === 'answer fork').length, 2, begin);
  }
});

test('the relay refuses once what the recorder has agreed to: the fork is subscribed anew for that, not for what held before', async () => {
  for (const begin of ['our re-INVITE', 'the answer in the ACK'] as const) {
    const { world, updates, failures } = await active();
    world.behaviours.set('answer fork', 'fail');
    world.onStep = (name) => name === 'answer fork' && setImmediate(() => world.behaviours.delete('answer fork'));
    // The renewed fork has the description that the recorder knows.
    world.script.propose = () => world.agreed.length === 0 && begin === 'our re-INVITE';
    if (begin === 'our re-INVITE') updates.refresh();
    else await updates.recorderOffers(fakeOffer('', 'answer 2'));
    await updates.idle();
    assert.deepEqual(failures, [], begin);
    const heard = world.did.filter((what) => what.startsWith('fork answered'));
    assert.deepEqual(heard, ['fork answered answer 2', 'fork answered answer 2'], begin);
  }
});

test('a recorder that refuses to resume is asked again until it agrees', async () => {
  const { world, updates, fork, work } = await active([200, 488, 503]);
  const alive = setInterval(() => {}, 1_000);
  await fork.pause(work.signal);
  assert.equal(await updates.turn(), undefined);
  fork.resume();
  assert.deepEqual([await updates.turn(), updates.turning], [488, true]);
  await world.until(() => world.steps.includes('resume fork'));
  await updates.idle();
  clearInterval(alive);
  assert.deepEqual([updates.turning, fork.flowing], [false, true]);
  assert.equal(world.steps.filter((name) => name === 'recorder reinvite').length, 4);
});

test("a turn that is wanted while the recorder's own exchange is open is asked after it, and waited for", async () => {
  const { world, updates, fork, work } = await active();
  await fork.pause(work.signal);
  await updates.turn();
  await updates.idle();
  let acknowledge: (sdp: string) => void = () => {};
  const acknowledged = new Promise<string>((resolve) => {
    acknowledge = resolve;
  });
  const exchange = updates.recorderOffers({ sdp: '', answer: () => acknowledged, refuse: () => {} });
  fork.resume();
  let settled = false;
  const turned = updates.turn().then(() => {
    settled = true;
  });
  await updates.idle();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(settled, false);
  world.steps.length = 0;
  acknowledge('');
  await exchange;
  await turned;
  assert.deepEqual(world.steps, ['recorder reinvite', 'resume fork', 'answer fork']);
});

test('a re-INVITE that nobody answers, or 481 does, loses the recorder since it was sent', async () => {
  for (const status of [481, 408, undefined]) {
    const { updates, world, failures, at } = await active(status === undefined ? [] : [status]);
    if (status === undefined) world.behaviours.set('recorder reinvite', 'fail');
    world.onStep = (name) => {
      if (name === 'recorder reinvite') world.nowMs = 9_000;
    };
    world.nowMs = 1_000;
    updates.refresh();
    await updates.idle();
    assert.deepEqual([failures.length, at], [1, [1_000]], `${status}`);
  }
});

test('an answer in the ACK that is not safe ends the recording: the recorder believes that it holds', async () => {
  const { world, updates, failures } = await active();
  world.script.check = () => {
    throw new Error('plain RTP');
  };
  await updates.recorderOffers(fakeOffer('', 'answer in plain RTP'));
  assert.deepEqual([world.steps, failures], [[], ['internal']]);
});

test('RFC 7866 §9.2: a snapshot that is asked for travels in a re-INVITE, although no media changed', async () => {
  const { world, updates } = await active();
  world.script.propose = () => false;
  world.script.check = () => world.description('answer 1');
  updates.snapshot();
  await updates.idle();
  assert.deepEqual([world.steps, world.did], [['recorder reinvite'], ['agreed']]);
});

test('a snapshot that meets 491 is tried again, one that comes with a change travels with it', async () => {
  const { world, updates } = await active([491]);
  const alive = setInterval(() => {}, 1_000);
  updates.snapshot();
  updates.refresh();
  await updates.idle();
  clearInterval(alive);
  const offers = world.steps.filter((name) => name === 'recorder reinvite').length;
  assert.ok(offers >= 2 && offers <= 3, world.steps.join());
  assert.equal(world.did.filter((what) => what === 'fork answered answer 2').length >= 1, true);
});

test("the recorder's offer while ours is pending hears 491", async () => {
  const { updates } = await active();
  updates.refresh();
  const offer = fakeOffer('recorder offer');
  await updates.recorderOffers(offer);
  assert.equal(await offer.heard, 491);
  await updates.idle();
});

test('RFC 7866 §9.1: a change may be told alone; a snapshot that is asked for is complete, whatever else there is to say', async () => {
  const { world, updates } = await active();
  const news: unknown[] = [];
  const { inviteBody } = world.script;
  world.script.inviteBody = (...what: unknown[]) => {
    news.push(...what);
    return inviteBody();
  };
  updates.tell();
  // Meanwhile, to be told together.
  updates.snapshot();
  updates.tell();
  await updates.idle();
  assert.deepEqual(news, ['flows', 'all']);
});
