import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type OneRecording, Recordings } from './recordings.js';
import { type Termination, terminated } from './termination.js';

class FakeRecording implements OneRecording {
  readonly view = { recordingId: 'r', recorderCallId: 'c', phase: 'active', recorder: 'sip:r1', pausedBy: [] };
  readonly did: string[] = [];
  begin: (made: boolean) => void = () => {};
  lost = false;
  readonly started = new Promise<boolean>((resolve) => {
    this.begin = resolve;
  });

  watch(): void {}
  start(): void {
    this.did.push('start');
  }
  refresh(): void {
    this.did.push('refresh');
  }
  follow(): void {
    this.did.push('follow');
  }
  async stop(why: string): Promise<void> {
    this.did.push(`stop ${why}`);
  }
  async end({ reason }: Termination): Promise<void> {
    this.did.push(`end ${reason}`);
  }
  async pause(by: string): Promise<void> {
    this.did.push(`pause ${by}`);
  }
  async resume(by: string): Promise<void> {
    this.did.push(`resume ${by}`);
  }
}

async function settledBy<T>(promise: Promise<T>): Promise<T | 'open'> {
  await new Promise((resolve) => setImmediate(resolve));
  return Promise.race([promise, Promise.resolve('open' as const)]);
}

for (const [needs, begun, recorded] of [
  ['any', [true], true],
  ['any', [false], 'open'],
  ['any', [false, true], true],
  ['any', [false, false], false],
  ['all', [true], 'open'],
  ['all', [false], false],
  ['all', [true, false], false],
  ['all', [true, true], true],
] as const) {
  test(`two recorders, ${needs} needed, ${begun.map((made) => (made ? 'made' : 'failed')).join(', then ')}: ${recorded}`, async () => {
    const two = [new FakeRecording(), new FakeRecording()];
    const recordings = new Recordings(two, needs);
    for (const [index, made] of begun.entries()) two[index]?.begin(made);
    assert.equal(await settledBy(recordings.recorded), recorded);
  });
}

for (const needs of ['any', 'all'] as const) {
  test(`${needs} needed: what the loss of one of two means, and that of both, and that one is back`, () => {
    const [first, second] = [new FakeRecording(), new FakeRecording()];
    const recordings = new Recordings([first, second], needs);
    assert.equal(recordings.lost, false);
    first.lost = true;
    assert.equal(recordings.lost, needs === 'all');
    // The first is back before the second is lost: at no time was the call without a recording.
    first.lost = false;
    second.lost = true;
    assert.equal(recordings.lost, needs === 'all');
    first.lost = true;
    assert.equal(recordings.lost, true);
  });
}

test('what is ending is neither paused nor resumed, and bars nothing for the other', async () => {
  const [ending, other] = [new FakeRecording(), new FakeRecording()];
  ending.view.phase = 'stopping';
  const recordings = new Recordings([ending, other], 'any');
  await recordings.pause('operator');
  await recordings.resume('operator');
  assert.deepEqual([ending.did, other.did], [[], ['pause operator', 'resume operator']]);
});

test('each is started, refreshed, paused, resumed, ended and stopped', async () => {
  const two = [new FakeRecording(), new FakeRecording()];
  const recordings = new Recordings(two, 'any');
  recordings.start(undefined as never);
  recordings.refresh();
  await recordings.pause('operator');
  await recordings.resume('operator');
  await recordings.end(terminated('ended-by-operator'));
  await recordings.stop('hangup');
  for (const one of two)
    assert.deepEqual(one.did, [
      'start',
      'refresh',
      'pause operator',
      'resume operator',
      'end ended-by-operator',
      'stop hangup',
    ]);
});
