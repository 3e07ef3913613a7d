import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SidestreamError } from '@sidestream/service';
import { fakeOffer } from '../testing/fake-leg.js';
import { FakeWorld } from '../testing/fake-world.js';
import type { RecordingSessionOptions } from './recording-session.js';

/** Waits keep no process alive by themselves. */
function alive(t: TestContext): void {
  const timer = setInterval(() => {}, 1_000);
  t.after(() => clearInterval(timer));
}

/** A time after everything so far, without fractions. */
const laterMs = () => Math.ceil(performance.now()) + 1_000;

async function active(recorders: string[], options: RecordingSessionOptions = {}) {
  const world = new FakeWorld();
  const facts = world.facts(recorders);
  const recording = world.recording(facts, options);
  recording.start(world.media);
  await world.until(() => world.count('recordingStarted') > 0);
  const first = world.recorderHandlers;
  world.did.length = 0;
  world.steps.length = 0;
  const dialled = () => world.did.filter((what) => what.startsWith('recorder '));
  const hangUp = () => {
    world.release('recorder dialog');
    first?.ended('hangup', 'BYE');
  };
  return { world, recording, callId: facts.recordingCallId, dialled, hangUp, handlers: first };
}

test("the recorder's BYE: the next one at once, with a fork of its own and the same Call-ID; the gap is told", async () => {
  const { world, recording, callId, dialled, hangUp } = await active(['sip:r1', 'sip:r2']);
  hangUp();
  await world.until(() => world.count('recordingRecovered') > 0);
  assert.deepEqual(dialled(), [`recorder sip:r2 ${callId}`]);
  assert.deepEqual([...world.held.keys()], ['near INVITE', 'fork r.1', 'recorder dialog']);
  assert.equal(world.terminationOf('recordingRecovered')?.reason, 'recorder-hangup');
  await recording.stop('hangup');
  const [gap, sum] = world.gaps;
  assert.ok(gap !== undefined && gap > 0 && gap < 1_000);
  assert.equal(sum, gap);
  assert.equal(world.terminationOf('recordingEnded')?.reason, 'call-ended');
});

test('RFC 3261 §8.1.1.4: a new dialog may have a new Call-ID, which is asked for', async () => {
  const { world, recording, callId, dialled, hangUp } = await active(['sip:r1', 'sip:r2'], {
    callIdOnReestablish: 'new',
  });
  hangUp();
  await world.until(() => world.count('recordingRecovered') > 0);
  const { recordingCallId } = recording.facts.call;
  assert.notEqual(recordingCallId, callId);
  assert.deepEqual(dialled(), [`recorder sip:r2 ${recordingCallId}`]);
  await recording.stop('hangup');
});

test('the only recorder is asked again after a pause', async (t) => {
  alive(t);
  const { world, recording, dialled, hangUp } = await active(['sip:r1']);
  hangUp();
  await world.until(() => world.count('recordingRecovered') > 0);
  assert.equal(dialled().length, 1);
  assert.ok((world.gaps[0] ?? 0) >= 900);
  await recording.stop('hangup');
});

test('the call ends before another recorder is found: the recording ended with the loss, its gap lasts until the end', async () => {
  const { world, recording, hangUp } = await active(['sip:r1']);
  hangUp();
  assert.equal(recording.phase, 'waiting');
  await recording.stop('hangup');
  assert.equal(world.terminationOf('recordingEnded')?.reason, 'recorder-hangup');
  assert.ok((world.gaps[0] ?? 0) > 0);
  assert.deepEqual([...world.held.keys()], ['near INVITE']);
});

test('the call ends while the next recorder is asked: CANCEL, nothing is left', async () => {
  const { world, recording, hangUp } = await active(['sip:r1', 'sip:r2']);
  world.behaviours.set('recorder invite', 'obey');
  hangUp();
  await world.until(() => world.steps.includes('recorder invite'));
  await recording.stop('hangup');
  assert.equal(world.terminationOf('recordingEnded')?.reason, 'recorder-hangup');
  assert.ok(!world.held.has('recorder dialog'));
});

