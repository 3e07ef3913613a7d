/** Spawns a program in a directory of its own, keeps the end of what it prints, and makes sure that it does not outlive us. */
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { findExecutable } from './config.js';

const OUTPUT_LIMIT = 32_768;

/** Running children, how to end them, and their directories. */
const children = new Map<ChildProcess, { destroy: () => void; directory: string }>();
let guarded = false;

/** A spawned program; `output` is the end of what it wrote so far, at most 32 kB. */
export interface GuardedChild {
  readonly child: ChildProcessByStdio<Writable | null, Readable, Readable>;
  output(): string;
  /** SIGKILL, for a family to all that is left of it. */
  destroy(): void;
}

/** Ends what is still running when our process exits in an orderly way; see boundToUs and familyBoundToUs for the others. */
function guard(child: ChildProcess, destroy: () => void, directory: string): void {
  child.once('spawn', () => children.set(child, { destroy, directory }));
  child.once('exit', () => children.delete(child));
  if (guarded) return;
  guarded = true;
  process.on('exit', () => {
    for (const { destroy, directory } of children.values()) {
      destroy();
      rmSync(directory, { recursive: true, force: true });
    }
  });
}

type Command = [command: string, args: readonly string[]];

/** PR_SET_PDEATHSIG survives exec, so the kernel ends the child even when we are killed by SIGKILL. */
function boundToUs(executable: string, args: readonly string[]): Command {
  const setpriv = process.platform === 'linux' ? findExecutable('setpriv') : undefined;
  if (setpriv === undefined) return [executable, args];
  return [setpriv, ['--pdeathsig', 'KILL', '--', executable, ...args]];
}

/**
 * The children of a child have no such tie, and its head cannot be trusted to end them: Kamailio hangs where a signal meets it
 * while it starts. A process beside the family, no child of it, kills its process group once our end of the pipe is gone.
 */
const watched = `exec 3<&0 </dev/null
( ( read -r _ <&3; kill -KILL 0 ) >/dev/null 2>&1 & )
exec 3<&-
exec "$@"`;

function familyBoundToUs(executable: string, args: readonly string[]): Command {
  return ['/bin/sh', ['-c', watched, 'sh', executable, ...args]];
}

function endFamily(head: ChildProcess): void {
  if (head.pid === undefined) return;
  try {
    process.kill(-head.pid, 'SIGKILL');
  } catch {
    // All of them have ended.
  }
}

/**
 * Spawns; a program that cannot be executed is told by the child's `error` event, as Node does.
 *
 * @param family it starts processes of its own; they become one process group
 */
export function spawnGuarded(
  executable: string,
  args: readonly string[],
  directory: string,
  family = false,
): GuardedChild {
  const [command, all] = family ? familyBoundToUs(executable, args) : boundToUs(executable, args);
  // Detached: Ctrl-C at a terminal is for us alone, who end the child when nobody needs it any more.
  const options = { cwd: directory, detached: true };
  const child = family
    ? spawn(command, all, { ...options, stdio: ['pipe', 'pipe', 'pipe'] })
    : spawn(command, all, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const destroy = (): void => {
    if (family) endFamily(child);
    else child.kill('SIGKILL');
  };
  guard(child, destroy, directory);
  let output = '';
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString('utf8')).slice(-OUTPUT_LIMIT);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return { child, output: () => output, destroy };
}
