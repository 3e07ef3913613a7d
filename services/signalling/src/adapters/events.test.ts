import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { Result } from '@sidestream/proto/events/v1';
import { createLogger, type EventBody, type Logger } from '@sidestream/service';
import { Registry } from 'prom-client';
import { anonymous } from '../domain/parties.js';
import { terminated } from '../domain/termination.js';
import { FakeWorld, silent } from '../testing/fake-world.js';
import { EventReporter } from './events.js';
import { ToldParties } from './told-parties.js';

function reporter(log: Logger = silent, parties: 'hashed' | 'shown' = 'hashed') {
  const published: EventBody[] = [];
  const kept = new Map<string, object>();
  const metrics = new Registry();
  const events = new EventReporter({
    publisher: { publish: (body) => void published.push(body) },
    kv: { put: (_bucket, key, value) => void kept.set(key, value), delete: (_bucket, key) => void kept.delete(key) },
    metrics,
    log,
    tenants: ['contoso'],
    trunks: ['carrier'],
    parties: new ToldParties(parties),
  });
  return { events, published, kept, metrics };
}

test('one termination: the same in event and metric label; gauges go back to zero', async () => {
  const { events, published, metrics } = reporter();
  const world = new FakeWorld();
  const call = world.facts(['sip:r1']);
  const recording = { recordingId: 'r', call };
  events.callStarted(call);
  events.callAnswered(call, { answerDelayMs: 12.4, postDialDelayMs: 3.6 });
  events.recordingStarted(recording, world.recorderDialog, 41.2);
  const ended = terminated('recorder-answer-unusable', 'answered in RTP/AVP');
  events.recordingEnded(recording, ended, { durationMs: 2_000, gapMs: 0, lostMs: 0 });
  events.callEnded(call, terminated('hangup', 'BYE'), { durationMs: 2_100.7, endedAt: new Date() });
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

test('what alerts count is there at 0 before anything has happened', async () => {
  const { metrics } = reporter();
  const text = await metrics.metrics();
  for (const series of [
    'sidestream_call_terminations_total{result="server_error",reason="internal"}',
    'sidestream_calls_refused_total{trunk="carrier",reason="trunk-full"}',
    'sidestream_calls_refused_total{trunk="none",reason="unknown-trunk"}',
    'sidestream_decisions_total{record="false",reason="no-policy"}',
    'sidestream_recordings_missing_total{tenant="contoso",reason="media-stalled"}',
    'sidestream_recording_start_delay_seconds_bucket{le="1",tenant="contoso"}',
  ])
    assert.ok(text.includes(`${series} 0\n`), series);
});

test('a pause, a recovery and their gaps are told; one that only waited is forgotten when it has failed', async () => {
  const { events, published, kept, metrics } = reporter();
  const world = new FakeWorld();
  const recording = { recordingId: 'r', call: world.facts(['sip:r1']) };
  events.recordingState(recording, 'f', world.recorderDialog);
  events.recordingPaused(recording, 'recorder-inactive');
  events.recordingResumed(recording);
  events.recordingRecovered(recording, world.recorderDialog, terminated('recorder-hangup', 'BYE'), 123.4);
  events.recordingDelayed(recording, 'sip:r1', terminated('recorder-refused', '503'));
  events.recordingFailed(recording, 'sip:r1', terminated('recorder-inactive'));
  const [paused, resumed, recovered, delayed] = published;
  assert.ok(delayed?.$case === 'recordingDelayed');
  assert.deepEqual(
    [delayed.value.recorderHost, delayed.value.reason, delayed.value.detail],
    ['sip:r1', 'recorder-refused', '503'],
  );
  assert.ok(paused?.$case === 'recordingPaused' && resumed?.$case === 'recordingResumed');
  assert.equal(paused.value.reason, 'recorder-inactive');
  assert.ok(recovered?.$case === 'recordingRecovered');
  const { recorderHost, recorderCallId, gapMs, reason } = recovered.value;
  assert.deepEqual(
    { recorderHost, recorderCallId, gapMs, reason },
    {
      recorderHost: 'recorder.example',
      recorderCallId: recording.call.recordingCallId,
      gapMs: 123,
      reason: 'recorder-hangup',
    },
  );
  assert.match(
    await metrics.metrics(),
    /sidestream_recording_gap_seconds_count\{tenant="contoso",reason="recorder-hangup"\} 1/,
  );
  assert.equal(kept.size, 0);
});

test('a gap that nothing has ended but the recording counts with it, by why the recorder was lost', async () => {
  const { events, metrics } = reporter();
  const recording = { recordingId: 'r', call: new FakeWorld().facts(['sip:r1']) };
  events.recordingEnded(recording, terminated('recorder-lost'), { durationMs: 9_000, gapMs: 400_500, lostMs: 400_000 });
  events.recordingEnded(recording, terminated('call-ended'), { durationMs: 9_000, gapMs: 500, lostMs: 0 });
  const text = await metrics.metrics();
  const series = (what: string) => `sidestream_recording_gap_seconds_${what}tenant="contoso",reason="recorder-lost"}`;
  assert.ok(text.includes(`${series('sum{')} 400\n`), text);
  assert.ok(text.includes(`${series('bucket{le="300",')} 0\n`) && text.includes(`${series('bucket{le="1800",')} 1\n`));
  assert.doesNotMatch(text, /gap_seconds.*call-ended/);
});

test('the state of a recording is kept beside the call, without keys, and removed at its end', () => {
  const { events, kept } = reporter();
  const world = new FakeWorld();
  const recording = { recordingId: 'r', call: world.facts(['sip:r1']) };
  events.recordingState(recording, 'f', world.recorderDialog);
  assert.doesNotMatch(JSON.stringify(kept.get('r')), /inline|crypto|sdp/i);
  assert.match(JSON.stringify(kept.get('r')), /"forkId":"f"/);
  events.recordingEnded(recording, terminated('call-ended'), { durationMs: 1, gapMs: 0, lostMs: 0 });
  assert.equal(kept.size, 0);
});

test('privacy: who the seller is stands in no log line when the seller asked for it; its name never does', () => {
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const { events } = reporter(createLogger({ name: 'test', instance: 'test', level: 'trace', destination }));
  const facts = new FakeWorld().facts(['sip:r1']);
  // No hexadecimal word: ids and hashes stand in the same line.
  const decision = { ...facts.decision, seller: { id: 'zoe', name: 'Zoe Berger' }, matched: 'sip:+15550001@sbc' };
  events.callStarted({ ...facts, decision });
  assert.match(lines.join(''), /"seller":"zoe"/);
  assert.doesNotMatch(lines.join(''), /Berger|15550001/);
  lines.length = 0;
  events.callStarted({ ...facts, decision, parties: { ...facts.parties, seller: anonymous } });
  assert.equal(lines.length, 1);
  assert.doesNotMatch(lines.join(''), /zoe|Berger|15550001/);
});

test('log lines of calls have the parties as hashes; as they are if that is wanted, but nobody who wants privacy', () => {
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const log = createLogger({ name: 'test', instance: 'test', level: 'info', destination });
  const facts = new FakeWorld().facts(['sip:r1']);
  const tell = (parties: 'hashed' | 'shown', calling = facts.parties.calling) => {
    lines.length = 0;
    const { events } = reporter(log, parties);
    const call = { ...facts, parties: { ...facts.parties, calling } };
    events.callStarted(call);
    events.callTransferred(call, 'seller');
    return lines.map((line) => {
      const { calling, called } = JSON.parse(line);
      return { calling, called };
    });
  };
  const { calling, called } = facts.parties;
  const [started, transferred] = tell('hashed');
  assert.match(`${started?.calling} ${started?.called}`, /^[0-9a-f]{16} [0-9a-f]{16}$/);
  assert.notEqual(started?.calling, started?.called);
  assert.deepEqual(transferred, started);
  const shown = { calling: calling.uri, called: called.uri };
  assert.deepEqual(tell('shown'), [shown, shown]);
  const withheld = { calling: 'anonymous', called: called.uri };
  assert.deepEqual(tell('shown', anonymous), [withheld, withheld]);
});
