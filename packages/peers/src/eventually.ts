/**
 * For tests and the demo: waiting until a predicate holds. It is here because what they wait for happens in a process
 * that this package started, and because everyone who waits so depends on this package already.
 */
import { setTimeout as delay } from 'node:timers/promises';

const POLL_EVERY_MS = 10;

/** Resolves once `predicate` is true; rejects with `what` was awaited after `timeoutMs`, or with what `predicate` throws. */
export async function eventually(
  predicate: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 10_000,
): Promise<void> {
  // Not Date.now(): a step of the wall clock must not end or prolong the wait.
  const end = performance.now() + timeoutMs;
  while (!(await predicate())) {
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await delay(POLL_EVERY_MS);
  }
}
