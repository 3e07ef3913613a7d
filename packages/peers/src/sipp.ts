/** Debian's sipp: an independent SIP peer that runs a scenario and ends. It has no address to find and no readiness. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findExecutable, peersRequired } from './config.js';
import { spawnGuarded } from './guarded-child.js';
import { PeerError } from './peer.js';
import { freeUdpPort } from './ports.js';

const ABSENT = 'sipp is not installed';

/** How a run of sipp ended. */
export interface SippResult {
  /** 0 = every call went as the scenario says; null = it was ended before. */
  readonly code: number | null;
  /** The end of what it printed (at most 32 kB), for the message of a failed assertion. */
  readonly output: string;
}

/** Why tests with sipp are skipped; undefined = they are not. @throws PeerError `absent` where CI requires it. */
export function sippMissing(): string | undefined {
  if (findExecutable('sipp') !== undefined) return undefined;
  if (peersRequired()) throw new PeerError('absent', ABSENT);
  return ABSENT;
}

/**
 * Runs sipp to its end, in a temporary directory for what it writes. It cannot tell which ports it took, so `args` name
 * them (`-i`, `-p`); `-nostdin` and a control port are added. An abort of `signal` kills it.
 *
 * @throws PeerError `absent` when it is not installed
 */
export async function runSipp(args: readonly string[], signal: AbortSignal): Promise<SippResult> {
  const executable = findExecutable('sipp');
  if (executable === undefined) throw new PeerError('absent', ABSENT);
  // Two sipps that come up at once and are not told a control port may take the same one.
  const control = ['-nostdin', '-cp', String(await freeUdpPort())];
  const directory = await mkdtemp(join(tmpdir(), 'sidestream-sipp-'));
  const { child, output } = spawnGuarded(executable, [...args, ...control], directory);
  const kill = () => child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  try {
    if (signal.aborted) kill();
    await once(child, 'close');
    return { code: child.exitCode, output: output() };
  } finally {
    signal.removeEventListener('abort', kill);
    await rm(directory, { recursive: true, force: true });
  }
}
