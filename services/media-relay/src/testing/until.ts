// Waiting in tests: for a predicate, never for a time.
import { setTimeout as delay } from 'node:timers/promises';

/** Resolves when the predicate holds; fails with `what` after `deadlineMs`. */
export async function until(
  what: string,
  predicate: () => boolean | Promise<boolean>,
  deadlineMs = 5_000,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await predicate())) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await delay(5);
  }
}

/** The deadline of one step of a test. */
export function soon(ms = 5_000): AbortSignal {
  return AbortSignal.timeout(ms);
}
