// When a call's recording begins and what depends on it: start ringing, mode required. Its ports fail, hang and are late.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Behaviour, FakeWorld } from '../testing/fake-world.js';
import { RecordingsOfCall } from './call-recording.js';
import { type RecordingTerms, usualTerms } from './recording-terms.js';
import { Recordings } from './recordings.js';
import { terminated } from './termination.js';

const ringing: Partial<RecordingTerms> = { start: 'ringing' };
const required: Partial<RecordingTerms> = { required: true };

function assertClean(world: FakeWorld, what: string): void {
  assert.deepEqual([...world.held.keys()], [], `${what}: still held`);
  assert.equal(world.count('callEnded'), 1, `${what}: ends told`);
  assert.equal(world.count('recordingStarted'), world.count('recordingEnded'), `${what}: recording starts and ends`);
  assert.ok(world.count('recordingEnded') + world.count('recordingFailed') <= 1, `${what}: recording ends told`);
}

const recorded = (world: FakeWorld) => world.asked;
const over = (world: FakeWorld) => world.count('callEnded') > 0;

function recorderHangsUp(world: FakeWorld): void {
  if (world.recorderHandlers === undefined) return;
  world.release('recorder dialog');
  world.recorderHandlers.ended('hangup', 'BYE');
}

/** A whole call; the caller hangs up once it is answered and its recording has begun or failed. */
async function wholeCall(world: FakeWorld, terms: Partial<RecordingTerms>): Promise<void> {
  const call = world.call(['sip:r1'], terms);
  call.start();
  await world.until(() => (world.count('callAnswered') > 0 && recorded(world)) || over(world));
  if (!over(world)) world.near?.hangUp();
  await call.ended;
}

test('ringing: the recorder is asked behind the ringing and before the answer; the fork hears of the answer', async () => {
  const world = new FakeWorld();
  await wholeCall(world, ringing);
  assertClean(world, 'ringing');
  const at = (name: string) => world.steps.indexOf(name);
  assert.ok(at('ring') < at('start fork'));
  assert.ok(at('start fork') < at('accept'));
  assert.ok(world.steps.filter((name) => name === 'start fork').length > 1, 'the fork is renewed after the answer');
  assert.equal(world.terminationOf('recordingEnded')?.reason, 'call-ended');
});

test('ringing, several early answers: each reaches relay and caller in order, and the fork after each', async () => {
  const world = new FakeWorld();
  world.earlyAnswers = ['early 1', 'early 2'];
  await wholeCall(world, ringing);
  assertClean(world, 'several early answers');
  assert.deepEqual(
    world.did.filter((what) => what.startsWith('media answer')),
    ['early 1', 'early 2', 'far answer'].map((sdp) => `media answer seller ${sdp}`),
  );
  assert.equal(world.count('recordingStarted'), 1);
  assert.ok(world.steps.lastIndexOf('start fork') > world.steps.lastIndexOf('media answer'));
});

test('required: the caller hears 200 after the recording has started', async () => {
  const world = new FakeWorld();
  const told: string[] = [];
  world.onStep = (name) => name === 'accept' && told.push(...world.told.map(({ kind }) => kind));
  await wholeCall(world, required);
  assertClean(world, 'required');
  assert.deepEqual(told, ['callStarted', 'recordingStarted']);
});

test('answer: nothing of the recording happens before the 200 leaves, and it does not wait for the ACK', async () => {
  const world = new FakeWorld();
  await wholeCall(world, {});
  assert.ok(world.steps.indexOf('accept') < world.steps.indexOf('start fork'));
  assert.equal(world.steps.filter((name) => name === 'start fork').length, 1);
});

for (const terms of [ringing, required]) {
  const mode = terms.required ? 'required' : 'ringing';
  const pattern = new FakeWorld();
  await wholeCall(pattern, terms);

  const disturbances: Record<string, (world: FakeWorld, close: () => void) => void> = {
    'the caller cancels': (world) => world.cancel(),
    'the far side hangs up': (world, close) => (world.far ? world.far.hangUp() : close()),
    'the recorder hangs up': recorderHangsUp,
    'the media is lost': (world, close) => (world.loseMedia ? world.loseMedia('engine restarted') : close()),
    'the instance drains': (_world, close) => close(),
  };
  for (const [what, disturb] of Object.entries(disturbances)) {
    test(`${mode}, ${what} at any step: everything is given back, one termination`, async () => {
      for (const [index, name] of pattern.steps.entries()) {
        const world = new FakeWorld();
        const call = world.call(['sip:r1'], terms);
        world.onStep = (_name, at) => at === index && disturb(world, () => call.close(terminated('drained')));
        call.start();
        await world.until(() => (world.count('callAnswered') > 0 && recorded(world)) || over(world));
        if (call.phase === 'talking') world.far?.hangUp();
        await call.ended;
        assertClean(world, `${mode}, ${what} at step ${index} (${name})`);
      }
    });
  }

  for (const behaviour of ['fail', 'late'] satisfies Behaviour[]) {
    test(`${mode}, a port that answers "${behaviour}" at any step: everything is given back`, async () => {
      for (const name of new Set(pattern.steps)) {
        const world = new FakeWorld();
        world.behaviours.set(name, behaviour);
        const call = world.call(['sip:r1'], terms);
        if (behaviour === 'late')
          world.onStep = (at) => at === name && setImmediate(() => call.close(terminated('drained')));
        call.start();
        await world.until(() => (world.count('callAnswered') > 0 && recorded(world)) || over(world));
        if (call.phase === 'talking') world.near?.hangUp();
        await call.ended;
        assertClean(world, `${mode}, ${behaviour} at ${name}`);
      }
    });
  }

  test(`${mode}: a call that is refused after it rang ends its recording`, async () => {
    const world = new FakeWorld();
    world.behaviours.set('answer', 'fail');
    world.onStep = (name) => name === 'answer' && assert.equal(world.count('callAnswered'), 0);
    const call = world.call(['sip:r1'], terms);
    call.start();
    await call.ended;
    assertClean(world, `${mode}, refused`);
  });
}

