// Runs the command line as its users do: as a process.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

export const cliMain = fileURLToPath(new URL('../../../cli/dist/main.js', import.meta.url));

export interface CliRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param detached as the head of a process group, to which signals can be sent as a terminal sends them */
export function spawnCli(
  args: readonly string[],
  { detached = false } = {},
): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, ['--enable-source-maps', cliMain, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached,
  });
}

/** Runs a command to its end; kills it after `timeoutMs` (its exit code is null then). */
export function runCli(args: readonly string[], { timeoutMs }: { timeoutMs: number }): Promise<CliRun> {
  return new Promise((resolve, reject) => {
    const child = spawnCli(args);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (text: Buffer) => {
      stdout += text;
    });
    child.stderr.on('data', (text: Buffer) => {
      stderr += text;
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
  });
}

/** The processes that a process has started and that still run. */
export function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
