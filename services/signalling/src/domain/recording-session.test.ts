import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { FakeWorld } from '../testing/fake-world.js';

const recorders = ['sip:r1', 'sip:r2'];
const dialled = (world: FakeWorld) => world.did.filter((what) => what.startsWith('recorder '));

test('RFC 3263 §4.3: the next recorder hears the same Call-ID', async () => {
  const world = new FakeWorld();
  const facts = world.facts(recorders);
  const recording = world.recording(facts);
  world.onStep = (name) => {
    world.behaviours.set('recorder invite', name === 'recorder invite' && dialled(world).length === 1 ? 'fail' : 'ok');
  };
  recording.start(world.media);
  await world.until(() => world.count('recordingStarted') > 0);
  assert.deepEqual(dialled(world), [
    `recorder sip:r1 ${facts.recordingCallId}`,
    `recorder sip:r2 ${facts.recordingCallId}`,
  ]);
  await recording.stop('hangup');
  // The fork ends with the media session, which the call closes.
  assert.deepEqual([...world.held.keys()], ['near INVITE', 'fork r.1']);
});

test('all recorders fail until the end: one termination, the reason of the last one, no fork left', async () => {
  const world = new FakeWorld();
  world.behaviours.set('recorder invite', 'fail');
  const recording = world.recording(world.facts(recorders));
  recording.start(world.media);
  assert.equal(await recording.started, false);
  assert.equal(recording.view.phase, 'waiting');
  assert.equal(dialled(world).length, 2);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([...world.held.keys()], ['near INVITE']);
  await recording.stop('hangup');
  assert.deepEqual(
    world.told.map(({ kind }) => kind),
    ['recordingDelayed', 'recordingFailed'],
  );
  assert.equal(world.terminationOf('recordingFailed')?.reason, 'deadline-exceeded');
});

test('all recorders fail at first: they are asked again, in the order of then, with the forks that they know', async (t) => {
  const alive = setInterval(() => {}, 1_000);
  t.after(() => clearInterval(alive));
  const world = new FakeWorld();
  world.behaviours.set('recorder invite', 'fail');
  const recording = world.recording(world.facts(recorders));
  recording.start(world.media);
  await recording.started;
  world.behaviours.clear();
  world.recorders.order = () => ['sip:r2', 'sip:r1'];
  await world.until(() => world.count('recordingStarted') > 0);
  assert.deepEqual(
    dialled(world).map((what) => what.split(' ')[1]),
    ['sip:r1', 'sip:r2', 'sip:r2'],
  );
  assert.deepEqual([...world.held.keys()], ['near INVITE', 'fork r.1', 'recorder dialog']);
  await recording.stop('hangup');
  assert.equal(world.terminationOf('recordingEnded')?.reason, 'call-ended');
});

test('what fails unforeseen while something is announced ends the recording, and what comes after it is not lost', async () => {
  const world = new FakeWorld();
  world.events.recordingStarted = () => {
    throw new Error('broken');
  };
  const recording = world.recording(world.facts(recorders));
  recording.start(world.media);
  await recording.ended;
  assert.equal(world.terminationOf('recordingEnded')?.reason, 'internal');
  assert.deepEqual([...world.held.keys()], ['near INVITE']);
});

test('a recording lasts until its end is wanted, however long giving it back takes', async () => {
  const world = new FakeWorld();
  world.nowMs = 0;
  const recording = world.recording(world.facts(recorders));
  recording.start(world.media);
  await world.until(() => world.count('recordingStarted') > 0);
  world.nowMs = 60_000;
  const { bye } = world.recorderDialog;
  world.recorderDialog.bye = (...args) => {
    world.nowMs = 64_000;
    return bye(...args);
  };
  await recording.stop('hangup');
  assert.deepEqual(world.durations, [60_000]);
});

test('a change of the media while the recorder is being asked is sent as soon as it has answered', async () => {
  const world = new FakeWorld();
  const recording = world.recording(world.facts(recorders));
  world.onStep = (name, index) => name === 'recorder invite' && index < 3 && recording.refresh();
  recording.start(world.media);
  await world.until(() => world.steps.includes('recorder reinvite'));
  await recording.stop('hangup');
  assert.equal(world.count('recordingEnded'), 1);
});

test('a recording that never began ends as well', async () => {
  const world = new FakeWorld();
  const recording = world.recording(world.facts(recorders));
  await recording.stop('cancelled');
  assert.equal(world.terminationOf('recordingFailed')?.reason, 'call-ended-before-start');
});

test('each recorder is offered a fork of its own, since the one before has seen its keys', async () => {
  const world = new FakeWorld();
  world.onStep = (name) => {
    world.behaviours.set('recorder invite', name === 'recorder invite' && dialled(world).length === 1 ? 'fail' : 'ok');
  };
  const recording = world.recording(world.facts(recorders));
  recording.start(world.media);
  await world.until(() => world.count('recordingStarted') > 0);
  assert.deepEqual(world.steps, ['start fork', 'recorder invite', 'start fork', 'recorder invite', 'answer fork']);
  assert.deepEqual(
    [...world.held.keys()].filter((what) => what.startsWith('fork')),
    ['fork r.1'],
  );
  assert.ok(world.did.includes('state kept of r.1'));
  await recording.stop('hangup');
  // The fork ends with the media session, which the call closes.
  assert.deepEqual([...world.held.keys()], ['near INVITE', 'fork r.1']);
});

for (const [status, reason] of [
  [200, 'call-ended'],
  [481, 'recorder-lost'],
  [undefined, 'recorder-lost'],
] as const) {
  test(`a BYE that the recorder answers by ${status ?? 'nothing'} ends the recording as ${reason}`, async () => {
    const world = new FakeWorld();
    world.recorderByeStatus = status;
    const recording = world.recording(world.facts(recorders));
    recording.start(world.media);
    await world.until(() => world.count('recordingStarted') > 0);
    await recording.stop('hangup');
    assert.equal(world.terminationOf('recordingEnded')?.reason, reason);
  });
}

test("the recording's state is kept again after each re-INVITE", async () => {
  const world = new FakeWorld();
  const kept = () => world.did.filter((what) => what === 'state kept of r.0').length;
  const recording = world.recording(world.facts(recorders));
  recording.start(world.media);
  await world.until(() => world.count('recordingStarted') > 0);
  assert.equal(kept(), 1);
  const answered = once(world.keptState, 'kept');
  recording.refresh();
  await answered;
  assert.equal(kept(), 2);
  await recording.stop('hangup');
});

test('RFC 7866 §9.2: a snapshot that the recorder wants before the recording is up is sent once it is', async () => {
  const world = new FakeWorld();
  const recording = world.recording(world.facts(recorders));
  world.onStep = (name) => name === 'answer fork' && world.recorderHandlers?.snapshotWanted();
  recording.start(world.media);
  await world.until(() => world.steps.includes('recorder reinvite'));
  await recording.stop('hangup');
});
