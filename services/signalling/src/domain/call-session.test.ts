import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeOffer } from '../testing/fake-leg.js';
import { type Behaviour, FakeWorld } from '../testing/fake-world.js';
import { terminated } from './termination.js';

function assertClean(world: FakeWorld, what: string): void {
  assert.deepEqual([...world.held.keys()], [], `${what}: still held`);
  assert.equal(world.count('callEnded'), 1, `${what}: ends told`);
  const recordingEnds = world.count('recordingEnded') + world.count('recordingFailed');
  // The recorder is asked beside the 200: a caller who gives up in that moment leaves a recording that failed, and no answer.
  assert.ok(recordingEnds <= 1 && recordingEnds >= world.count('callAnswered'), `${what}: recording ends told`);
  assert.equal(world.count('recordingStarted'), world.count('recordingEnded'), `${what}: recording starts and ends`);
}

/** A whole recorded call with early media; the caller hangs up in the end. */
async function wholeCall(world: FakeWorld): Promise<void> {
  const call = world.call();
  call.start();
  const over = () => world.count('callEnded') > 0;
  await world.until(() => world.asked || over());
  if (!over()) world.near?.hangUp();
  await call.ended;
}

test('a call is relayed, recorded and ended with its resources given back', async () => {
  const world = new FakeWorld();
  await wholeCall(world);
  assertClean(world, 'whole call');
  assert.deepEqual(
    world.told.map(({ kind, termination }) => (termination ? `${kind} ${termination.reason}` : kind)),
    ['callStarted', 'callAnswered', 'recordingStarted', 'recordingEnded call-ended', 'callEnded hangup'],
  );
  assert.ok(world.did.includes('ring 183 answer relayed of early answer'));
  assert.ok(world.did.includes('bye far'));
  assert.ok(!world.did.includes('bye near'));
});

const pattern = new FakeWorld();
await wholeCall(pattern);

const disturbances: Record<string, (world: FakeWorld, close: () => void) => void> = {
  'the caller cancels': (world) => world.cancel(),
  'the near side hangs up': (world, close) => (world.near ? world.near.hangUp() : close()),
  'the far side hangs up': (world, close) => (world.far ? world.far.hangUp() : close()),
  'the media is lost': (world, close) => (world.loseMedia ? world.loseMedia('engine restarted') : close()),
  'the instance drains': (_world, close) => close(),
};

for (const [what, disturb] of Object.entries(disturbances)) {
  test(`${what} at any step: everything is given back, one termination`, async () => {
    for (const [index, name] of pattern.steps.entries()) {
      const world = new FakeWorld();
      const call = world.call();
      world.onStep = (_name, at) => at === index && disturb(world, () => call.close(terminated('drained')));
      call.start();
      await world.until(() => world.asked || world.count('callEnded') > 0);
      // A CANCEL after the 200 changes nothing, so such a call is hung up.
      if (call.phase === 'talking') world.far?.hangUp();
      await call.ended;
      assertClean(world, `${what} at step ${index} (${name})`);
    }
  });
}

for (const behaviour of ['fail', 'late'] satisfies Behaviour[]) {
  test(`a port that answers "${behaviour}" at any step, with the caller gone: everything is given back`, async () => {
    for (const name of new Set(pattern.steps)) {
      const world = new FakeWorld();
      world.behaviours.set(name, behaviour);
      const call = world.call();
      if (behaviour === 'late')
        world.onStep = (at) => at === name && setImmediate(() => call.close(terminated('drained')));
      call.start();
      await world.until(() => world.asked || world.count('callEnded') > 0);
      if (call.phase === 'talking') world.near?.hangUp();
      await call.ended;
      assertClean(world, `${behaviour} at ${name}`);
    }
  });
}

