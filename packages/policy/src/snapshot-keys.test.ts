import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildPolicy } from './build-policy.js';
import { parseIdentities } from './identities.js';
import { keyText } from './policy-key.js';
import { openSnapshot } from './policy-snapshot.js';

const users = [
  { id: 'a', numbers: ['+49 30 901820', '+49 30 901821'], addresses: ['sip:Ada@pbx.example'] },
  { id: 'b', numbers: [], addresses: [] },
  { id: 'c', numbers: [], addresses: ['sip:cy@pbx.example'] },
];
const identities = parseIdentities('user,numbers,addresses\nc,+4944*,7*@pbx.example\n', 'csv', { onError: 'refuse' });
const snapshot = openSnapshot(buildPolicy(users, identities).bytes);

function texts(first: number, count: number): string[][] {
  return snapshot.keys(first, count).map((keys) => keys.map(keyText));
}

test('what names each user comes back, kind by kind', () => {
  assert.deepEqual(texts(0, 3), [
    ['+4930901820', '+4930901821', 'ada@pbx.example'],
    [],
    ['+4944*', 'cy@pbx.example', '7*@pbx.example'],
  ]);
});

test('of a part of the users only theirs, and nothing past the end', () => {
  assert.deepEqual(texts(1, 1), [[]]);
  assert.deepEqual(texts(2, 100), [['+4944*', 'cy@pbx.example', '7*@pbx.example']]);
  assert.deepEqual(texts(3, 1), []);
  assert.deepEqual(texts(9, 1), []);
});
