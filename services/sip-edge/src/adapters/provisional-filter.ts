// Which provisional responses of the network an application gets: reliable ones once and in their order (RFC 3262 §4).
import {
  isReliableProvisional,
  nothingReceived,
  type ReceivedOrder,
  rackFor,
  receiveReliable,
  SipError,
  type SipResponse,
  tagOf,
} from '@sidestream/sip';

/** For the responses to one INVITE. */
export class ProvisionalFilter {
  #order: ReceivedOrder = nothingReceived;

  /** False for a copy, for one that came too early, and for one that can't be acknowledged: it is not to be processed. */
  passes(response: SipResponse): boolean {
    if (response.status <= 100) return false;
    if (!isReliableProvisional(response)) return true;
    const tag = tagOf(response.to);
    if (tag === undefined) return false;
    try {
      const { order, verdict } = receiveReliable(this.#order, tag, rackFor(response).rseq);
      this.#order = order;
      return verdict === 'accept';
    } catch (error) {
      if (error instanceof SipError) return false;
      throw error;
    }
  }
}
