import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CopyCount } from './copy-count.js';
import type { Party } from './ports.js';

const told = (party: Party, came: number, failed: number | undefined = 0) => Promise.resolve([{ party, came, failed }]);
const untold = Promise.resolve(undefined);

test('what came while the fork was answered counts, less what could not be sent, over all its stretches', async () => {
  const count = new CopyCount();
  await count.ended(told('customer', 5));
  assert.deepEqual(count.copied, new Map());
  count.began(told('customer', 10));
  assert.ok(count.counting);
  await count.ended(told('customer', 110, 20));
  assert.ok(!count.counting);
  count.began(told('customer', 200, 20));
  await count.ended(told('customer', 210, 20));
  assert.deepEqual(count.copied, new Map([['customer', 90]]));
});

test('a line that the engine does not fork counts nothing; one that is new counts from its beginning', async () => {
  const count = new CopyCount();
  count.began(told('seller', 10));
  await count.ended(Promise.resolve([{ party: 'customer', came: 30, failed: undefined }]));
  assert.deepEqual(count.copied, new Map([['customer', 0]]));
  count.began(Promise.resolve([]));
  await count.ended(told('seller', 40));
  assert.equal(count.copied?.get('seller'), 40);
});

test('what the engine did not tell makes all unknown: no figure is better than a wrong one', async () => {
  for (const [first, last] of [
    [untold, told('customer', 9)],
    [told('customer', 1), untold],
  ] as const) {
    const count = new CopyCount();
    count.began(first);
    await count.ended(last);
    assert.equal(count.copied, undefined);
  }
});
