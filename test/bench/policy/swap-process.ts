// A process that does what signalling does: it decides calls all the time, takes a new policy in chunks, checks it, swaps it in and
// drops the old one. What that cost the calls is told on stdout.
import { createReadStream } from 'node:fs';
import { createHistogram } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { decide, type PolicySnapshot, receiveSnapshot } from '@sidestream/policy';
import type { Built, Pause, Swapped } from './policy-bench.js';
import { call } from './population.js';

/** As JetStream's object store cuts them. */
const chunkBytes = 128 * 1024;
/** Calls that arrive at once: less than a millisecond of work. */
const callsAtOnce = 20;
const recorders = ['eastus', 'global'];

const [swaps = '0', described = '[]'] = process.argv.slice(2);
const policies: Built[] = JSON.parse(described);

let live: PolicySnapshot = await load(0);
const users = live.size;
const decisions = createHistogram();
let calls = 0;
let recorded = 0;
let longest = { ownMs: 0, wallMs: 0 };
let stopped = false;

/**
 * Decides in every turn of the event loop; a turn that takes long is what a call would have waited. Its own part of that is at most the
 * CPU time of the process: the rest went to other processes.
 */
async function work(): Promise<void> {
  let [turn, cpu] = [performance.now(), cpuMs()];
  while (!stopped) {
    for (let n = 0; n < callsAtOnce; n += 1) {
      const facts = call(calls, users);
      const began = process.hrtime.bigint();
      const { record } = decide(live, facts, recorders);
      decisions.record(process.hrtime.bigint() - began);
      calls += 1;
      if (record) recorded += 1;
    }
    await setImmediate();
    const [now, used] = [performance.now(), cpuMs()];
    const wallMs = now - turn;
    longest = {
      ownMs: Math.max(longest.ownMs, Math.min(wallMs, used - cpu)),
      wallMs: Math.max(longest.wallMs, wallMs),
    };
    [turn, cpu] = [now, used];
  }
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function load(index: number): Promise<PolicySnapshot> {
  const policy = policies[index % policies.length];
  if (policy === undefined) throw new Error('there is no policy');
  const chunks = createReadStream(policy.file, { highWaterMark: chunkBytes });
  return receiveSnapshot(chunks, policy.pointer, {}, AbortSignal.timeout(120_000));
}

/** The longest turn while `what` lasts. */
async function longestDuring(what: () => Promise<void>): Promise<Pause> {
  await setImmediate();
  longest = { ownMs: 0, wallMs: 0 };
  await what();
  await setImmediate();
  return longest;
}

const working = work();
// The compiler has seen everything before anything is measured.
await idle(20_000);
live = await load(1);
decisions.reset();
const idlePause = await longestDuring(() => idle(60_000));
const pauses: Pause[] = [];
for (let swap = 0; swap < Number(swaps); swap += 1) {
  const pause = await longestDuring(async () => {
    live = await load(swap);
    // What follows from dropping the old one counts, too.
    await idle(10_000);
  });
  pauses.push(pause);
}
stopped = true;
await working;
if (Math.abs(recorded / calls - 2 / 3) > 0.01)
  throw new Error(`${recorded} of ${calls} calls were recorded, not two thirds`);

const result: Swapped = {
  decideP50Us: decisions.percentile(50) / 1000,
  decideP99Us: decisions.percentile(99) / 1000,
  idlePause,
  pauses,
  peakKb: process.resourceUsage().maxRSS,
};
process.stdout.write(JSON.stringify(result));

/** So many calls without a swap. */
async function idle(count: number): Promise<void> {
  const until = calls + count;
  while (calls < until) await setImmediate();
}