test('ringing: a recorder that fails changes nothing for the call', async () => {
  const world = new FakeWorld();
  world.behaviours.set('recorder invite', 'fail');
  await wholeCall(world, ringing);
  assert.equal(world.terminationOf('callEnded')?.reason, 'hangup');
  assert.equal(world.count('recordingFailed'), 1);
});

test('required, a recorder that fails while the far side rings: 503 with the reason, and CANCEL', async () => {
  const world = new FakeWorld();
  world.behaviours.set('recorder invite', 'fail');
  world.behaviours.set('answer', 'obey');
  const call = world.call(['sip:r1'], required);
  call.start();
  await call.ended;
  assertClean(world, 'required, recorder fails');
  assert.equal(world.terminationOf('callEnded')?.reason, 'recording-required');
  assert.ok(world.did.some((what) => /^refuse 503 .*no recorder has taken the call/.test(what)));
  assert.equal(world.far, undefined);
});

test('required, a silent recorder: the answered far side waits as long as is configured, then both are told', async (t) => {
  // The call's own timers keep no process alive.
  const alive = setInterval(() => {}, 1_000);
  t.after(() => clearInterval(alive));
  const world = new FakeWorld();
  world.behaviours.set('recorder invite', 'obey');
  const call = world.call(['sip:r1'], { ...required, requiredTimeoutMs: 30 });
  call.start();
  await call.ended;
  assertClean(world, 'required, recorder silent');
  assert.equal(world.count('callAnswered'), 0);
  assert.deepEqual(world.terminationOf('callEnded'), {
    ...terminated('recording-required'),
    detail: 'the call must be recorded: no recorder took the call in 30 ms',
  });
  assert.ok(world.did.some((what) => what.startsWith('refuse 503 ')));
  assert.ok(world.did.includes('bye far'));
  assert.equal(world.terminationOf('recordingFailed')?.reason, 'call-ended-before-start');
});

for (const [onLoss, reason] of [
  ['keep', 'hangup'],
  ['end', 'recording-required'],
] as const) {
  test(`required, lost in the middle, onLoss ${onLoss}: the call ends as ${reason}`, async () => {
    const world = new FakeWorld();
    const call = world.call(['sip:r1'], { ...required, onLoss });
    call.start();
    await world.until(() => world.count('callAnswered') > 0);
    recorderHangsUp(world);
    if (onLoss === 'keep') world.near?.hangUp();
    await call.ended;
    assertClean(world, `lost, ${onLoss}`);
    assert.equal(world.terminationOf('callEnded')?.reason, reason);
    assert.equal(world.terminationOf('recordingEnded')?.reason, 'recorder-hangup');
  });
}

test('required, any of two, onLoss end: losses one after the other, each recovered, do not end the call; both at once do', async (t) => {
  // The waits before another try keep no process alive.
  const alive = setInterval(() => {}, 1_000);
  t.after(() => clearInterval(alive));
  const worlds = [new FakeWorld(), new FakeWorld()] as const;
  const [one, two] = worlds;
  const both = new Recordings([one.recording(one.facts(['sip:r1'])), two.recording(two.facts(['sip:r2']))], 'any');
  const unrecorded: string[] = [];
  const call = new RecordingsOfCall(
    { ...usualTerms, required: true, onLoss: 'end', parallel: 'any', of: both, again: () => both },
    {
      onRecorded: () => undefined,
      onUnrecorded: (why) => unrecorded.push(why),
      onChange: () => undefined,
      signal: new AbortController().signal,
    },
  );
  call.beginPlanned(one.media);
  for (const world of worlds) await world.until(() => world.count('recordingStarted') === 1);
  for (const world of worlds) {
    world.recorderHandlers?.ended('hangup', 'BYE');
    await world.until(() => world.count('recordingRecovered') === 1);
    assert.deepEqual(unrecorded, []);
  }
  for (const world of worlds) world.recorderHandlers?.ended('hangup', 'BYE');
  assert.deepEqual(unrecorded, ['the recording was lost']);
  await both.stop('hangup');
});
