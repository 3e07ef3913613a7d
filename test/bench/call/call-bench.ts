// `bench call`: CPU and memory of whole recorded calls, by process. "Ours" is edge, signalling and media relay.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { eventually } from '@sidestream/peers';
import { collectChildren } from '../config.js';
import { type Figure, type Report, rounded, thisMachine } from '../report.js';
import { CallSite } from './call-site.js';
import { collect, cpuMs, pssKb } from './process-usage.js';
import { profileSummary, startProfiling } from './profile.js';

const stepNames = ['cpu', 'ramp', 'memory', 'orphans'] as const;
type Step = (typeof stepNames)[number];

export interface CallBenchOptions {
  /** Calls a second of the CPU and memory steps. */
  readonly rate: number;
  readonly seconds: number;
  readonly concurrent: number;
  readonly maxRate: number;
  readonly only: readonly string[];
  /** Where CPU profiles are left. */
  readonly profile?: string;
}

export const callBenchDefaults: CallBenchOptions = {
  rate: 40,
  seconds: 30,
  concurrent: 500,
  maxRate: 400,
  only: stepNames,
};

export const callBenchRemarks: Readonly<Record<string, string>> = {
  cpuMsPerCall: 'goal ≤ 13; drachtio-based peer 13.2 without TLS, OpenSIPS 2.75',
  cpuMsPerCallByProcess: 'rtpengine is not in the sum; peers’ is 1.9 to 2.3',
  callsPerSecondClean: 'peers 200 and 350 on a machine of their own',
  kBPerConcurrentCall:
    'goal ≤ 136; drachtio-based peer 136, OpenSIPS 20; growth of the PSS, heaps collected before each reading',
  kBPerConcurrentCallUncollected: 'the same without: with the garbage of setting the calls up',
  liveKBPerConcurrentCall: 'growth of what lives in the heaps',
  orphans: 'after 100 calls a second for 10 s; goal 0',
  cpuVsDrachtioPeer: 'ours over 13.2 ms',
  memoryVsDrachtioPeer: 'ours over 136 kB, which was read without collecting',
};

/** What the drachtio-based peer needs: not measured here, so these two are no ratios of one run. */
const peer = { cpuMsPerCall: 13.2, kBPerConcurrentCall: 136 };
const ours = ['sip-edge', 'signalling', 'media-relay'];
const holdMs = 1_000;
/** A cold just-in-time compiler costs a fifth more; the first calls are not measured. */
const warmUpCalls = 240;
/** RFC 3261 keeps transactions for 64*T1 = 32 s after their end: they are no part of an idle process. */
const forgottenMs = 40_000;
const rampStep = 20;
const rampSeconds = 5;

/**
 * Runs the wanted steps on one deployment.
 * @throws Error when a step that is not about limits has a failed or unrecorded call
 */
export async function callBench(options: CallBenchOptions, progress: (line: string) => void): Promise<Report> {
  const machine = thisMachine();
  if (options.profile !== undefined) startProfiling(options.profile);
  const collected = mkdtempSync(join(tmpdir(), 'sidestream-bench-'));
  collectChildren(collected);
  const site = await CallSite.start();
  const figures: Record<string, Figure> = {};
  try {
    progress(`warm-up: ${warmUpCalls} calls`);
    await clean(site, { calls: warmUpCalls, callsPerSecond: options.rate, holdMs });
    const steps: Record<Step, () => Promise<Record<string, Figure>>> = {
      cpu: () => cpuStep(site, options, progress),
      memory: () => memoryStep(site, options, collected, progress),
      orphans: () => orphansStep(site, progress),
      ramp: () => rampUp(site, options, progress),
    };
    // The ramp comes last: it ends by overloading the deployment.
    for (const step of ['cpu', 'memory', 'orphans', 'ramp'] as const) {
      if (options.only.includes(step)) Object.assign(figures, await steps[step]());
    }
  } finally {
    await site.stop();
    rmSync(collected, { recursive: true, force: true });
  }
  if (options.profile !== undefined) for (const line of profileSummary(options.profile)) progress(line);
  return { name: 'call', figures, ratios: ratiosOf(figures), machine };
}

async function cpuStep(
  site: CallSite,
  { rate, seconds }: CallBenchOptions,
  progress: (line: string) => void,
): Promise<Record<string, Figure>> {
  const calls = rate * seconds;
  progress(`CPU: ${calls} calls at ${rate} a second, ${holdMs} ms each`);
  const before = usage(site, cpuMs);
  await clean(site, { calls, callsPerSecond: rate, holdMs });
  const after = usage(site, cpuMs);
  const perCall = Object.fromEntries([...after].map(([name, ms]) => [name, (ms - (before.get(name) ?? 0)) / calls]));
  return {
    cpuMsPerCall: rounded(sumOfOurs(perCall)),
    cpuMsPerCallByProcess: roundedAll(perCall),
  };
}