test('a pause holds for the next recorder and is no gap', async () => {
  const { world, recording, hangUp } = await active(['sip:r1', 'sip:r2']);
  await recording.pause('operator');
  await world.until(() => world.steps.includes('recorder reinvite'));
  world.steps.length = 0;
  world.recorderWants = 'inactive';
  hangUp();
  await world.until(() => world.count('recordingRecovered') > 0);
  assert.deepEqual(world.steps, ['start fork', 'recorder invite']);
  assert.equal(world.proposed.at(-1), 'inactive');
  assert.deepEqual(world.gaps, [0]);
  await recording.stop('hangup');
});

test('a recorder whose connection is gone is asked by OPTIONS; if it answers, nothing is lost', async (t) => {
  alive(t);
  const { world, recording, handlers, dialled } = await active(['sip:r1', 'sip:r2']);
  handlers?.doubtful();
  await world.until(() => world.steps.includes('recorder probe'));
  await recording.stop('hangup');
  assert.deepEqual([world.steps, dialled()], [['recorder probe'], []]);
  assert.equal(world.terminationOf('recordingEnded')?.reason, 'call-ended');
});

for (const [status, probes] of [
  [481, 1],
  [undefined, 2],
  [408, 2],
] as const) {
  test(`a recorder that answers ${status ?? 'nothing'} to ${probes} OPTIONS is lost since its connection was`, async (t) => {
    alive(t);
    const { world, recording, handlers, dialled } = await active(['sip:r1', 'sip:r2']);
    world.recorderProbeStatus = status;
    const doubtAt = performance.now();
    handlers?.doubtful();
    handlers?.doubtful();
    await world.until(() => world.count('recordingRecovered') > 0);
    const gap = performance.now() - doubtAt;
    assert.equal(world.steps.filter((step) => step === 'recorder probe').length, probes);
    assert.equal(dialled().length, 1);
    const [told = 0] = world.gaps;
    assert.ok(told <= gap && told > gap - 50, `${told} of ${gap} ms`);
    await recording.stop('hangup');
  });
}

test('RFC 5057 §5.1: 481 to a re-INVITE loses the recorder, an unusable answer does as well, which gets BYE', async () => {
  for (const spoil of [
    (world: FakeWorld) => {
      world.recorderReinviteStatus = 481;
    },
    (world: FakeWorld) => {
      const { check } = world.script;
      world.script.check = () => {
        world.script.check = check;
        throw new SidestreamError('recorder-answer-unusable', 'plain RTP');
      };
    },
  ]) {
    const { world, recording, dialled } = await active(['sip:r1', 'sip:r2']);
    spoil(world);
    recording.refresh();
    await world.until(() => world.count('recordingRecovered') + world.count('recordingEnded') > 0);
    assert.equal(dialled().length, 1);
    await recording.stop('hangup');
  }
});

test('a recorder that does not answer a re-INVITE is lost since it was sent', async () => {
  for (const answer of [481, 408, 'none'] as const) {
    const { world, recording } = await active(['sip:r1', 'sip:r2']);
    world.nowMs = laterMs();
    if (answer === 'none') world.behaviours.set('recorder reinvite', 'fail');
    else world.recorderReinviteStatus = answer;
    world.onStep = (step) => {
      if (step === 'recorder reinvite') world.nowMs = (world.nowMs ?? 0) + 7_000;
    };
    recording.refresh();
    await world.until(() => world.count('recordingRecovered') > 0);
    assert.deepEqual(world.gaps, [7_000], `${answer}`);
    await recording.stop('hangup');
  }
});

test('a gap that goes on when the call ends lasts until its end is wanted', async () => {
  const { world, recording, hangUp } = await active(['sip:r1']);
  world.nowMs = laterMs();
  hangUp();
  world.nowMs += 2_500;
  const ended = recording.stop('hangup');
  world.nowMs += 5_000;
  await ended;
  assert.deepEqual(world.gaps, [2_500]);
  assert.deepEqual(world.losses, [2_500]);
});

