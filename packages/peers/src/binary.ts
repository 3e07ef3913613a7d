/** Starts a peer's executable in a temporary directory, and ends it. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { spawnGuarded } from './guarded-child.js';
import { PeerError } from './peer.js';
import type { Recipe, Started } from './recipe.js';

const STOP_GRACE_MS = 3_000;

/** Starts the recipe's command. Rejects with PeerError('not-ready') when it cannot be executed. */
export async function startBinary(recipe: Recipe<unknown>, executable: string): Promise<Started> {
  const directory = await mkdtemp(join(tmpdir(), `sidestream-${recipe.name}-`));
  for (const [name, content] of Object.entries(recipe.files ?? {})) {
    await writeFile(join(directory, name), content, { mode: 0o600 });
  }
  const { child, output, destroy } = spawnGuarded(executable, recipe.args(directory), directory, recipe.family);

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
      if (running) destroy();
      await ended;
    }
    if (recipe.family) destroy();
    child.stdout.destroy();
    child.stderr.destroy();
    await rm(directory, { recursive: true, force: true });
  };
  return {
    pid: child.pid,
    ended,
    output,
    stop: () => {
      stopping ??= end();
      return stopping;
    },
    kill: async (signal) => {
      child.kill(signal);
    },
  };
}
