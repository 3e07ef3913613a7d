import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { FairQueue, type FairQueueOptions } from './fair-queue.js';

const here = new AbortController().signal;
const usual = { atOnce: 2, atOncePerUser: 1, waiting: 4, waitingPerUser: 3, waitMs: 60_000 };

/** Work that goes on until it is ended by its name; `begun` says what has, in order. */
function stageOf(options: Partial<FairQueueOptions> = {}) {
  const queue = new FairQueue({ ...usual, ...options });
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const ask = (name: string, signal = here): Promise<string> => {
    const work = () =>
      new Promise<void>((resolve) => {
        begun.push(name);
        ends.set(name, resolve);
      });
    return queue.run(name.charAt(0), signal, work).then(
      () => 'done',
      (error: { reason?: string }) => error.reason ?? String(error),
    );
  };
  const end = async (name: string) => {
    ends.get(name)?.();
    await setImmediate();
  };
  return { begun, ask, end };
}

test('one user who asks for much does not hold up others: their turn comes before the rest of the much', async () => {
  const { begun, ask, end } = stageOf();
  const asked = ['a1', 'a2', 'a3', 'b1', 'c1', 'b2'].map((name) => ask(name));
  await setImmediate();
  assert.deepEqual(begun, ['a1', 'b1'], 'one of each user at once');
  await end('b1');
  assert.deepEqual(begun, ['a1', 'b1', 'c1'], 'a slow one holds its own place alone');
  await end('a1');
  await end('c1');
  assert.deepEqual(begun, ['a1', 'b1', 'c1', 'a2', 'b2']);
  await end('a2');
  assert.deepEqual(begun.at(-1), 'a3');
  await end('b2');
  await end('a3');
  assert.deepEqual(await Promise.all(asked), Array(6).fill('done'));
});

test('who has their share waiting is denied, and everybody when too many wait', async (t) => {
  const { ask } = stageOf();
  const leaving = new AbortController();
  t.after(() => leaving.abort());
  for (const name of ['a1', 'a2', 'a3', 'a4']) void ask(name, leaving.signal);
  assert.equal(await ask('a5'), 'share');
  for (const name of ['b1', 'b2']) void ask(name, leaving.signal);
  assert.equal(await ask('c1'), 'full');
});

test('what waits too long, or for somebody who has gone, gives its place up', async () => {
  const { begun, ask, end } = stageOf({ waitMs: 20, waiting: 1 });
  void ask('a1');
  assert.equal(await ask('a2'), 'late');
  const gone = new AbortController();
  const asked = ask('a3', gone.signal);
  gone.abort({ reason: 'gone' });
  assert.equal(await asked, 'gone');
  const last = ask('a4');
  await end('a1');
  await setImmediate();
  assert.deepEqual(begun, ['a1', 'a4']);
  await end('a4');
  assert.equal(await last, 'done');
});

test('work that fails gives its place back', async () => {
  const queue = new FairQueue(usual);
  for (let n = 0; n < 3; n += 1)
    await assert.rejects(
      queue.run('a', here, () => Promise.reject(new Error('broken'))),
      /broken/,
    );
});
