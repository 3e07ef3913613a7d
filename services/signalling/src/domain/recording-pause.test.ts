import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SidestreamError } from '@sidestream/service';
import { fakeOffer } from '../testing/fake-leg.js';
import { FakeWorld } from '../testing/fake-world.js';
import { terminated } from './termination.js';

async function active(world = new FakeWorld()) {
  const recording = world.recording(world.facts(['sip:r1', 'sip:r2']));
  recording.start(world.media);
  await world.until(() => world.count('recordingStarted') > 0);
  world.steps.length = 0;
  world.did.length = 0;
  return { world, recording };
}

const told = (world: FakeWorld) => world.told.map(({ kind }) => kind).filter((kind) => kind.startsWith('recording'));
const code = (expected: string) => (error: SidestreamError) => error.code === expected;

test('RFC 7866 §7.1.1.1: paused, the fork is silent before the recorder is told by an inactive offer', async () => {
  const { world, recording } = await active();
  await recording.pause('operator');
  assert.deepEqual(world.steps.slice(0, 1), ['pause fork']);
  await world.until(() => world.steps.includes('recorder reinvite'));
  assert.deepEqual(world.proposed, ['sendonly', 'inactive']);
  assert.deepEqual(told(world), ['recordingStarted', 'recordingPaused operator']);
  await recording.pause('operator');
  assert.equal(world.steps.filter((step) => step === 'pause fork').length, 1);
  await recording.stop('hangup');
  assert.equal(world.terminationOf('recordingEnded')?.reason, 'call-ended');
});

test('resumed, the recorder is asked before the fork is', async () => {
  const { world, recording } = await active();
  await recording.pause('operator');
  await world.until(() => world.steps.includes('recorder reinvite'));
  world.steps.length = 0;
  await recording.resume('operator');
  assert.deepEqual(world.steps, ['recorder reinvite', 'resume fork', 'answer fork']);
  assert.equal(world.proposed.at(2), 'sendonly');
  assert.deepEqual(told(world), ['recordingStarted', 'recordingPaused operator', 'recordingResumed']);
  await recording.resume('operator');
  await recording.stop('hangup');
});

test('resumed in the very turn in which the media changed, it flows', async () => {
  const { world, recording } = await active();
  await recording.pause('operator');
  await world.until(() => world.steps.includes('recorder reinvite'));
  await new Promise((resolve) => setImmediate(resolve));
  world.steps.length = 0;
  recording.refresh();
  await recording.resume('operator');
  assert.deepEqual(world.steps.slice(0, 3), ['recorder reinvite', 'resume fork', 'answer fork']);
  assert.equal(recording.view.phase, 'active');
  await recording.stop('hangup');
});

test('while paused neither a change of the call nor the recorder makes media flow', async () => {
  const { world, recording } = await active();
  await recording.pause('operator');
  await world.until(() => world.steps.includes('recorder reinvite'));
  world.steps.length = 0;
  recording.refresh();
  world.recorderHandlers?.snapshotWanted();
  await world.until(() => world.steps.includes('recorder reinvite'));
  const offer = fakeOffer('recorder offer');
  world.recorderHandlers?.offer(offer);
  await offer.heard;
  assert.deepEqual(new Set(world.steps), new Set(['recorder reinvite']));
  await recording.stop('hangup');
});

test('a pause that comes while an update is in flight has the last word', async () => {
  const { world, recording } = await active();
  let pausing: Promise<void> | undefined;
  world.onStep = (step) => {
    if (step === 'answer fork') pausing ??= recording.pause('operator');
  };
  recording.refresh();
  await world.until(() => world.steps.filter((step) => step === 'recorder reinvite').length === 2);
  await pausing;
  assert.deepEqual(world.steps.slice(-3), ['answer fork', 'pause fork', 'recorder reinvite']);
  assert.equal(world.proposed.at(-1), 'inactive');
  await recording.stop('hangup');
});

