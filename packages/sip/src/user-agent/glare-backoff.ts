// What follows a 491: RFC 3261 §14.1 makes both sides wait for different times, so that they do not collide again.
import type { Clock } from '../clock.js';
import type { DialogState } from '../dialog/dialog-state.js';
import type { SipResponse } from '../message/sip-message.js';
import { SipError } from '../sip-error.js';
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

/** What to do after a 491. */
export interface GlareOptions {
  /** How often a 491 is tried again, each time after the wait of RFC 3261 §14.1. Default 0: the 491 is returned. */
  readonly glareRetries?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Attempts, and attempts again after a 491 of the peer or of our own. @throws SipError `cancelled`, and what `attempt` throws */
export async function retryGlare(
  clock: Clock,
  role: DialogState['role'],
  { glareRetries = 0, signal }: GlareOptions,
  attempt: () => Promise<SipResponse>,
): Promise<SipResponse> {
  for (let left = glareRetries; left > 0; left -= 1) {
    try {
      const response = await attempt();
      if (response.status !== 491) return response;
    } catch (error) {
      if (!(error instanceof SipError) || error.status !== 491) throw error;
    }
    await pause(clock, glareDelayMs(role), signal);
  }
  return attempt();
}

function pause(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
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