test('the next recorder has taken the recording and wants no media: the gap lasts until it does', async () => {
  const { world, recording, hangUp } = await active(['sip:r1', 'sip:r2']);
  world.nowMs = laterMs();
  world.recorderWants = 'inactive';
  hangUp();
  await world.until(() => world.count('recordingPaused recorder-inactive') > 0);
  assert.equal(world.count('recordingRecovered'), 0);
  world.nowMs += 4_000;
  world.recorderWants = 'recvonly';
  const offer = fakeOffer('recorder offer');
  world.recorderHandlers?.offer(offer);
  await offer.heard;
  await world.until(() => world.count('recordingRecovered') > 0);
  assert.deepEqual(world.gaps, [4_000]);
  await recording.stop('hangup');
});

test('a pause that begins within the doubt is no part of the gap, what was missing before it is', async (t) => {
  alive(t);
  for (const [resumedAfterMs, gapMs] of [
    [undefined, 1_000],
    [500, 2_500],
  ] as const) {
    const { world, recording, handlers } = await active(['sip:r1', 'sip:r2']);
    const doubtedAtMs = laterMs();
    world.recorderProbeStatus = 481;
    world.nowMs = doubtedAtMs;
    handlers?.doubtful();
    world.nowMs = doubtedAtMs + 1_000;
    await recording.pause('operator');
    if (resumedAfterMs !== undefined) {
      world.nowMs += resumedAfterMs;
      await recording.resume('operator');
    }
    world.nowMs = doubtedAtMs + 3_000;
    await world.until(() => world.count('recordingRecovered') > 0);
    assert.deepEqual(world.gaps, [gapMs]);
    await recording.stop('hangup');
  }
});

test('a connection that was silent is doubted since something came on it', async (t) => {
  alive(t);
  const { world, recording, handlers } = await active(['sip:r1', 'sip:r2']);
  world.recorderProbeStatus = 481;
  world.nowMs = laterMs() + 60_000;
  handlers?.doubtful(world.nowMs - 14_000);
  await world.until(() => world.count('recordingRecovered') > 0);
  assert.deepEqual(world.gaps, [14_000]);
  await recording.stop('hangup');
  // That gap is over.
  assert.deepEqual([world.gaps.at(-1), world.losses], [14_000, [0]]);
});

test('a relay that fails while the recording is lost is asked later; one that does not take an answer, at the next recorder', async (t) => {
  alive(t);
  for (const [step, dialogs] of [
    ['start fork', 1],
    ['answer fork', 2],
  ] as const) {
    const { world, recording, dialled, hangUp } = await active(['sip:r1', 'sip:r2']);
    world.behaviours.set(step, 'fail');
    world.onStep = (name) => name === step && setImmediate(() => world.behaviours.delete(step));
    hangUp();
    await world.until(() => world.count('recordingRecovered') > 0);
    assert.equal(dialled().length, dialogs, step);
    await recording.stop('hangup');
    assert.equal(world.terminationOf('recordingEnded')?.reason, 'call-ended');
  }
});

test('a relay that has no more forks for the call ends the recording, and says why', async () => {
  const { world, recording, hangUp } = await active(['sip:r1', 'sip:r2']);
  world.media.startFork = async () => {
    throw new SidestreamError('forks-exhausted', 'it had 16 in its life');
  };
  hangUp();
  await recording.ended;
  const { reason, detail } = world.terminationOf('recordingEnded') ?? {};
  assert.deepEqual([reason, detail], ['forks-exhausted', 'it had 16 in its life']);
});

test('only a fork whose keys have encrypted something is used up: failures cost none', async (t) => {
  alive(t);
  const { world, recording, hangUp } = await active(['sip:r1', 'sip:r2']);
  const forks: string[] = [];
  const { startFork } = world.media;
  world.media.startFork = (fork, parties, signal) => {
    forks.push(fork);
    return startFork(fork, parties, signal);
  };
  world.behaviours.set('recorder invite', 'fail');
  hangUp();
  // The other one in vain, then both again in vain, then the first takes it.
  await world.until(() => forks.length === 3);
  world.behaviours.clear();
  await world.until(() => world.count('recordingRecovered') > 0);
  assert.equal(new Set(forks).size, 2, forks.join());
  assert.ok(!forks.includes('r.0'));
  await recording.stop('hangup');
});