/** What our processes hold, in kB by process. */
interface Memory {
  readonly pss: ReadonlyMap<string, number>;
  readonly live: ReadonlyMap<string, number>;
}

async function memoryStep(
  site: CallSite,
  { rate, concurrent }: CallBenchOptions,
  directory: string,
  progress: (line: string) => void,
): Promise<Record<string, Figure>> {
  progress('memory: waiting until the transactions of ended calls are forgotten');
  await setTimeout(forgottenMs);
  progress(`memory: ${concurrent} calls held at once`);
  const idle = await collectedMemory(site, directory);
  const rampMs = (concurrent / rate) * 1_000;
  const batch = clean(site, { calls: concurrent, callsPerSecond: rate, holdMs: rampMs + 5_000 });
  const held = eventually(() => site.openRecordings >= concurrent, `${concurrent} calls at once`, rampMs + 10_000);
  // Whichever fails first tells why; the other must not fail unheard.
  await Promise.race([held, batch.then(() => held)]);
  const uncollected = usage(site, pssKb);
  const loaded = await collectedMemory(site, directory);
  if (site.openRecordings < concurrent) throw new Error('calls ended before the memory was read');
  await batch;
  const growth = (before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>) =>
    Object.fromEntries([...after].map(([name, kB]) => [name, (kB - (before.get(name) ?? 0)) / concurrent]));
  const perCall = growth(idle.pss, loaded.pss);
  return {
    kBPerConcurrentCall: rounded(sumOfOurs(perCall)),
    kBPerConcurrentCallByProcess: roundedAll(perCall),
    kBPerConcurrentCallUncollected: rounded(sumOfOurs(growth(idle.pss, uncollected))),
    liveKBPerConcurrentCall: rounded(sumOfOurs(growth(idle.live, loaded.live))),
    kBTotal: rounded(ours.reduce((sum, name) => sum + (loaded.pss.get(name) ?? 0), 0)),
  };
}

/** Collects the heaps of our processes, one after the other, and reads what is left. */
async function collectedMemory(site: CallSite, directory: string): Promise<Memory> {
  const live = new Map<string, number>();
  for (const [name, pid] of site.processes) {
    if (ours.includes(name)) live.set(name, (await collect(pid, directory)).liveKb);
  }
  return { live, pss: usage(site, pssKb) };
}

async function orphansStep(site: CallSite, progress: (line: string) => void): Promise<Record<string, Figure>> {
  progress('orphans: 100 calls a second for 10 s');
  const { orphans, fault } = await site.run({ calls: 1_000, callsPerSecond: 100, holdMs });
  if (fault !== undefined) progress(`at 100 a second: ${fault}`);
  return { orphans };
}

/** The last rate at which no call failed, all were recorded and nothing was left. */
async function rampUp(
  site: CallSite,
  { rate, maxRate }: CallBenchOptions,
  progress: (line: string) => void,
): Promise<Record<string, Figure>> {
  let clean = 0;
  for (let callsPerSecond = rate; callsPerSecond <= maxRate; callsPerSecond += rampStep) {
    const { orphans, fault } = await site.run({ calls: callsPerSecond * rampSeconds, callsPerSecond, holdMs });
    const problem = fault ?? (orphans > 0 ? `${orphans} orphans` : undefined);
    progress(`ramp: ${callsPerSecond} a second: ${problem ?? 'clean'}`);
    if (problem !== undefined) break;
    clean = callsPerSecond;
  }
  return { callsPerSecondClean: clean };
}

async function clean(site: CallSite, batch: Parameters<CallSite['run']>[0]): Promise<void> {
  const { fault, orphans } = await site.run(batch);
  if (fault !== undefined) throw new Error(`at ${batch.callsPerSecond} calls a second: ${fault}`);
  if (orphans > 0) throw new Error(`at ${batch.callsPerSecond} calls a second: ${orphans} orphans`);
}

function usage(site: CallSite, read: (pid: number) => number): Map<string, number> {
  return new Map([...site.processes].map(([name, pid]) => [name, read(pid)]));
}

function sumOfOurs(perCall: Readonly<Record<string, number>>): number {
  return ours.reduce((sum, name) => sum + (perCall[name] ?? 0), 0);
}

function roundedAll(values: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, rounded(value)]));
}

function ratiosOf({ cpuMsPerCall, kBPerConcurrentCall }: Readonly<Record<string, Figure>>): Record<string, number> {
  return {
    ...(typeof cpuMsPerCall === 'number' && { cpuVsDrachtioPeer: rounded(cpuMsPerCall / peer.cpuMsPerCall) }),
    ...(typeof kBPerConcurrentCall === 'number' && {
      memoryVsDrachtioPeer: rounded(kBPerConcurrentCall / peer.kBPerConcurrentCall),
    }),
  };
}