test('a recorder that answers inactive to resuming gets no packet until it wants some', async () => {
  const { world, recording } = await active();
  await recording.pause('operator');
  await world.until(() => world.steps.includes('recorder reinvite'));
  world.steps.length = 0;
  world.recorderWants = 'inactive';
  await recording.resume('operator');
  assert.deepEqual(world.steps, ['recorder reinvite']);
  world.recorderWants = 'recvonly';
  const offer = fakeOffer('recorder offer');
  world.recorderHandlers?.offer(offer);
  await offer.heard;
  await world.until(() => world.count('recordingResumed') > 0);
  assert.deepEqual(world.steps.slice(-2), ['resume fork', 'answer fork']);
  await recording.stop('hangup');
});

test('a recorder that refuses to resume: nothing flows; asked again, it may agree', async () => {
  const { world, recording } = await active();
  await recording.pause('operator');
  await world.until(() => world.steps.includes('recorder reinvite'));
  world.recorderReinviteStatus = 488;
  await assert.rejects(recording.resume('operator'), code('recorder-refused'));
  assert.deepEqual([recording.view.phase, recording.view.pausedBy], ['paused', ['recorder']]);
  assert.ok(!world.steps.includes('resume fork'));
  world.recorderReinviteStatus = 200;
  await recording.resume('operator');
  assert.deepEqual([recording.view.phase, recording.view.pausedBy], ['active', []]);
  await recording.stop('hangup');
});

test('media flows only while nobody wants the pause: what a phone takes back is not what the operator wanted', async () => {
  const { world, recording } = await active();
  await recording.pause('operator');
  await recording.pause('party');
  await recording.resume('party');
  assert.deepEqual([recording.view.phase, recording.view.pausedBy], ['paused', ['operator']]);
  await recording.resume('party');
  assert.ok(!world.steps.includes('resume fork'));
  await recording.resume('operator');
  assert.deepEqual([recording.view.phase, recording.view.pausedBy], ['active', []]);
  await recording.stop('hangup');
});

/** The relay's answer to the next pause comes when it is allowed to. */
function heldPause(world: FakeWorld): () => void {
  const { pauseFork } = world.media;
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  world.media.pauseFork = async (fork, signal) => {
    world.media.pauseFork = pauseFork;
    await pauseFork(fork, signal);
    await held;
  };
  return release;
}

const soon = () => new Promise((resolve) => setImmediate(resolve));

test('a pause that meets another one in flight resolves with it, not before', async () => {
  const { world, recording } = await active();
  const confirm = heldPause(world);
  let silent = 0;
  const both = (['operator', 'party'] as const).map((by) => recording.pause(by).then(() => (silent += 1)));
  await soon();
  assert.equal(silent, 0);
  confirm();
  await Promise.all(both);
  assert.equal(world.steps.filter((step) => step === 'pause fork').length, 1);
  await recording.stop('hangup');
});

test('pause, resume and pause again while the first is in flight: the last word is the pause, and it is made sure of', async () => {
  const { world, recording } = await active();
  const confirm = heldPause(world);
  const first = recording.pause('operator');
  await soon();
  const resumed = recording.resume('operator');
  const second = recording.pause('operator');
  confirm();
  await Promise.all([first, resumed, second]);
  assert.equal(world.steps.filter((step) => step === 'pause fork').length, 2);
  assert.ok(world.steps.lastIndexOf('pause fork') > world.steps.lastIndexOf('resume fork'));
  assert.equal(recording.view.phase, 'paused');
  await recording.stop('hangup');
});

test('paused in the very moment in which a recorder is given up: resolves once its fork is stopped, too', async () => {
  const { world, recording } = await active();
  let stop: () => void = () => {};
  const { stopFork } = world.media;
  world.media.stopFork = async (fork, signal) => {
    await new Promise<void>((resolve) => {
      stop = resolve;
    });
    await stopFork(fork, signal);
  };
  world.recorderHandlers?.ended('hangup', 'BYE');
  let silent = false;
  const paused = recording.pause('operator').then(() => {
    silent = true;
  });
  await world.until(() => world.count('recordingRecovered') > 0);
  assert.equal(silent, false);
  world.media.stopFork = stopFork;
  stop();
  await paused;
  await recording.stop('hangup');
});

