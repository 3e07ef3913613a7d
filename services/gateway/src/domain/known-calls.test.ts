import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answered, ended, recorded, recordingFailed, started, transferred } from '../testing/stream.js';
import type { Happening } from './call-story.js';
import { KnownCalls } from './known-calls.js';

const time = new Date('2026-01-01T00:00:00Z');

function after(...bodies: Happening['body'][]): KnownCalls {
  const known = new KnownCalls({ maxCalls: 2, maxOver: 1 });
  for (const body of bodies) known.take({ body, source: 'signalling.s1', time });
  return known;
}

test('what the events tell of a live call is known, and nothing of one that is over', () => {
  const known = after(started(), answered(), recorded(), transferred('bob'));
  const [call] = known.of('s1');
  assert.deepEqual(
    [call?.phase, call?.seller, call?.startedAt, call?.answeredAt, call?.instance],
    ['talking', 'bob', time, time, 's1'],
  );
  assert.equal(call?.calling?.uri, 'sip:+4915112345678@carrier.example');
  assert.deepEqual(
    call?.recordings.map(({ phase, recorderCallId }) => [phase, recorderCallId]),
    [['active', 'r-c1']],
  );
  assert.deepEqual(known.instances, ['s1']);
  known.take({ body: ended(), source: 'signalling.s1', time });
  assert.deepEqual([known.instances, known.of('s1'), known.call('c1')], [[], [], undefined]);
});

test('an event that names no tenant belongs to that of its call, also just after the end of the call', () => {
  const known = after(started());
  assert.equal(known.tenantOf(recordingFailed()), 'contoso');
  known.end('c1', 'contoso');
  assert.equal(known.tenantOf(recordingFailed()), 'contoso');
});

test('calls beyond the bounds are forgotten, the oldest first', () => {
  const full = after(started('ada', 'c1'), started('ada', 'c2'), started('ada', 'c3'));
  assert.deepEqual(
    full.of('s1').map(({ callId }) => callId),
    ['c2', 'c3'],
  );
  assert.equal(after(started(), ended(), ended(undefined, 'c2')).tenantOf(recordingFailed()), undefined);
});

test('a call whose end was lost is forgotten when another one begins a week later', () => {
  const known = after(started('ada', 'c1'));
  known.take({ body: started('ada', 'c2'), source: 'signalling.s1', time: new Date(time.getTime() + 7 * 86_400_001) });
  assert.deepEqual(
    known.of('s1').map(({ callId }) => callId),
    ['c2'],
  );
});
