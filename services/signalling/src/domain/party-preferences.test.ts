// RFC 7866 §6.3: what record-aware parties prefer of the recording, and what a tenant that honours it does then.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeWorld } from '../testing/fake-world.js';
import { type CallRecording, RecordingsOfCall } from './call-recording.js';
import { preferenceIn, preferred } from './party-preferences.js';
import { type RecordingTerms, usualTerms } from './recording-terms.js';
import type { Termination } from './termination.js';

const sdp = (preference: string) => `v=0\r\nm=audio 4000 RTP/AVP 0\r\na=recordpref:${preference}\r\n`;

class FakeRecording implements CallRecording {
  did: string[] = [];
  readonly recorded = new Promise<boolean>(() => {});
  readonly lost = false;
  #phase = 'new';
  pausedBy: string[] = [];

  get views() {
    return [{ recordingId: 'r', recorderCallId: 'c', phase: this.#phase, recorder: 'sip:r1', pausedBy: this.pausedBy }];
  }
  watch(): void {}
  start(): void {
    this.#phase = 'active';
    this.did.push('start');
  }
  refresh(): void {}
  follow(): void {}
  async stop(): Promise<void> {}
  async end({ reason }: Termination): Promise<void> {
    this.#phase = 'ended';
    this.did.push(`end ${reason}`);
  }
  async pause(by: string): Promise<void> {
    this.did.push(`pause ${by}`);
  }
  async resume(by: string): Promise<void> {
    this.did.push(`resume ${by}`);
  }
}

function call(terms: Partial<RecordingTerms> = { honourPreferences: true }) {
  const [first, second] = [new FakeRecording(), new FakeRecording()];
  const made = new RecordingsOfCall(
    { ...usualTerms, ...terms, of: first, again: () => second },
    { onRecorded: () => {}, onChange: () => {}, onUnrecorded: () => {}, signal: new AbortController().signal },
  );
  return { first, second, call: made, begin: () => made.beginPlanned(new FakeWorld().media) };
}

test('a preference is read from the description, an unknown one is none', () => {
  for (const known of ['on', 'off', 'pause', 'nopreference']) assert.equal(preferenceIn(sdp(known)), known);
  for (const other of [sdp('maybe'), sdp(''), 'v=0\r\n', '']) assert.equal(preferenceIn(other), undefined);
});

test('whoever wants less decides', () => {
  assert.equal(preferred([]), 'record');
  assert.equal(preferred(['on', 'nopreference']), 'record');
  assert.equal(preferred(['on', 'pause']), 'pause');
  assert.equal(preferred(['off', 'pause']), 'off');
});

test('off before the recording begins: no recorder hears of the call, until on', () => {
  const { first, second, call: recording, begin } = call();
  recording.prefer('near', sdp('off'));
  begin();
  assert.deepEqual(first.did, ['end declined-by-party']);
  recording.prefer('near', sdp('on'));
  assert.deepEqual(second.did, ['start']);
});

test('pause before the recording begins: it begins paused', () => {
  const { first, call: recording, begin } = call();
  recording.prefer('far', sdp('pause'));
  begin();
  assert.deepEqual(first.did, ['pause party', 'start']);
});

test('in the middle: pause, on, off, and each only once; the other party keeps its own preference', () => {
  const { first, second, call: recording, begin } = call();
  begin();
  for (const preference of ['pause', 'pause', 'on', 'off', 'off']) recording.prefer('near', sdp(preference));
  assert.deepEqual(first.did, ['start', 'pause party', 'resume party', 'end declined-by-party']);
  recording.prefer('far', sdp('off'));
  recording.prefer('near', sdp('on'));
  assert.deepEqual(second.did, []);
});

test('what an operator had paused is paused in the recording that takes its place', () => {
  const { first, second, call: recording, begin } = call();
  begin();
  first.pausedBy = ['operator'];
  for (const preference of ['off', 'on']) recording.prefer('near', sdp(preference));
  assert.deepEqual(second.did, ['pause operator', 'start']);
});

test('a tenant that ignores preferences, and a call that must be recorded, go on', () => {
  for (const terms of [{}, { honourPreferences: true, required: true }]) {
    const { first, call: recording, begin } = call(terms);
    recording.prefer('near', sdp('off'));
    begin();
    recording.prefer('near', sdp('pause'));
    assert.deepEqual(first.did, ['start']);
  }
});
