/** Debian's sipp: an independent SIP peer that runs a scenario and ends. It has no address to find and no readiness. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findExecutable, peersRequired } from './config.js';
import { eventually } from './eventually.js';
import { spawnGuarded } from './guarded-child.js';
import { PeerError } from './peer.js';
import { freeUdpPort } from './ports.js';

const ABSENT = 'sipp is not installed';
const controlPortAttempts = 3;

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
  const directory = await mkdtemp(join(tmpdir(), 'sidestream-sipp-'));
  try {
    for (let attempt = 1; ; attempt += 1) {
      const result = await runOnce(executable, args, directory, signal);
      // A port that was free a moment ago may be somebody else's by now; sipp has done nothing yet.
      const collided = result.code !== 0 && result.output.includes('Unable to bind remote control socket');
      if (!collided || attempt === controlPortAttempts || signal.aborted) return result;
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function runOnce(
  executable: string,
  args: readonly string[],
  directory: string,
  signal: AbortSignal,
): Promise<SippResult> {
  // Two sipps that come up at once and are not told a control port may take the same one.
  const control = ['-nostdin', '-cp', String(await freeUdpPort())];
  const { child, output } = spawnGuarded(executable, [...args, ...control], directory);
  const kill = () => child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  try {
    if (signal.aborted) kill();
    await once(child, 'close');
    return { code: child.exitCode, output: output() };
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

/** Resolves when a sipp that waits for calls listens there. An INVITE that comes too early may be taken for refused. */
export async function sippListens(
  protocol: 'udp' | 'tcp',
  port: number,
  timeoutMs?: number,
  host = '127.0.0.1',
): Promise<void> {
  const listens = (): Promise<boolean> => (protocol === 'udp' ? udpListens(host, port) : tcpListens(host, port));
  await eventually(listens, `sipp listens at ${host}:${port}`, timeoutMs);
}

/** The refusal of one datagram (ICMP) is told when the next one is sent; sipp overlooks these, they are keep-alives. */
async function udpListens(host: string, port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  let refused = false;
  socket.on('error', () => {
    refused = true;
  });
  socket.connect(port, host);
  await once(socket, 'connect');
  for (let datagram = 0; datagram < 2; datagram += 1) {
    await new Promise<void>((resolve) => {
      socket.send('\r\n\r\n', (error) => {
        refused ||= error instanceof Error;
        resolve();
      });
    });
  }
  socket.close();
  await once(socket, 'close');
  return !refused;
}

async function tcpListens(host: string, port: number): Promise<boolean> {
  const socket = connect(port, host);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
