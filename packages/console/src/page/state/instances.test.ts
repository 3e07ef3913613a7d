import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Instance } from '../api/shapes.js';
import { callOf } from './call-fixture.js';
import { recordingCondition } from './conditions.js';
import { dated, instanceTrouble, silentSince } from './instances.js';

const silent: Instance = { instance: 's1', state: 'silent', calls: 1 };
const answer = (...instances: Instance[]) => ({ calls: [], instances, lost: [] });

test('an instance is silent since it was first found so, until its state changes', () => {
  const first = dated(answer(silent), undefined, Date.parse('2026-11-26T12:00:00Z')).instances;
  assert.equal(first[0]?.since, '2026-11-26T12:00:00.000Z');
  const later = Date.parse('2026-11-26T12:00:30Z');
  assert.deepEqual(dated(answer(silent), first, later).instances, first);
  assert.equal(
    dated(answer({ ...silent, state: 'gone' }), first, later).instances[0]?.since,
    '2026-11-26T12:00:30.000Z',
  );
  const told = { ...silent, since: '2026-11-26T11:00:00.000Z' };
  assert.deepEqual(dated(answer(told), first, later).instances, [told]);
  const live = { ...silent, state: 'live' };
  assert.deepEqual(dated(answer(live), first, later).instances, [live]);
});

test('a call whose instance is silent is neither ended nor said to be recorded', () => {
  const call = callOf({ silent: true, instance: 's1' });
  assert.equal(silentSince(call, [{ ...silent, since: 'then' }]), 'then');
  assert.equal(silentSince(callOf({ instance: 's1' }), [{ ...silent, since: 'then' }]), undefined);
  assert.deepEqual(recordingCondition(call), { word: 'Not known', tone: 'warn' });
});

test('what is told of an instance', () => {
  assert.match(
    instanceTrouble(silent) ?? '',
    /s1 is not answering\. 1 call is shown as last known; it may well go on\./,
  );
  assert.match(instanceTrouble({ ...silent, state: 'gone' }) ?? '', /s1 is gone/);
  assert.equal(instanceTrouble({ ...silent, state: 'live' }), undefined);
});
