/** Spawns a program in a directory of its own, keeps the end of what it prints, and makes sure that it does not outlive us. */
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { findExecutable } from './config.js';

const OUTPUT_LIMIT = 32_768;

/** Running children with their directories. */
const children = new Map<ChildProcess, string>();
let guarded = false;

/** A spawned program; `output` is the end of what it wrote so far, at most 32 kB. */
export interface GuardedChild {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  output(): string;
}

/** Ends what is still running when our process exits in an orderly way; `setpriv` covers the other ways on Linux. */
function guard(child: ChildProcess, directory: string): void {
  child.once('spawn', () => children.set(child, directory));
  child.once('exit', () => children.delete(child));
  if (guarded) return;
  guarded = true;
  process.on('exit', () => {
    for (const [left, files] of children) {
      left.kill('SIGKILL');
      rmSync(files, { recursive: true, force: true });
    }
  });
}

/** PR_SET_PDEATHSIG survives exec, so the kernel kills the child even when we are killed by SIGKILL. */
function boundToUs(executable: string, args: readonly string[]): [command: string, args: readonly string[]] {
  const setpriv = process.platform === 'linux' ? findExecutable('setpriv') : undefined;
  if (setpriv === undefined) return [executable, args];
  return [setpriv, ['--pdeathsig', 'KILL', '--', executable, ...args]];
}

/** Spawns; a program that cannot be executed is told by the child's `error` event, as Node does. */
export function spawnGuarded(executable: string, args: readonly string[], directory: string): GuardedChild {
  const [command, all] = boundToUs(executable, args);
  const child = spawn(command, all, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
  guard(child, directory);
  let output = '';
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString('utf8')).slice(-OUTPUT_LIMIT);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return { child, output: () => output };
}
