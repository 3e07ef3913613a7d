// A non-INVITE transaction as a promise.

import type { Clock } from '../clock.js';
import type { SipResponse } from '../message/sip-message.js';
import { SipError } from '../sip-error.js';
import type { ClientTransaction } from '../transaction/client-transaction.js';

/** How long, and at whose will, someone waits. */
export interface Patience {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds from the sending of the request. Timer F (32 s) holds in any case. */
  readonly timeoutMs?: number | undefined;
}

/**
 * The final response of a transaction, whatever its status.
 * @throws SipError `timed-out`, `cancelled` (the signal; the transaction itself goes on) or `transport-failed`.
 */
export function finalResponse(transaction: ClientTransaction, clock: Clock, patience: Patience): Promise<SipResponse> {
  const { signal, timeoutMs } = patience;
  const { method } = transaction.request;
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      signal?.removeEventListener('abort', onAbort);
      clock.clearTimeout(timer);
      transaction.off('terminated', onEnded);
    };
    const fail = (error: SipError): void => {
      settle();
      reject(error);
    };
    const onAbort = (): void => fail(cancelled());
    const onTimeout = (): void => fail(new SipError('timed-out', `${method}: no final response`));
    // A layer that closes ends its transactions with no other event once they have their response.
    const onEnded = (): void => fail(new SipError('transport-failed', `${method}: the transaction was ended`));
    const timer = timeoutMs === undefined ? undefined : clock.setTimeout(onTimeout, timeoutMs);
    transaction.once('final', (response) => {
      settle();
      resolve(response);
    });
    transaction.once('timeout', onTimeout);
    transaction.once('transportError', fail);
    transaction.once('terminated', onEnded);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
  });
}

/** The error of whoever gave up by its AbortSignal. */
export function cancelled(): SipError {
  return new SipError('cancelled', 'cancelled by the caller');
}
