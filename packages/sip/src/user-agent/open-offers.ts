// Which offers of a dialog wait for their answer, and what that forbids: RFC 3261 §14, RFC 3311 §5.
import { Headers } from '../message/headers.js';
import type { SipRequest } from '../message/sip-message.js';
import { SipError } from '../sip-error.js';
import type { ClientTransaction } from '../transaction/client-transaction.js';
import type { ServerTransaction } from '../transaction/server-transaction.js';
import type { Refusal } from './request-checks.js';

const tooEarly = (): Refusal => ({
  status: 500,
  headers: new Headers([['Retry-After', String(Math.floor(Math.random() * 11))]]),
});

/** The open offers of one dialog. */
export class OpenOffers {
  /** Whose offer in the INVITE of an early dialog has no answer yet. */
  ofInvite: 'ours' | 'theirs' | undefined;
  #ours: ClientTransaction | 'starting' | undefined;
  #invite: ServerTransaction | undefined;
  #update: ServerTransaction | undefined;

  /**
   * Sends an INVITE, or an UPDATE with an offer; the offer is open until its final response, even when nobody waits for it.
   * @throws SipError `not-possible` with status 491 while another one is open either way, and what `send` throws
   */
  async offer(method: string, send: () => Promise<ClientTransaction>): Promise<ClientTransaction> {
    if (this.#ours !== undefined || this.#theirs || this.ofInvite !== undefined) {
      throw new SipError('not-possible', `${method}: another offer is open in this dialog`, { status: 491 });
    }
    this.#ours = 'starting';
    let transaction: ClientTransaction | undefined;
    try {
      transaction = await send();
    } finally {
      this.#ours = transaction;
    }
    const settled = (): void => {
      if (this.#ours === transaction) this.#ours = undefined;
    };
    transaction.once('final', settled);
    transaction.once('terminated', settled);
    return transaction;
  }

  /** The refusal of a request of the peer that comes while another one is open (§14.2, RFC 3311 §5.2); undefined = go on. */
  collision(request: SipRequest): Refusal | undefined {
    const { method } = request;
    if (method === 'UPDATE' && this.#update?.pending) return tooEarly();
    if (method !== 'INVITE' && (method !== 'UPDATE' || request.body.length === 0)) return undefined;
    if (this.#ours !== undefined || this.ofInvite === 'ours') return { status: 491 };
    return this.#theirs || this.ofInvite === 'theirs' ? tooEarly() : undefined;
  }

  /** Notes an INVITE or UPDATE of the peer that has passed `collision`. */
  receive(transaction: ServerTransaction): void {
    if (transaction.request.method === 'INVITE') this.#invite = transaction;
    if (transaction.request.method === 'UPDATE') this.#update = transaction;
  }

  /** What is to be answered 487 when a BYE comes (RFC 3261 §15.1.2). */
  get unanswered(): readonly ServerTransaction[] {
    return [this.#invite, this.#update].filter((one) => one !== undefined).filter((one) => one.pending);
  }

  get #theirs(): boolean {
    return this.#invite?.pending === true || (this.#update?.pending === true && this.#update.request.body.length > 0);
  }
}
