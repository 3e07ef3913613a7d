import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOf, recordingOf } from './call-fixture.js';
import { searchCalls } from './search.js';

const calls = [
  callOf(),
  callOf({
    callId: 'call-2',
    tenant: 'fabrikam',
    recordings: [recordingOf({ phase: 'paused', recorder: 'westeurope' })],
  }),
];
const found = (words: string): readonly string[] => searchCalls(calls, words).map(({ callId }) => callId);

test('every word has to be found somewhere in what is shown of a call', () => {
  assert.deepEqual(found('  '), ['call-1', 'call-2']);
  assert.deepEqual(found('FABRIKAM paused'), ['call-2']);
  assert.deepEqual(found('westeurope contoso'), []);
  assert.deepEqual(found('inbound talking'), ['call-1', 'call-2']);
});
