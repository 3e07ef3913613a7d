import assert from 'node:assert/strict';
import { test } from 'node:test';
import { policyPointer } from './policy-pointer.js';

const pointer = {
  version: 1,
  revision: 'b0e3b719a533',
  object: 'contoso/b0e3b719a533',
  bytes: 1234,
  sha256: 'a'.repeat(64),
  users: 2,
  fetchedAt: '2026-11-26T07:00:00.000Z',
  checkedAt: '2026-11-26T08:00:00Z',
};

test('a pointer is read back as it was written; what a newer writer adds is ignored', () => {
  assert.deepEqual(policyPointer.parse(JSON.parse(JSON.stringify({ ...pointer, more: true }))), pointer);
});

for (const wrong of [
  { version: 2 },
  { bytes: 0 },
  { bytes: 2 ** 40 },
  { sha256: 'A'.repeat(64) },
  { sha256: 'abc' },
  { users: -1 },
  { checkedAt: 'yesterday' },
  { object: '' },
]) {
  test(`a pointer with ${JSON.stringify(wrong)} is refused`, () => {
    assert.equal(policyPointer.safeParse({ ...pointer, ...wrong }).success, false);
  });
}
