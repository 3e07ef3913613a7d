import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Limiter } from './limiter.js';

test('no more than so many run at once, the others in order; one that fails makes room', async () => {
  const limiter = new Limiter(2);
  const order: number[] = [];
  let running = 0;
  const runs = [0, 1, 2, 3, 4].map((index) =>
    limiter.run(async () => {
      running += 1;
      assert.ok(running <= 2);
      order.push(index);
      await new Promise(setImmediate);
      running -= 1;
      if (index === 1) throw new Error('failed');
      return index;
    }),
  );
  const outcomes = await Promise.allSettled(runs);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled'],
  );
  assert.deepEqual(order, [0, 1, 2, 3, 4]);
});
