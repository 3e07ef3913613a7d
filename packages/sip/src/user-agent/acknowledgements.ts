// The 2xx of ours that still want their ACK, of one dialog.
import type { SipRequest, SipResponse } from '../message/sip-message.js';
import { retransmit2xx } from '../transaction/retransmit-2xx.js';
import type { ServerTransaction } from '../transaction/server-transaction.js';

interface Awaited {
  readonly stop: () => void;
  readonly onAck: (ack: SipRequest) => void;
  /** Its connection stands. */
  reachable: boolean;
}

export class Acknowledgements {
  readonly #awaited = new Map<number, Awaited>();
  #waiters: (() => void)[] = [];

  /** Repeats the 2xx until its ACK comes or 64*T1 are over (RFC 3261 §13.3.1.4). */
  await(
    transaction: ServerTransaction,
    response: SipResponse,
    on: { onAck: (ack: SipRequest) => void; onGaveUp: () => void },
  ): void {
    const cseq = response.cseq.number;
    const stop = retransmit2xx(transaction, response, {
      onGaveUp: () => {
        this.#awaited.delete(cseq);
        this.#wake();
        on.onGaveUp();
      },
      onUnreachable: () => {
        awaited.reachable = false;
        this.#wake();
      },
    });
    const awaited = { stop, onAck: on.onAck, reachable: true };
    this.#awaited.set(cseq, awaited);
  }

  /** An ACK has come; it has the CSeq number of its INVITE. Copies are ignored. */
  received(ack: SipRequest): void {
    const cseq = ack.cseq.number;
    const awaited = this.#awaited.get(cseq);
    if (awaited === undefined) return;
    this.#awaited.delete(cseq);
    awaited.stop();
    awaited.onAck(ack);
    this.#wake();
  }

  /**
   * Resolves when no ACK has to be waited for any more, after 64*T1 at the latest. A transaction whose response cannot be
   * transported is over (RFC 3261 §17.2.4), so a connection that is lost holds nothing up.
   */
  done(): Promise<void> {
    if (!this.#waits) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Repeats nothing any more. */
  stop(): void {
    for (const { stop } of this.#awaited.values()) stop();
    this.#awaited.clear();
    this.#wake();
  }

  get #waits(): boolean {
    return [...this.#awaited.values()].some(({ reachable }) => reachable);
  }

  #wake(): void {
    if (this.#waits) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}