test("resumed while the recorder's own exchange is open: it is asked once that is over", async () => {
  const { world, recording } = await active();
  await recording.pause('operator');
  await world.until(() => world.steps.includes('recorder reinvite'));
  await soon();
  let acknowledge: (sdp: string) => void = () => {};
  const acknowledged = new Promise<string>((resolve) => {
    acknowledge = resolve;
  });
  world.recorderHandlers?.offer({ sdp: '', answer: () => acknowledged, refuse: () => {} });
  world.steps.length = 0;
  const resumed = recording.resume('operator').then(() => world.steps.push('resumed'));
  await soon();
  assert.deepEqual(world.steps, []);
  acknowledge('');
  await resumed;
  assert.deepEqual(world.steps, ['recorder reinvite', 'resume fork', 'answer fork', 'resumed']);
  await recording.stop('hangup');
});

test('paused and resumed while the recorder is being asked, which refuses the change: it is asked again', async (t) => {
  const alive = setInterval(() => {}, 1_000);
  t.after(() => clearInterval(alive));
  const world = new FakeWorld();
  const recording = world.recording(world.facts(['sip:r1']));
  await recording.pause('operator');
  world.onStep = (step) => step === 'recorder invite' && void recording.resume('operator');
  world.recorderReinviteStatus = 500;
  recording.start(world.media);
  await world.until(() => world.steps.includes('recorder reinvite'));
  await soon();
  assert.deepEqual([recording.view.phase, recording.view.pausedBy], ['paused', ['recorder']]);
  world.recorderReinviteStatus = 200;
  await world.until(() => world.count('recordingStarted') > 0);
  await recording.stop('hangup');
});

test('a pause that the relay does not confirm ends the recording, fork and dialog', async () => {
  const { world, recording } = await active();
  world.behaviours.set('pause fork', 'fail');
  await assert.rejects(recording.pause('operator'), code('deadline-exceeded'));
  await world.until(() => world.count('recordingEnded') > 0);
  assert.deepEqual([...world.held.keys()], ['near INVITE']);
  await assert.rejects(recording.pause('operator'), code('wrong-state'));
});

test('paused before the recorder is asked: it is offered nothing but inactive, and started by resuming', async () => {
  const world = new FakeWorld();
  const recording = world.recording(world.facts(['sip:r1']));
  await recording.pause('operator');
  world.recorderWants = 'inactive';
  recording.start(world.media);
  await world.until(() => world.count('recordingPaused operator') > 0);
  assert.deepEqual([world.steps, world.proposed], [['start fork', 'recorder invite'], ['inactive']]);
  world.recorderWants = 'recvonly';
  await recording.resume('operator');
  assert.equal(world.count('recordingStarted'), 1);
  await recording.stop('hangup');
});

test('RFC 7866 §7.2: a recorder that waits is waited for, its offer starts the recording, its next one stops the fork', async () => {
  const world = new FakeWorld();
  world.recorderWants = 'inactive';
  const recording = world.recording(world.facts(['sip:r1']));
  recording.start(world.media);
  await world.until(() => world.count('recordingPaused recorder-inactive') > 0);
  assert.equal(world.count('recordingStarted'), 0);
  for (const wants of ['recvonly', 'inactive'] as const) {
    world.recorderWants = wants;
    const offer = fakeOffer(`recorder wants ${wants}`);
    world.recorderHandlers?.offer(offer);
    await offer.heard;
  }
  await world.until(() => world.count('recordingPaused recorder-inactive') > 1);
  assert.deepEqual(told(world).slice(1), ['recordingStarted', 'recordingPaused recorder-inactive']);
  await recording.stop('hangup');
  assert.equal(world.count('recordingEnded'), 1);
});

test('a recorder that waits until the end: the recording has failed, and says so', async () => {
  const world = new FakeWorld();
  world.recorderWants = 'inactive';
  const recording = world.recording(world.facts(['sip:r1']));
  recording.start(world.media);
  await world.until(() => world.count('recordingPaused recorder-inactive') > 0);
  await recording.stop('hangup');
  assert.equal(world.terminationOf('recordingFailed')?.reason, 'recorder-inactive');
});

test('ended while the call goes on: fork and dialog are given back', async () => {
  const { world, recording } = await active();
  await recording.end(terminated('ended-by-operator', 'agent 7'));
  assert.deepEqual([...world.held.keys()], ['near INVITE']);
  const termination = world.terminationOf('recordingEnded');
  assert.deepEqual([termination?.reason, termination?.detail], ['ended-by-operator', 'agent 7']);
});
