// `sidestream drain --wait` as operators run it: how the live calls of an instance end.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { runCli, spawnCli } from './run-cli.js';
import { Stage } from './stage.js';

const timeoutMs = 30_000;

test('drain --wait tells each call that ends, and is done with the last; too short a wait is a failure', async (t) => {
  const stage = await Stage.start(t);
  if (!stage) return;
  const run = (...args: string[]) => runCli([...args, '-c', stage.laboratory.configFile], { timeoutMs });
  const first = await stage.inbound();
  const second = await stage.inbound();
  const short = await run('drain', '--wait', '1');
  assert.equal(short.code, 1);
  assert.equal(short.stdout, 's1 drains: new calls hear 503; 2 live\n');
  assert.equal(short.stderr, 'sidestream: s1: 2 calls live after 1 s\n');

  const draining = spawnCli(['drain', '--wait', '60', '-c', stage.laboratory.configFile]);
  const lines: string[] = [];
  const ended = once(draining, 'close');
  createInterface({ input: draining.stdout }).on('line', (line) => lines.push(line));
  await eventually(() => lines.length === 1, 'it has begun', timeoutMs);
  await second.customer.hangUp();
  await eventually(() => lines.length === 2, 'the end of the first is told', timeoutMs);
  await first.customer.hangUp();
  assert.deepEqual(await ended, [0, null]);
  assert.deepEqual(
    lines,
    [2, 1, 0].map((calls) => `s1 drains: new calls hear 503; ${calls} live`),
  );
  assert.equal((await run('drain', '--wait', '5', '--undo')).code, 2);
  const { instances } = JSON.parse((await run('drain', '--wait', '5', '--json')).stdout);
  assert.deepEqual(instances, [{ instance: 's1', draining: true, calls: 0 }]);
});