test('at each loss the recorders are asked in the order of then', async () => {
  const { world, recording, dialled, hangUp } = await active(['sip:r1', 'sip:r2', 'sip:r3']);
  world.recorders.order = () => ['sip:r3', 'sip:r1', 'sip:r2'];
  hangUp();
  await world.until(() => world.count('recordingRecovered') > 0);
  assert.match(dialled().join(), /^recorder sip:r3 /);
  await recording.stop('hangup');
});

test('what the recorder before says afterwards is no business of the recording', async () => {
  const { world, recording, hangUp, handlers } = await active(['sip:r1', 'sip:r2']);
  hangUp();
  await world.until(() => world.count('recordingRecovered') > 0);
  handlers?.ended('lost', 'again');
  handlers?.doubtful();
  assert.equal(recording.phase, 'active');
  await recording.stop('hangup');
  assert.equal(world.count('recordingRecovered'), 1);
});

test('a recorder that hangs up while it is being paused: nobody gets media until it is resumed, at the next one', async () => {
  const { world, recording, hangUp } = await active(['sip:r1', 'sip:r2']);
  world.behaviours.set('pause fork', 'obey');
  const paused = recording.pause('operator');
  const also = recording.pause('party');
  hangUp();
  await Promise.all([paused, also]);
  await world.until(() => world.count('recordingRecovered') > 0);
  assert.deepEqual([recording.view.phase, world.proposed.at(-1)], ['paused', 'inactive']);
  await recording.resume('operator');
  assert.equal(recording.view.phase, 'paused');
  await recording.resume('party');
  assert.equal(recording.view.phase, 'active');
  await recording.stop('hangup');
});

test('a connection that is gone before the recording is up is doubted once it is', async (t) => {
  alive(t);
  const world = new FakeWorld();
  world.onStep = (step) => step === 'answer fork' && world.recorderHandlers?.doubtful();
  const recording = world.recording(world.facts(['sip:r1']));
  recording.start(world.media);
  await world.until(() => world.steps.includes('recorder probe'));
  await recording.stop('hangup');
});

for (const [condition, why] of [
  ['stalled', /media does not leave for it, although it answers OPTIONS/],
  ['recorder-silent', /its RTCP has stopped, although it answers OPTIONS/],
] as const) {
  test(`a fork that is ${condition}: the next recorder, whatever OPTIONS says; the gap lasts since it began`, async (t) => {
    alive(t);
    const { world, recording, callId, dialled } = await active(['sip:r1', 'sip:r2']);
    world.nowMs = laterMs();
    world.forkChanged?.(condition, 900);
    await world.until(() => world.count('recordingRecovered') > 0);
    assert.deepEqual(dialled(), [`recorder sip:r2 ${callId}`]);
    const lost = world.terminationOf('recordingRecovered');
    assert.equal(lost?.reason, 'recorder-lost');
    assert.match(lost?.detail ?? '', why);
    assert.deepEqual(world.gaps, [900]);
    await recording.stop('hangup');
  });
}

test('a fork that does its work again before the recorder has answered OPTIONS loses nothing', async (t) => {
  alive(t);
  const { world, recording, dialled } = await active(['sip:r1', 'sip:r2']);
  world.forkChanged?.('recorder-silent', 20_000);
  world.onStep = (name) => {
    if (name === 'recorder probe') world.forkChanged?.('flowing', 0);
  };
  await world.until(() => world.steps.includes('recorder probe'));
  await recording.stop('hangup');
  assert.deepEqual(dialled(), []);
  assert.equal(world.terminationOf('recordingEnded')?.reason, 'call-ended');
});

test('what the relay has found before a pause counts no more', async () => {
  const { world, recording } = await active(['sip:r1', 'sip:r2']);
  await recording.pause('operator');
  world.forkChanged?.('stalled', 20_000);
  await recording.stop('hangup');
  assert.deepEqual(
    world.steps.filter((step) => step === 'recorder probe'),
    [],
  );
});
