// One deadline over several waits that end together: looking up, connecting, handshaking.
import { SipError } from '../sip-error.js';

/**
 * Runs work that has to be done within `timeoutMs`. The signal that the work gets aborts when the time is over or the caller's
 * signal does; its reason is the SipError to fail with (`transport-failed` or `cancelled`).
 */
export async function withinBudget<T>(
  peer: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const budget = new AbortController();
  const onAbort = (): void => budget.abort(new SipError('cancelled', `${peer}: connecting was cancelled`));
  const onTime = (): void =>
    budget.abort(new SipError('transport-failed', `${peer}: no connection within ${timeoutMs} ms`));
  const timer = setTimeout(onTime, timeoutMs);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    if (signal?.aborted) onAbort();
    return await work(budget.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}
