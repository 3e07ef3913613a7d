import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Result } from '@sidestream/proto/events/v1';
import type { EventBody } from '@sidestream/service';
import { Registry } from 'prom-client';
import { terminated } from '../domain/termination.js';
import { FakeWorld, silent } from '../testing/fake-world.js';
import { EventReporter } from './events.js';

function reporter() {
  const published: EventBody[] = [];
  const kept = new Map<string, object>();
  const metrics = new Registry();
  const events = new EventReporter({
    publisher: { publish: (body) => void published.push(body) },
    kv: { put: (_bucket, key, value) => void kept.set(key, value), delete: (_bucket, key) => void kept.delete(key) },
    metrics,
    log: silent,
  });
  return { events, published, kept, metrics };
}

test('one termination: the same in event and metric label; gauges go back to zero', async () => {
  const { events, published, metrics } = reporter();
  const world = new FakeWorld();
  const call = world.facts(['sip:r1']);
  const recording = { recordingId: 'r', forkId: 'f', call };
  events.callStarted(call);
  events.callAnswered(call, { answerDelayMs: 12.4, postDialDelayMs: 3.6 });
  events.recordingStarted(recording, world.recorderDialog, 41.2);
  const ended = terminated('recorder-answer-unusable', 'answered in RTP/AVP');
  events.recordingEnded(recording, ended, 2_000);
  events.callEnded(call, terminated('hangup', 'BYE'), 2_100.7);
  assert.deepEqual(
    published.map((body) => body.$case),
    ['callStarted', 'callAnswered', 'recordingStarted', 'recordingEnded', 'callEnded'],
  );
  const [, answered, , recordingEnded] = published;
  assert.ok(answered?.$case === 'callAnswered' && recordingEnded?.$case === 'recordingEnded');
  assert.equal(answered.value.postDialDelayMs, 4);
  assert.equal(answered.value.recordingCallId, call.recordingCallId);
  assert.deepEqual(recordingEnded.value.termination, {
    result: Result.UPSTREAM_ERROR,
    reason: 'recorder-answer-unusable',
    detail: 'answered in RTP/AVP',
  });
  const text = await metrics.metrics();
  assert.match(
    text,
    /sidestream_recording_terminations_total\{result="upstream_error",reason="recorder-answer-unusable"\} 1/,
  );
  assert.match(text, /sidestream_call_terminations_total\{result="success",reason="hangup"\} 1/);
  assert.match(text, /sidestream_calls_active 0/);
  assert.match(text, /sidestream_recordings_active 0/);
});

test('the state of a recording is kept beside the call, without keys, and removed at its end', () => {
  const { events, kept } = reporter();
  const world = new FakeWorld();
  const recording = { recordingId: 'r', forkId: 'f', call: world.facts(['sip:r1']) };
  events.recordingState(recording, world.recorderDialog);
  assert.doesNotMatch(JSON.stringify(kept.get('r')), /inline|crypto|sdp/i);
  assert.match(JSON.stringify(kept.get('r')), /"forkId":"f"/);
  events.recordingEnded(recording, terminated('call-ended'), 1);
  assert.equal(kept.size, 0);
});
