// The ACK for the 2xx of an INVITE of ours (RFC 3261 §13.2.2.4): made once, sent for every copy of the 2xx.

import { Headers } from '../message/headers.js';
import type { SipRequest, SipResponse } from '../message/sip-message.js';
import type { Content } from './ua-core.js';

/** Answers the offer of a 2xx, for the ACK. */
export type AnswerOffer = (accepted: SipResponse) => Content | Promise<Content>;

/** What an ACK is made from beside its dialog. */
export interface Acknowledged {
  readonly invite: SipRequest;
  readonly response: SipResponse;
  readonly answerOffer?: AnswerOffer | undefined;
}

/** The ACK of one INVITE; of an earlier one no copy is expected any more. */
export class OutgoingAcks {
  #ack: { readonly cseq: number; readonly request: Promise<SipRequest> } | undefined;

  /** The ACK: that which is there, or else a new one. */
  of(
    acknowledged: Acknowledged,
    build: (content: Content) => Promise<SipRequest>,
    onNoAnswer: () => void,
  ): Promise<SipRequest> {
    const cseq = acknowledged.response.cseq.number;
    if (this.#ack?.cseq !== cseq) this.#ack = { cseq, request: make(acknowledged, build, onNoAnswer) };
    return this.#ack.request;
  }
}

async function make(
  { invite, response, answerOffer }: Acknowledged,
  build: (content: Content) => Promise<SipRequest>,
  onNoAnswer: () => void,
): Promise<SipRequest> {
  // An ACK has the credentials of its INVITE.
  const headers = new Headers();
  for (const name of ['Authorization', 'Proxy-Authorization']) {
    for (const value of invite.headers.all(name)) headers.append(name, value);
  }
  if (answerOffer === undefined || invite.body.length > 0 || response.body.length === 0) return build({ headers });
  try {
    const content = await answerOffer(response);
    for (const [name, value] of content.headers ?? []) headers.append(name, value);
    return await build({ ...content, headers });
  } catch {
    // §13.2.2.4: an offer that cannot be answered is acknowledged all the same, and the session ended.
    setImmediate(onNoAnswer);
    return build({ headers });
  }
}
