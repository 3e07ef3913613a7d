import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SidestreamError } from '@sidestream/service';
import { soon } from '../testing/soon.js';
import { CommandQueue } from './command-queue.js';

const code = (wanted: string) => (error: unknown) => error instanceof SidestreamError && error.code === wanted;

test('commands run one after the other, in their order, also after a failure', async () => {
  const queue = new CommandQueue('session 1');
  const seen: string[] = [];
  const run = (name: string) =>
    queue.run(soon(), async () => {
      seen.push(`${name} begins`);
      await new Promise(setImmediate);
      seen.push(`${name} ends`);
      if (name === 'a') throw new Error('a failed');
    });
  const results = await Promise.allSettled([run('a'), run('b')]);
  assert.deepEqual(seen, ['a begins', 'a ends', 'b begins', 'b ends']);
  assert.deepEqual(
    results.map((result) => result.status),
    ['rejected', 'fulfilled'],
  );
});

test('a command whose caller gave up meanwhile is not run', async () => {
  const queue = new CommandQueue('session 1');
  const caller = new AbortController();
  const first = queue.run(soon(), async () => caller.abort(new SidestreamError('cancelled', 'gone')));
  await assert.rejects(
    queue.run(caller.signal, async () => assert.fail('ran')),
    code('cancelled'),
  );
  await first;
});

test('too many waiting commands are refused', async () => {
  const queue = new CommandQueue('session 1');
  const blocked = blocker<void>();
  const waiting = Array.from({ length: 16 }, () => queue.run(soon(), () => blocked.promise));
  await assert.rejects(
    queue.run(soon(), async () => undefined),
    code('overloaded'),
  );
  blocked.resolve();
  await Promise.all(waiting);
});

test('the end waits for the running command, drops the waiting ones and takes no more', async () => {
  const queue = new CommandQueue('session 1');
  const blocked = blocker<string>();
  const running = queue.run(soon(), () => blocked.promise);
  const waiting = queue.run(soon(), async () => assert.fail('ran'));
  const dropped = assert.rejects(waiting, code('not-found'));
  await new Promise(setImmediate);
  const end = queue.end(60_000);
  blocked.resolve('done');
  await end;
  assert.equal(await running, 'done');
  await dropped;
  await assert.rejects(
    queue.run(soon(), async () => undefined),
    code('not-found'),
  );
});

test('after its grace the end aborts the running command', async () => {
  const queue = new CommandQueue('session 1');
  const running = queue.run(
    soon(),
    (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  );
  const aborted = assert.rejects(running, code('not-found'));
  await new Promise(setImmediate);
  await queue.end(1);
  await aborted;
});

function blocker<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
