// An INVITE client transaction as a promise, initial or within a dialog. Who gives up early is heard at once; the cleaning
// up (CANCEL, ACK of late 2xx) goes on behind.
import type { Clock } from '../clock.js';
import type { SipResponse } from '../message/sip-message.js';
import { SipError } from '../sip-error.js';
import type { ClientTransaction } from '../transaction/client-transaction.js';
import type { Flow } from '../transport/flow.js';
import { cancelled } from './final-response.js';

export interface InviteAttemptOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds to the first provisional or final response. */
  readonly provisionalTimeoutMs?: number | undefined;
  /** Milliseconds to the final response. */
  readonly finalTimeoutMs?: number | undefined;
  readonly onProvisional?: ((response: SipResponse, flow: Flow) => void) | undefined;
  /** Every 2xx, copies and forks included. `wanted` is false once the promise is settled. Each has to be acknowledged. */
  readonly onAccepted: (response: SipResponse, flow: Flow, wanted: boolean) => void;
}

/**
 * Resolves with the first final response.
 * @throws SipError `timed-out` (timer B or the caller's timeouts), `cancelled` (the signal) or `transport-failed`. After the
 * caller's timeouts and the signal the INVITE is cancelled, by RFC 3261 §9.1 not before a provisional response has come.
 */
export function attemptInvite(
  transaction: ClientTransaction,
  clock: Clock,
  options: InviteAttemptOptions,
): Promise<SipResponse> {
  const { signal, provisionalTimeoutMs, finalTimeoutMs } = options;
  return new Promise((resolve, reject) => {
    let settled = false;
    const settle = (): void => {
      settled = true;
      signal?.removeEventListener('abort', onAbort);
      clock.clearTimeout(provisionalTimer);
      clock.clearTimeout(finalTimer);
    };
    const fail = (error: SipError): void => {
      if (settled) return;
      settle();
      reject(error);
    };
    const giveUp = (error: SipError): void => {
      fail(error);
      transaction.cancel();
    };
    const onAbort = (): void => giveUp(cancelled());
    const timer = (ms: number | undefined, what: string): unknown =>
      ms === undefined
        ? undefined
        : clock.setTimeout(() => giveUp(new SipError('timed-out', `INVITE: no ${what} within ${ms} ms`)), ms);
    const provisionalTimer = timer(provisionalTimeoutMs, 'response');
    const finalTimer = timer(finalTimeoutMs, 'final response');

    transaction.on('provisional', (response, flow) => {
      clock.clearTimeout(provisionalTimer);
      if (!settled) options.onProvisional?.(response, flow);
    });
    transaction.on('final', (response, flow) => {
      const wanted = !settled;
      if (wanted) settle();
      try {
        if (response.status < 300) options.onAccepted(response, flow, wanted);
        resolve(response);
      } catch (error) {
        reject(error);
      }
    });
    transaction.once('timeout', () => fail(new SipError('timed-out', 'INVITE: no final response')));
    transaction.once('transportError', fail);
    transaction.once('terminated', () => fail(new SipError('transport-failed', 'INVITE: the transaction was ended')));
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
  });
}
