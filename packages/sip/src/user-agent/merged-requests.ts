// One request that a forking proxy sent here twice by different paths (RFC 3261 §8.2.2.2): the copies differ in branch.
import { tagOf } from '../message/name-addr.js';
import type { SipRequest } from '../message/sip-message.js';
import type { ServerTransaction } from '../transaction/server-transaction.js';

/** The ongoing transactions of requests without To tag. */
export class MergedRequests {
  readonly #ongoing = new Set<string>();

  /** Notes the transaction until it ends; whether its request came already in another one and is to be answered 482. */
  isCopy(transaction: ServerTransaction): boolean {
    const key = keyOf(transaction.request);
    if (this.#ongoing.has(key)) return true;
    this.#ongoing.add(key);
    transaction.once('terminated', () => this.#ongoing.delete(key));
    return false;
  }
}

function keyOf({ callId, cseq, from }: SipRequest): string {
  return `${callId}\n${cseq.number} ${cseq.method}\n${tagOf(from) ?? ''}`;
}
