import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Call, Registration } from '../api/shapes.js';
import { callOf, recordingOf } from './call-fixture.js';
import {
  certificateCondition,
  policyCondition,
  recordingCondition,
  relayCondition,
  verdictCondition,
} from './conditions.js';

const notListed = { record: false, reason: 'not-listed', policyRevision: 'abc123', recorders: [] };

test('a call that should be recorded and is not is a fault; before the answer, or unlisted, it is none', () => {
  const condition = (changes: Partial<Call>): string => Object.values(recordingCondition(callOf(changes))).join(' ');
  assert.equal(condition({}), 'Recording good');
  assert.equal(condition({ recordings: [] }), 'Missing bad');
  // An unanswered call has no `answeredAt` at all.
  const { answeredAt, ...ringing } = callOf({ phase: 'dialling', recordings: [] });
  assert.equal(recordingCondition(ringing).word, 'On answer', `${answeredAt} was its answer`);
  assert.equal(condition({ recordings: [], decision: notListed }), 'Not recorded idle');
  assert.equal(condition({ recordings: [recordingOf({ phase: 'waiting' })] }), 'Between recorders bad');
  assert.equal(condition({ recordings: [recordingOf({ phase: 'forking' })] }), 'Starting idle');
  // The recorder has it, and the relay says that nothing leaves.
  assert.equal(condition({ missing: { reason: 'media-stalled', since: '2026-11-26T12:01:00.000Z' } }), 'Missing bad');
});

test('of several recordings the last one counts', () => {
  const recordings = [recordingOf({ phase: 'ended' }), recordingOf({ recordingId: 'r-2', phase: 'paused' })];
  assert.deepEqual(recordingCondition(callOf({ recordings })), { word: 'Paused', tone: 'warn' });
});

test('a certificate is told about 30 days before it ends, and urgently a week before', () => {
  const now = Date.parse('2026-11-26T12:00:00Z');
  const tone = (certificateExpiresAt: string): string | undefined =>
    certificateCondition({ tenant: 'contoso', state: 'applied', certificateExpiresAt }, now)?.tone;
  assert.equal(tone('2027-11-26T12:00:00Z'), 'good');
  assert.equal(tone('2026-12-20T12:00:00Z'), 'warn');
  assert.equal(tone('2026-11-30T12:00:00Z'), 'bad');
  assert.equal(tone('2026-11-26T11:00:00Z'), 'bad');
  const unknown: Registration = { tenant: 'contoso', state: 'never' };
  assert.equal(certificateCondition(unknown, now), undefined);
});

test('a stale policy outranks a failed sync, and no policy outranks both', () => {
  const policy = { tenant: 'contoso', revision: 'abc', users: 2, stale: false, staleRule: 'record-none' };
  assert.equal(policyCondition(policy).tone, 'good');
  assert.equal(policyCondition({ ...policy, lastError: '503' }).tone, 'warn');
  assert.equal(policyCondition({ ...policy, lastError: '503', stale: true }).word, 'Stale: record-none');
  assert.equal(policyCondition({ ...policy, revision: '', stale: true }).word, 'None');
  assert.equal(policyCondition({ ...policy, revision: '', source: 'file' }).word, 'None');
  assert.equal(policyCondition({ ...policy, source: 'file' }).tone, 'good');
});

test('a relay without a bound is never full', () => {
  const relay = { relay: 'r', region: 'eastus', address: '127.0.0.1:1', sessions: 9, draining: false };
  assert.equal(relayCondition(relay).tone, 'good');
  assert.equal(relayCondition({ ...relay, capacity: 9 }).word, 'Full');
  assert.equal(relayCondition({ ...relay, capacity: 9, draining: true }).word, 'Draining');
});

test('the verdict on a call that is over; one that nobody knows is told as that', () => {
  assert.deepEqual(verdictCondition({ verdict: 'complete' }), { word: 'Recorded', tone: 'good' });
  assert.deepEqual(verdictCondition({ verdict: 'missing' }), { word: 'Missing', tone: 'bad' });
  for (const unknown of [{}, { verdict: 'constructor' }, { verdict: 'unspecified' }])
    assert.deepEqual(verdictCondition(unknown), { word: 'Not known', tone: 'warn' });
});
