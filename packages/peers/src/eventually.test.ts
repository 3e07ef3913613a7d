import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from './eventually.js';

test('resolves as soon as the predicate holds, asked again and again', async () => {
  let asked = 0;
  await eventually(async () => ++asked === 3, 'the third time');
  assert.equal(asked, 3);
});

test('says after its deadline what was awaited', async () => {
  await assert.rejects(
    eventually(() => false, 'the moon is blue', 30),
    /^Error: not within 30 ms: the moon is blue$/,
  );
});

test('what the predicate throws ends the wait', async () => {
  await assert.rejects(
    eventually(() => assert.fail('the process has ended'), 'it is ready'),
    /the process has ended/,
  );
});
