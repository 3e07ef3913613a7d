// A call whose INVITE has no SDP: the far side offers, the caller answers in its ACK (RFC 3261 §13.2.1, RFC 3264 §4).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeWorld } from '../testing/fake-world.js';
import { terminated } from './termination.js';

function lateWorld(): FakeWorld {
  const world = new FakeWorld();
  world.nearOffer = '';
  return world;
}

function assertClean(world: FakeWorld, what: string): void {
  assert.deepEqual([...world.held.keys()], [], `${what}: still held`);
  assert.equal(world.count('callEnded'), 1, `${what}: ends told`);
  assert.equal(world.count('recordingStarted'), world.count('recordingEnded'), `${what}: recording starts and ends`);
}

async function wholeCall(world: FakeWorld): Promise<void> {
  const call = world.call();
  call.start();
  const over = () => world.count('callEnded') > 0;
  await world.until(() => world.count('callAnswered') * world.count('recordingStarted') > 0 || over());
  if (!over()) world.near?.hangUp();
  await call.ended;
}

test("the far side's offer reaches the caller, and the answer in the caller's ACK the far side's ACK", async () => {
  const world = lateWorld();
  await wholeCall(world);
  assertClean(world, 'whole call');
  const media = world.did.filter((what) => /^(ring|offered|answered|media)/.test(what));
  assert.deepEqual(media, [
    // Nothing of a description in a response that may get lost is an offer.
    'ring 183',
    'offered near offer relayed of far offer',
    'media answer customer near answer',
    'answered far answer relayed of near answer',
  ]);
  assert.equal(world.opened, 'seller far offer');
  assert.equal(world.terminationOf('callEnded')?.reason, 'hangup');
});

test('the recording begins beside the 200 and hears of the answer', async () => {
  const world = lateWorld();
  world.behaviours.set('near ack', 'ok');
  await wholeCall(world);
  assert.ok(world.steps.indexOf('start fork') > world.steps.indexOf('open media'));
  assert.equal(world.count('recordingStarted'), 1);
});

test('an ACK without an answer ends the call on both sides', async () => {
  const world = lateWorld();
  world.nearAck = '';
  const call = world.call([]);
  call.start();
  await call.ended;
  assertClean(world, 'no answer');
  assert.deepEqual([world.terminationOf('callEnded')?.reason], ['not-acceptable-here']);
  assert.ok(world.did.includes('bye near') && world.did.includes('bye far'));
});

const pattern = lateWorld();
await wholeCall(pattern);

const disturbances: Record<string, (world: FakeWorld, close: () => void) => void> = {
  'the caller cancels': (world) => world.cancel(),
  'the near side hangs up': (world, close) => (world.near ? world.near.hangUp() : close()),
  'the far side hangs up': (world, close) => (world.far ? world.far.hangUp() : close()),
  'the media is lost': (world, close) => (world.loseMedia ? world.loseMedia('engine restarted') : close()),
};

for (const [what, disturb] of Object.entries(disturbances)) {
  test(`${what} at any step of a late offer: everything is given back, one termination`, async () => {
    for (const [index, name] of pattern.steps.entries()) {
      const world = lateWorld();
      const call = world.call();
      world.onStep = (_name, at) => at === index && disturb(world, () => call.close(terminated('drained')));
      call.start();
      const decided = () => world.count('recordingStarted') + world.count('recordingFailed') > 0;
      await world.until(() => (call.phase === 'talking' && decided()) || world.count('callEnded') > 0);
      if (call.phase === 'talking') world.far?.hangUp();
      await call.ended;
      assertClean(world, `${what} at step ${index} (${name})`);
    }
  });
}
