import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CopiedLine, CopyCount } from './copy-count.js';

const line = (of: Partial<CopiedLine>): CopiedLine => ({ party: 'customer', came: 0, taken: true, failed: 0, ...of });
const told = (...lines: Partial<CopiedLine>[]) => Promise.resolve(lines.map(line));
const untold = Promise.resolve(undefined);

test('what came while the fork was answered is due, and copied but for what could not be sent, over all its stretches', async () => {
  const count = new CopyCount();
  await count.ended(told({ came: 5 }));
  assert.deepEqual(count.voices, new Map());
  count.began(told({ came: 10 }));
  assert.ok(count.counting);
  await count.ended(told({ came: 110, failed: 20 }));
  assert.ok(!count.counting);
  count.began(told({ came: 200, failed: 20 }));
  await count.ended(told({ came: 210, failed: 20 }));
  assert.deepEqual(count.voices, new Map([['customer', { due: 110, copied: 90 }]]));
});

test('of a line that the engine never forks, or that the recorder refuses, all is due and nothing copied', async () => {
  for (const fault of [{ failed: undefined }, { taken: false }]) {
    const count = new CopyCount();
    count.began(told({ came: 10, ...fault }, { party: 'seller' }));
    await count.ended(told({ came: 30, ...fault }, { party: 'seller', came: 20 }));
    assert.deepEqual(
      [...(count.voices?.values() ?? [])],
      [
        { due: 20, copied: 0 },
        { due: 20, copied: 20 },
      ],
    );
  }
});

test('a stretch is judged by the answer that it began with: a recorder that refuses a line later has taken it so far', async () => {
  const count = new CopyCount();
  count.began(told({ came: 10 }));
  const held = told({ came: 60, taken: false });
  await count.ended(held);
  count.began(held);
  await count.ended(told({ came: 90 }));
  assert.deepEqual(count.voices?.get('customer'), { due: 80, copied: 50 });
});

test('a line that is new counts from its beginning', async () => {
  const count = new CopyCount();
  count.began(told());
  await count.ended(told({ came: 40 }));
  assert.deepEqual(count.voices?.get('customer'), { due: 40, copied: 40 });
});

test('what the engine did not tell, or has ceased to fork, makes all unknown: no figure is better than a wrong one', async () => {
  for (const [first, last] of [
    [untold, told({ came: 9 })],
    [told({ came: 1 }), untold],
    [told({ came: 1 }), told({ came: 9, failed: undefined })],
  ] as const) {
    const count = new CopyCount();
    count.began(first);
    await count.ended(last);
    assert.equal(count.voices, undefined);
  }
});
