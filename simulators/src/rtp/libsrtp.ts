/**
 * libsrtp through Debian's python3-pylibsrtp: an independent SRTP implementation to check ours, and captured streams,
 * against. Keys go to the child by its standard input and nowhere else.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { findExecutable } from '@sidestream/peers';

const SCRIPT = fileURLToPath(new URL('../../assets/libsrtp.py', import.meta.url));
const TIMEOUT_MS = 60_000;
const MAX_OUTPUT_BYTES = 64 << 20;

/** One result: the packet, or libsrtp's refusal. */
export type LibsrtpResult = Buffer | { error: string };

/** Packets in, packets out; `key` is the 30 octets of the SDES key. All packets of a call go through one session. */
export interface Libsrtp {
  protect(key: Buffer, packets: readonly Buffer[], protocol?: 'srtp' | 'srtcp'): Promise<LibsrtpResult[]>;
  unprotect(key: Buffer, packets: readonly Buffer[], protocol?: 'srtp' | 'srtcp'): Promise<LibsrtpResult[]>;
}

function run(python: string, args: string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(python, args, { timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES }, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(error);
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

function parseResults(text: string): LibsrtpResult[] {
  const results: unknown = JSON.parse(text);
  if (!Array.isArray(results)) throw new TypeError('libsrtp.py did not print a list');
  return results.map((result: unknown) => {
    if (typeof result === 'string') return Buffer.from(result, 'hex');
    const error =
      typeof result === 'object' && result !== null && 'error' in result ? String(result.error) : 'no result';
    return { error };
  });
}

/** Finds a Python that has pylibsrtp (Debian's own first, since pylibsrtp is installed for it), or tells why there is none. */
export async function findLibsrtp(): Promise<
  { libsrtp: Libsrtp; reason?: undefined } | { libsrtp: undefined; reason: string }
> {
  for (const python of ['/usr/bin/python3', findExecutable('python3')]) {
    if (python === undefined) continue;
    try {
      await run(python, ['-c', 'import pylibsrtp'], '');
    } catch {
      continue;
    }
    const convert =
      (direction: 'protect' | 'unprotect') =>
      async (key: Buffer, packets: readonly Buffer[], protocol: 'srtp' | 'srtcp' = 'srtp') => {
        const job = {
          direction,
          protocol,
          key: key.toString('hex'),
          packets: packets.map((packet) => packet.toString('hex')),
        };
        return parseResults(await run(python, [SCRIPT], JSON.stringify(job)));
      };
    return { libsrtp: { protect: convert('protect'), unprotect: convert('unprotect') } };
  }
  return { libsrtp: undefined, reason: 'python3-pylibsrtp (libsrtp) is not installed' };
}
