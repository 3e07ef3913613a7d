// `bench policy`: what a large policy costs the calls: a decision, the memory while a new policy takes the place of the old one, and
// how long everything stands still for it.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { PolicyPointer } from '@sidestream/policy';
import { median, type Report, rounded, thisMachine } from '../report.js';

export interface PolicyBenchOptions {
  readonly users: number;
  readonly swaps: number;
}

export const policyBenchDefaults: PolicyBenchOptions = { users: 1_000_000, swaps: 9 };

/** What must hold for a million users. */
const bounds = { decideP99Us: 20, snapshotMB: 250, peakMBWhileSwapping: 500, swapPauseMs: 20 };

export const policyBenchRemarks: Readonly<Record<string, string>> = {
  decideP99Us: `bound ${bounds.decideP99Us}`,
  snapshotMB: `bound ${bounds.snapshotMB}`,
  peakMBWhileSwapping: `resident memory of the whole process; bound ${bounds.peakMBWhileSwapping}`,
  swapPauseMs: `longest turn of the event loop in a swap without what other processes took, median of the swaps; bound ${bounds.swapPauseMs}`,
  swapPauseWorstMs: 'the same in the worst of the swaps',
  swapPauseWallMs: 'the same by the clock, median of the swaps',
  idlePauseWallMs: 'the same while nothing is swapped: what this machine does by itself',
  buildMs: 'identities file and users into the snapshot, in a process of its own',
  decideWithinBound: 'bound by figure; goal ≥ 1, as the next ones',
};

/** What the building process tells of one policy. */
export interface Built {
  readonly file: string;
  readonly buildMs: number;
  readonly peakKb: number;
  readonly pointer: Pick<PolicyPointer, 'bytes' | 'sha256' | 'revision'>;
}

/** The longest turn of the event loop during something. */
export interface Pause {
  /** What the process itself did in it. */
  readonly ownMs: number;
  /** What other processes took included. */
  readonly wallMs: number;
}

/** What the deciding process tells. */
export interface Swapped {
  readonly decideP50Us: number;
  readonly decideP99Us: number;
  readonly idlePause: Pause;
  readonly pauses: readonly Pause[];
  readonly peakKb: number;
}

/**
 * Builds two policies in one process and swaps them in another, which decides calls all the time.
 * @throws Error when a process fails, or decides what the policy does not say
 */
export async function policyBench({ users, swaps }: PolicyBenchOptions, tell: (line: string) => void): Promise<Report> {
  const machine = thisMachine();
  const folder = mkdtempSync(join(tmpdir(), 'sidestream-bench-'));
  try {
    tell(`building two policies of ${users} users`);
    const files = [0, 1].map((generation) => join(folder, `${generation}.policy`));
    const built: Built[] = await run('build-process.js', [String(users), ...files]);
    tell(`swapping them ${swaps} times under calls`);
    const swapped: Swapped = await run('swap-process.js', [String(swaps), JSON.stringify(built)]);
    const figures = {
      decideP99Us: rounded(swapped.decideP99Us),
      snapshotMB: rounded(Math.max(...built.map(({ pointer }) => pointer.bytes)) / 1e6),
      peakMBWhileSwapping: rounded((swapped.peakKb * 1024) / 1e6),
      swapPauseMs: rounded(median(swapped.pauses.map(({ ownMs }) => ownMs))),
      swapPauseWorstMs: rounded(Math.max(...swapped.pauses.map(({ ownMs }) => ownMs))),
      swapPauseWallMs: rounded(median(swapped.pauses.map(({ wallMs }) => wallMs))),
      idlePauseWallMs: rounded(swapped.idlePause.wallMs),
      decideP50Us: rounded(swapped.decideP50Us),
      users,
      buildMs: rounded(Math.min(...built.map(({ buildMs }) => buildMs))),
      buildPeakMB: rounded(((built[0]?.peakKb ?? Number.NaN) * 1024) / 1e6),
    };
    const ratios = {
      decideWithinBound: rounded(bounds.decideP99Us / figures.decideP99Us),
      snapshotWithinBound: rounded(bounds.snapshotMB / figures.snapshotMB),
      peakWithinBound: rounded(bounds.peakMBWhileSwapping / figures.peakMBWhileSwapping),
      pauseWithinBound: rounded(bounds.swapPauseMs / figures.swapPauseMs),
    };
    return { name: 'policy', figures, ratios, machine };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function run<T>(script: string, args: readonly string[]): Promise<T> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const options = { timeout: 600_000, maxBuffer: 1024 * 1024 };
  const { stdout } = await promisify(execFile)(process.execPath, [path, ...args], options);
  return JSON.parse(stdout);
}
