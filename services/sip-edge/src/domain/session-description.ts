// Session descriptions in messages, and offers that have no answer yet (RFC 3264 §4, RFC 3311 §5.2).
import type { SipMessage, SipRequest, SipResponse } from '@sidestream/sip';

/** Whether a message carries a session description, alone or beside other parts. */
export function hasSession({ body, headers }: Pick<SipMessage, 'body' | 'headers'>): boolean {
  return body.length > 0 && /^\s*(application\/sdp|multipart\/)/i.test(headers.get('Content-Type') ?? '');
}

/** The session description of a message that has nothing beside it. */
export function sdpOf({ body, headers }: Pick<SipMessage, 'body' | 'headers'>): Buffer | undefined {
  return body.length > 0 && /^\s*application\/sdp/i.test(headers.get('Content-Type') ?? '') ? body : undefined;
}

/** Methods whose request may carry an offer. */
const withOffer = new Set(['INVITE', 'UPDATE', 'PRACK']);

/** Offers of one dialog that wait for their answer, by CSeq number of the request that made them. */
export class OpenOffers {
  readonly #ours = new Set<number>();
  readonly #theirs = new Set<number>();

  /** A request of ours goes out. */
  sent(request: SipRequest): void {
    if (withOffer.has(request.method) && hasSession(request)) this.#ours.add(request.cseq.number);
  }

  /** A request of the peer came in. */
  received(request: SipRequest): void {
    if (withOffer.has(request.method) && hasSession(request)) this.#theirs.add(request.cseq.number);
  }

  /** A provisional response of the peer. */
  answeredByPeer(response: SipResponse): void {
    if (hasSession(response)) this.#ours.delete(response.cseq.number);
  }

  /** A provisional response of ours. */
  answeredByUs(response: SipResponse): void {
    if (hasSession(response)) this.#theirs.delete(response.cseq.number);
  }

  /** A request of ours has its end, by a response or without one. */
  settledByPeer(cseq: number): void {
    this.#ours.delete(cseq);
  }

  /** A request of the peer has its end. */
  settledByUs(cseq: number): void {
    this.#theirs.delete(cseq);
  }

  /**
   * RFC 3311 §5.2: what refuses an UPDATE with an offer: 491 while ours has no answer, 500 (with Retry-After) while the
   * peer's has none.
   */
  refusalOf(update: SipRequest): 491 | 500 | undefined {
    if (!hasSession(update)) return undefined;
    if (this.#ours.size > 0) return 491;
    return this.#theirs.size > 0 ? 500 : undefined;
  }
}
