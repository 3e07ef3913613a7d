import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeWorld } from '../testing/fake-world.js';
import { CallAdmission } from './admission.js';
import { CallDesk } from './call-desk.js';
import { CallRegistry } from './call-registry.js';
import type { CallSession } from './call-session.js';
import { Recordings } from './recordings.js';

const never = new AbortController().signal;

function desk(world: FakeWorld, recorders: readonly string[] = ['sip:r1']) {
  const registry = new CallRegistry<CallSession>(10);
  const policies = { missing: [] };
  const admission = new CallAdmission(registry, world.relays, policies, { problem: undefined });
  const drains: boolean[] = [];
  const made = new CallDesk({
    registry,
    admission,
    newRecording: (facts) => new Recordings([world.recording(facts)], 'all'),
    recordersOf: () => recorders,
    onDrain: () => drains.push(admission.draining),
  });
  return { desk: made, registry, admission, drains };
}

/** A call that is answered and, where it has recorders, recorded. */
async function answered(world: FakeWorld, registry: CallRegistry<CallSession>, recorders?: string[]) {
  const call = world.call(recorders);
  registry.add(call);
  void call.ended.then(() => registry.remove(call.id));
  call.start();
  await world.until(() => world.count(recorders?.length === 0 ? 'callAnswered' : 'recordingStarted') > 0);
  return call;
}

test('a live call is seen with its parties and its recording, and no more once it is over', async () => {
  const world = new FakeWorld();
  const { desk: calls, registry } = desk(world);
  const call = await answered(world, registry);
  const view = calls.get(call.id);
  assert.equal(view.phase, 'talking');
  assert.equal(view.facts.parties.called.user, '+15550001');
  assert.ok(view.answeredAt !== undefined && view.answeredAt >= view.facts.startedAt);
  const { recordingCallId } = view.facts;
  assert.deepEqual(view.recordings, [
    { recordingId: 'r', recorderCallId: recordingCallId, phase: 'active', recorder: 'sip:r1', pausedBy: [] },
  ]);
  assert.equal(calls.list('contoso').length, 1);
  assert.equal(calls.list('fabrikam').length, 0);
  world.near?.hangUp();
  await call.ended;
  assert.throws(() => calls.get(call.id), { code: 'not-found', message: new RegExp(call.id) });
  assert.deepEqual(calls.list(''), []);
});

test('an operator ends a call: BYE to both, the reason in the record, nothing left', async () => {
  const world = new FakeWorld();
  const { desk: calls, registry } = desk(world);
  const call = await answered(world, registry);
  await calls.end(call.id, 'fraud case 7', never);
  assert.deepEqual(world.did.filter((what) => what.startsWith('bye')).sort(), ['bye far', 'bye near']);
  const { reason, detail } = world.terminationOf('callEnded') ?? {};
  assert.deepEqual([reason, detail], ['ended-by-operator', 'fraud case 7']);
  assert.deepEqual([...world.held.keys()], []);
});

test('a reason that could not go into a header is refused, the call stays', async () => {
  const world = new FakeWorld();
  const { desk: calls, registry } = desk(world);
  const call = await answered(world, registry);
  for (const bad of ['a\r\nVia: x', 'x'.repeat(101)])
    await assert.rejects(calls.end(call.id, bad, never), { code: 'bad-request', message: /reason/ });
  assert.equal(call.phase, 'talking');
  await calls.end(call.id, '', never);
});

test('a recording is stopped while the call goes on, and another one begins on demand, under another Call-ID', async () => {
  const world = new FakeWorld();
  const { desk: calls, registry } = desk(world);
  const call = await answered(world, registry);
  const stopped = await calls.stopRecording(call.id, never);
  assert.equal(stopped.recordings[0]?.phase, 'ended');
  assert.equal(world.terminationOf('recordingEnded')?.reason, 'ended-by-operator');
  assert.deepEqual([...world.held.keys()].sort(), ['leg far', 'leg near', 'media']);
  await assert.rejects(calls.stopRecording(call.id, never), { code: 'wrong-state', message: /is ended/ });

  calls.startRecording(call.id);
  await world.until(() => world.count('recordingStarted') === 2);
  const [first, second] = calls.get(call.id).recordings;
  assert.equal(second?.phase, 'active');
  assert.notEqual(first?.recorderCallId, second?.recorderCallId);
  assert.throws(() => calls.startRecording(call.id), { code: 'wrong-state', message: /is active already/ });
  await calls.end(call.id, '', never);
  assert.equal(world.count('recordingEnded'), 2);
  assert.deepEqual([...world.held.keys()], []);
});

test('a call that the policy left alone is recorded on demand; without a recorder it is said why not', async () => {
  const world = new FakeWorld();
  const { desk: calls, registry } = desk(world);
  const call = await answered(world, registry, []);
  await assert.rejects(calls.stopRecording(call.id, never), { code: 'wrong-state', message: /not recorded/ });
  calls.startRecording(call.id);
  await world.until(() => world.count('recordingStarted') === 1);
  await calls.end(call.id, '', never);
  assert.deepEqual([...world.held.keys()], []);

  const another = new FakeWorld();
  const none = desk(another, []);
  const unrecorded = await answered(another, none.registry, []);
  assert.throws(() => none.desk.startRecording(unrecorded.id), { code: 'wrong-state', message: /no recorder/ });
  await none.desk.end(unrecorded.id, '', never);
});

test('a call that is not answered yet is not recorded on demand', async () => {
  const world = new FakeWorld();
  const { desk: calls, registry } = desk(world);
  world.behaviours.set('answer', 'obey');
  const call = world.call([]);
  registry.add(call);
  call.start();
  await world.until(() => world.steps.includes('answer'));
  assert.throws(() => calls.startRecording(call.id), { code: 'wrong-state', message: /dialling/ });
  await calls.end(call.id, '', never);
  assert.match(world.did.join(), /refuse 480/);
});

test('a drain is undone, unless the process stops', () => {
  const { desk: calls, admission, drains } = desk(new FakeWorld());
  calls.drain(false);
  assert.equal(admission.problem('contoso')?.reason, 'draining');
  calls.drain(true);
  assert.equal(admission.problem('contoso'), undefined);
  admission.stop();
  assert.throws(() => calls.drain(true), { code: 'wrong-state' });
  assert.equal(admission.draining, true);
  assert.deepEqual(drains, [true, false]);
});
