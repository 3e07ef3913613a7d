import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listNames, listsConcernedBy } from './changes.js';

test('an event concerns the lists that show its thing, and an end concerns the records too', () => {
  assert.deepEqual(listsConcernedBy('call.answered'), ['calls', 'relays']);
  assert.deepEqual(listsConcernedBy('call.ended'), ['calls', 'relays', 'records']);
  assert.deepEqual(listsConcernedBy('recording.failed'), ['calls', 'recorders', 'records']);
  assert.deepEqual(listsConcernedBy('policy.stale'), ['policies']);
});

test('an event of an unknown kind concerns everything', () => {
  assert.deepEqual(listsConcernedBy('weather.changed'), listNames);
  assert.deepEqual(listsConcernedBy('constructor.x'), listNames);
});
