// Waiting for a predicate, with a deadline and a name for what was awaited.
import { setTimeout as wait } from 'node:timers/promises';

/** Resolves once `predicate` is true; rejects with its name after `timeoutMs`. */
export async function eventually(
  predicate: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 10_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await predicate())) {
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await wait(20);
  }
}
