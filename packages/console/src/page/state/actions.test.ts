import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Call } from '../api/shapes.js';
import { actionsFor } from './actions.js';
import { callOf, recordingOf } from './call-fixture.js';

const namesOf = (call: Call): string =>
  actionsFor(call)
    .map(({ name }) => name)
    .join(' ');

test('only what makes sense now can be done to a call', () => {
  assert.equal(namesOf(callOf()), 'pause stop end');
  assert.equal(
    namesOf(callOf({ recordings: [recordingOf({ phase: 'paused', pausedBy: ['operator'] })] })),
    'resume stop end',
  );
  assert.equal(namesOf(callOf({ recordings: [] })), 'start end');
  assert.equal(namesOf(callOf({ recordings: [recordingOf({ phase: 'ended' })] })), 'start end');
  assert.equal(namesOf(callOf({ recordings: [recordingOf({ phase: 'inviting' })] })), 'end');
  assert.equal(namesOf(callOf({ phase: 'closing' })), '');
});

test('a recording that only others have paused can be paused by an operator as well', () => {
  assert.equal(
    namesOf(callOf({ recordings: [recordingOf({ phase: 'paused', pausedBy: ['party'] })] })),
    'pause stop end',
  );
});

test('a call that nobody has answered can only be ended', () => {
  const { answeredAt, ...ringing } = callOf({ recordings: [] });
  assert.equal(namesOf(ringing), 'end', `${answeredAt} was its answer`);
});
