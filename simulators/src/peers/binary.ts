/** Spawns a peer's executable in a temporary directory and makes sure that it does not outlive us. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findExecutable } from './config.js';
import { PeerError } from './peer.js';
import type { Recipe, Started } from './recipe.js';

const OUTPUT_LIMIT = 32_768;
const STOP_GRACE_MS = 3_000;

/** Running children with their directories. */
const children = new Map<ChildProcess, string>();
let guarded = false;

/** Ends what is still running when our process exits in an orderly way; `setpriv` covers the other ways on Linux. */
function guard(child: ChildProcess, directory: string): void {
  children.set(child, directory);
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
function boundToUs(executable: string, args: string[]): [command: string, args: string[]] {
  const setpriv = process.platform === 'linux' ? findExecutable('setpriv') : undefined;
  if (setpriv === undefined) return [executable, args];
  return [setpriv, ['--pdeathsig', 'KILL', '--', executable, ...args]];
}

/** Starts the recipe's command. Rejects with PeerError('not-ready') when it cannot be executed. */
export async function startBinary(recipe: Recipe<unknown>, executable: string): Promise<Started> {
  const directory = await mkdtemp(join(tmpdir(), `sidestream-${recipe.name}-`));
  for (const [name, content] of Object.entries(recipe.files ?? {})) {
    await writeFile(join(directory, name), content, { mode: 0o600 });
  }
  const [command, args] = boundToUs(executable, recipe.args(directory));
  const child = spawn(command, args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString('utf8')).slice(-OUTPUT_LIMIT);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);

  let running = true;
  const ended = new Promise<string>((resolve) => {
    const end = (text: string) => {
      running = false;
      resolve(text);
    };
    child.once('error', (error) => end(error.message));
    child.once('exit', (code, signal) => end(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
  try {
    await once(child, 'spawn');
  } catch (cause) {
    await rm(directory, { recursive: true, force: true });
    throw new PeerError('not-ready', `${recipe.name}: ${recipe.command} could not be started`, { cause });
  }
  guard(child, directory);
  // A peer that nobody stops must not keep the caller's process alive: the exit guard ends it.
  child.unref();

  let stopping: Promise<void> | undefined;
  const end = async () => {
    if (running) {
      child.ref();
      child.kill('SIGTERM');
      // A stopped (SIGSTOP) or hanging peer does not hear SIGTERM.
      const grace = new AbortController();
      await Promise.race([ended, delay(STOP_GRACE_MS, undefined, { signal: grace.signal }).catch(() => undefined)]);
      grace.abort();
      if (running) child.kill('SIGKILL');
      await ended;
    }
    child.stdout.destroy();
    child.stderr.destroy();
    await rm(directory, { recursive: true, force: true });
  };
  return {
    pid: child.pid,
    ended,
    output: () => output,
    stop: () => {
      stopping ??= end();
      return stopping;
    },
    kill: async (signal) => {
      child.kill(signal);
    },
  };
}
