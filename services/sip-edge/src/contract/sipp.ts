// Debian's sipp as a process of a test: built-in scenarios, ended by its pid.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SippResult {
  readonly code: number | null;
  /** The end of what it printed, for the message of a failed assertion. */
  readonly output: string;
}

export class Sipp {
  readonly #child: ChildProcess;
  readonly #directory: string;
  #output = '';

  constructor(scenario: 'uac' | 'uas', transport: 'udp' | 'tcp', args: readonly string[]) {
    this.#directory = mkdtempSync(join(tmpdir(), 'sipp-'));
    const fixed = ['-sn', scenario, '-i', '127.0.0.1', '-nostdin', '-t', transport === 'udp' ? 'u1' : 't1'];
    this.#child = spawn('sipp', [...fixed, ...args], { cwd: this.#directory, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString('utf8')).slice(-4_000);
      });
    }
  }

  /** Waits for its end, for at most `timeoutMs`. */
  async finished(timeoutMs: number): Promise<SippResult> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), timeoutMs);
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
    clearTimeout(timer);
    rmSync(this.#directory, { recursive: true, force: true });
    return { code: this.#child.exitCode, output: this.#output };
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGKILL');
      await once(this.#child, 'exit');
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** A port that is free on TCP, and was given out a moment ago only: good for UDP as well. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}
