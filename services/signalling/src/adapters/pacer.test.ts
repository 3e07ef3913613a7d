import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { PacedWork, Pacer } from './pacer.js';

/** A work that ends when told to. */
function held() {
  const ends: (() => void)[] = [];
  return { ends, work: () => new Promise<void>((resolve) => ends.push(resolve)) };
}

test('works run in order, so many at a time', async () => {
  const pacer = new Pacer(2);
  const { ends, work } = held();
  for (let i = 0; i < 5; i += 1) pacer.run(work);
  assert.equal(ends.length, 2);
  ends[0]?.();
  await eventually(() => ends.length === 3, 'the third runs');
  ends[1]?.();
  ends[2]?.();
  await eventually(() => ends.length === 5, 'all run');
});

test('a work that is wanted while it is at it is done once more, not twice at a time', async () => {
  const { ends, work } = held();
  const closing = new AbortController();
  const paced = new PacedWork(new Pacer(5), () => work().then(() => 600_000), closing.signal);
  paced.within(0);
  await eventually(() => ends.length === 1, 'it runs');
  let passed = false;
  const later = new PacedWork(
    new Pacer(1),
    async () => {
      passed = true;
      return 600_000;
    },
    closing.signal,
  );
  paced.within(0);
  later.within(1);
  await eventually(() => passed, 'its time has come');
  assert.equal(ends.length, 1);
  ends[0]?.();
  await eventually(() => ends.length === 2, 'it runs again');
  closing.abort();
});

test('a wish brings the next time forward and does not put it off; a closed one does nothing', async () => {
  let runs = 0;
  const closing = new AbortController();
  const paced = new PacedWork(
    new Pacer(1),
    async () => {
      runs += 1;
      return 600_000;
    },
    closing.signal,
  );
  paced.within(600_000);
  paced.within(1);
  paced.within(600_000);
  await eventually(() => runs === 1, 'it ran');
  paced.within(5);
  closing.abort();
  paced.within(0);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(runs, 1);
});
