// Loaded into a process before its own code: on SIGUSR2 it collects its heap and leaves a new `<pid>.collected`, with what lives.
// Node 20 takes --expose-gc on the command line only, and the command lines are the supervisor's.
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { queryObjects, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { collectDirectory } from '../config.js';

setFlagsFromString('--expose-gc');
const gc: unknown = runInNewContext('gc');
const anyTimer = setTimeout(() => {}, 0);
let count = 0;

/** Timers that wait, whoever set them; those that keep no process alive are among them. */
function timers(): number {
  return queryObjects(anyTimer.constructor, { format: 'summary' }).filter((text) => text.includes('_destroyed: false'))
    .length;
}

process.on('SIGUSR2', () => {
  const directory = collectDirectory();
  if (directory === undefined || typeof gc !== 'function') return;
  // The second time takes what finalizers of the first have let go.
  for (let times = 0; times < 2; times += 1) gc();
  const { heapUsed, external } = process.memoryUsage();
  count += 1;
  const file = join(directory, `${process.pid}.collected`);
  writeFileSync(`${file}.new`, JSON.stringify({ count, liveKb: (heapUsed + external) / 1_024, timers: timers() }));
  renameSync(`${file}.new`, file);
});