test('a silent recorder changes nothing for the call, and is cancelled with it', async () => {
  const world = new FakeWorld();
  world.behaviours.set('recorder invite', 'obey');
  const call = world.call();
  call.start();
  await world.until(() => world.steps.includes('recorder invite'));
  assert.equal(call.phase, 'talking');
  world.far?.hangUp();
  await call.ended;
  assertClean(world, 'silent recorder');
  assert.equal(world.terminationOf('recordingFailed')?.reason, 'call-ended-before-start');
  assert.equal(world.terminationOf('callEnded')?.reason, 'hangup');
});

test('an unusable answer of the recorder: BYE, no packet, the call goes on', async () => {
  const world = new FakeWorld();
  world.script.check = () => {
    throw new Error('answered in "RTP/AVP"');
  };
  const call = world.call();
  call.start();
  await world.until(() => world.asked);
  assert.equal(call.phase, 'talking');
  assert.ok(!world.did.some((what) => what.startsWith('fork answered')));
  assert.deepEqual([...world.held.keys()].sort(), ['leg far', 'leg near', 'media']);
  world.near?.hangUp();
  await call.ended;
});

test('a call in which nobody is heard ends as media-timeout on both sides, unless it is held', async () => {
  const world = new FakeWorld();
  const call = world.call([]);
  call.start();
  await world.until(() => world.steps.includes('open media'));
  // While it rings nobody need speak.
  world.onStep = (name) => name === 'ring' && world.fallSilent?.(60);
  await world.until(() => world.count('callAnswered') > 0);
  const hold = fakeOffer('m=audio 4000 RTP/AVP 0\r\na=inactive\r\n');
  world.near?.handlers?.offer(hold);
  await hold.heard;
  world.fallSilent?.(61);
  assert.equal(call.phase, 'talking');
  const resume = fakeOffer('m=audio 4000 RTP/AVP 0\r\na=sendrecv\r\n');
  world.near?.handlers?.offer(resume);
  await resume.heard;
  world.fallSilent?.(60);
  await call.ended;
  assert.deepEqual(world.terminationOf('callEnded')?.reason, 'media-timeout');
  assert.deepEqual(world.did.filter((what) => what.startsWith('bye')).sort(), ['bye far', 'bye near']);
});

test('a media relay that is down refuses the call with 503 and its name', async () => {
  const world = new FakeWorld();
  world.behaviours.set('open media', 'fail');
  const call = world.call([]);
  call.start();
  await call.ended;
  assert.deepEqual(world.did, ['refuse 504 399 sidestream "open media fails"']);
  assert.deepEqual(world.told.at(-1)?.termination?.reason, 'deadline-exceeded');
});

test("the far side's refusal is relayed with its status alone", async () => {
  const world = new FakeWorld();
  world.farRefusal = { status: 486, reason: 'internal-host-7 is busy' };
  const call = world.call([]);
  call.start();
  await call.ended;
  assert.deepEqual(world.did, ['refuse 486']);
  assert.equal(world.terminationOf('callEnded')?.reason, 'busy');
});

test('INFO of either side reaches the other', async () => {
  const world = new FakeWorld();
  const call = world.call([]);
  call.start();
  await world.until(() => world.count('callAnswered') > 0);
  const status = await new Promise<number>((resolve) => {
    world.near?.handlers?.info({ contentType: 'application/dtmf-relay', body: 'Signal=5', respond: resolve });
  });
  assert.equal(status, 200);
  assert.ok(world.did.includes('info far Signal=5'));
  world.near?.hangUp();
  await call.ended;
});

test('RFC 5057 §5.1: a side that answers 481 to INFO has no call any more: the other one hears it, and the call ends', async () => {
  const world = new FakeWorld();
  const call = world.call([]);
  call.start();
  await world.until(() => world.count('callAnswered') > 0);
  if (world.far) world.far.infoStatus = 481;
  const status = await new Promise<number>((resolve) => {
    world.near?.handlers?.info({ contentType: 'application/dtmf-relay', body: 'Signal=5', respond: resolve });
  });
  assert.equal(status, 481);
  await call.ended;
  assert.equal(world.terminationOf('callEnded')?.reason, 'far-side-failed');
  assert.ok(world.did.includes('bye near'));
});
