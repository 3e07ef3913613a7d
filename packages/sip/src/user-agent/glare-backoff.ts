// What follows a 491: RFC 3261 §14.1 makes both sides wait for different times, so that they do not collide again.
import type { Clock } from '../clock.js';
import type { DialogState } from '../dialog/dialog-state.js';
import { cancelled } from './final-response.js';

const unitMs = 10;

/**
 * Milliseconds to wait after a 491, in units of 10: 2.1 to 4 s where we made the Call-ID, else 0 to 2 s.
 * @param random a number of 0 to 1, 1 excluded
 */
export function glareDelayMs(role: DialogState['role'], random: number = Math.random()): number {
  const [least, most] = role === 'uac' ? [2100, 4000] : [0, 2000];
  return least + unitMs * Math.floor(random * ((most - least) / unitMs + 1));
}

/** Waits. @throws SipError `cancelled` by the signal */
export function pause(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clock.clearTimeout(timer);
      reject(cancelled());
    };
    const timer = clock.setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
  });
}
