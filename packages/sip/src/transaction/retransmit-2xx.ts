// The 2xx of an INVITE is repeated by the UA core, not by the transaction: RFC 3261 §13.3.1.4, RFC 6026 §7.1.
import type { SipResponse } from '../message/sip-message.js';
import type { ServerTransaction } from './server-transaction.js';

/** Told of a 2xx that has no ACK. */
export interface Unacknowledged {
  /** 64*T1 are over: the session is to be ended. */
  readonly onGaveUp: () => void;
  /** Its connection is gone, so it is repeated no more. The ACK may still come by another one; nobody has to wait for it. */
  readonly onUnreachable: () => void;
}

/**
 * Repeats a 2xx that has been sent once already, after T1, 2*T1 … up to every T2, over any transport, until the returned
 * function is called (the ACK has come). After 64*T1 without that it gives up.
 */
export function retransmit2xx(
  transaction: ServerTransaction,
  response: SipResponse,
  { onGaveUp, onUnreachable }: Unacknowledged,
): () => void {
  const { clock, timers, flow } = transaction;
  let interval = timers.t1;
  const again = (): void => {
    void transaction.respond(response);
    interval = Math.min(interval * 2, timers.t2);
    repeat = clock.setTimeout(again, interval);
  };
  let repeat = clock.setTimeout(again, interval);
  const end = clock.setTimeout(() => {
    stop();
    onGaveUp();
  }, 64 * timers.t1);
  const onTransportError = (): void => {
    // On UDP the next copy may come through.
    if (!flow.reliable) return;
    clock.clearTimeout(repeat);
    onUnreachable();
  };
  transaction.once('transportError', onTransportError);
  const stop = (): void => {
    clock.clearTimeout(repeat);
    clock.clearTimeout(end);
    transaction.off('transportError', onTransportError);
  };
  return stop;
}
