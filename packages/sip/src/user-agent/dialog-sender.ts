// Our requests within a dialog (RFC 3261 §12.2.1, §14.1) and what their answers make of it. Its end is the owner's affair.
import { requestInDialog, responseInDialog } from '../dialog/dialog-requests.js';
import { Headers } from '../message/headers.js';
import type { SipRequest, SipResponse } from '../message/sip-message.js';
import { SipError } from '../sip-error.js';
import type { ClientTransaction } from '../transaction/client-transaction.js';
import type { Flow } from '../transport/flow.js';
import { endsSession, isOfSession } from './failure-impact.js';
import { cancelled, finalResponse, type Patience } from './final-response.js';
import { type GlareOptions, retryGlare } from './glare-backoff.js';
import { attemptInvite } from './invite-attempt.js';
import type { LiveDialog } from './live-dialog.js';
import { type Acknowledged, type AnswerOffer, OutgoingAcks } from './outgoing-acks.js';
import { bodyOf, type Content, overlay } from './ua-core.js';

/** What goes into a request within the dialog, and how long to wait for its answer. */
export interface DialogRequestOptions extends Content, Patience {}

/** Options of what may collide with an offer of the peer. */
export interface OfferOptions extends DialogRequestOptions, GlareOptions {}

/** Options of a re-INVITE. */
export interface ReinviteOptions extends OfferOptions {
  /** Answers the offer of the 2xx, where the re-INVITE has none. Default: the ACK has no body. */
  readonly answerOffer?: AnswerOffer | undefined;
}

/** What the peer's answers, or their lack, tell of the session. */
export interface SessionFate {
  /** The peer knows the dialog no more. */
  readonly onGone: () => void;
  /** The session is over for someone on the way, or nobody answers: the peer is to be told goodbye. */
  readonly onLost: () => void;
  /** An offer of the peer's 2xx could not be answered. */
  readonly onNoAnswer: () => void;
}

/** See UaDialog for what its methods promise. */
export class DialogSender {
  readonly #live: LiveDialog;
  readonly #fate: SessionFate;
  readonly #acks = new OutgoingAcks();

  constructor(live: LiveDialog, fate: SessionFate) {
    this.#live = live;
    this.#fate = fate;
  }

  async request(method: string, options: OfferOptions): Promise<SipResponse> {
    if (method === 'INVITE' || method === 'BYE' || method === 'ACK' || method === 'CANCEL') {
      throw new SipError('not-possible', `${method} has a method of its own`);
    }
    const send = (): Promise<ClientTransaction> => this.#send(method, options);
    const offers = method === 'UPDATE' && options.body !== undefined;
    return this.#retryingGlare(options, async () => {
      const transaction = offers ? await this.#live.offers.offer(method, send) : await send();
      return this.#final(transaction, options);
    });
  }

  reinvite(options: ReinviteOptions): Promise<SipResponse> {
    return this.#retryingGlare(options, () => this.#reinvite(options));
  }

  async refer(to: string, options: DialogRequestOptions): Promise<SipResponse> {
    const headers = overlay(new Headers([['Refer-To', to]]), options.headers);
    const transaction = await this.#send('REFER', { ...options, headers });
    // A NOTIFY may be here before the response.
    const forget = this.#live.refers.sent(transaction.request);
    transaction.once('final', ({ status }) => {
      if (status >= 300) forget();
    });
    transaction.once('timeout', forget);
    return this.#final(transaction, options);
  }

  acknowledge(acknowledged: Acknowledged, flow: Flow): void {
    const { layer } = this.#live.core;
    const cseq = acknowledged.response.cseq.number;
    const send = async (): Promise<void> => {
      const on = flow.reliable && !flow.closed ? flow : await this.#live.outbound();
      const build = async ({ headers = new Headers(), contentType, ...content }: Content): Promise<SipRequest> => {
        if (contentType !== undefined) headers.set('Content-Type', contentType);
        const { request } = requestInDialog(this.#live.state, 'ACK', { cseq, headers, body: bodyOf(content) });
        return layer.withVia(request, on);
      };
      await layer.sendStateless(await this.#acks.of(acknowledged, build, this.#fate.onNoAnswer), on);
    };
    // A lost ACK is asked for by the next copy of the 2xx.
    send().catch(() => undefined);
  }

  async #reinvite(options: ReinviteOptions): Promise<SipResponse> {
    const live = this.#live;
    // RFC 3261 §14.1: not before the ACK for the peer's own INVITE.
    await live.acknowledgements.done();
    if (live.state.state === 'early') throw new SipError('not-possible', 'INVITE: the dialog is early');
    const transaction = await live.offers.offer('INVITE', () => this.#send('INVITE', options));
    const response = await attemptInvite(transaction, live.core.layer.clock, {
      signal: options.signal,
      finalTimeoutMs: options.timeoutMs,
      onAccepted: (accepted, flow) => {
        live.state = responseInDialog(live.state, accepted);
        const { answerOffer } = options;
        this.acknowledge({ invite: transaction.request, response: accepted, answerOffer }, flow);
      },
    });
    return this.#took(response);
  }

  #retryingGlare(options: OfferOptions, attempt: () => Promise<SipResponse>): Promise<SipResponse> {
    return retryGlare(this.#live.core.layer.clock, this.#live.state.role, options, attempt);
  }

  async #send(method: string, options: DialogRequestOptions): Promise<ClientTransaction> {
    const live = this.#live;
    if (options.signal?.aborted) throw cancelled();
    if (live.over) throw new SipError('dialog-gone', `${method}: the dialog is over`);
    const flow = await live.outbound(options.signal);
    if (live.over) throw new SipError('dialog-gone', `${method}: the dialog is over`);
    const transaction = await live.sendOn(flow, method, options);
    if (isOfSession(method)) transaction.once('timeout', this.#fate.onLost);
    return transaction;
  }

  async #final(transaction: ClientTransaction, patience: Patience): Promise<SipResponse> {
    return this.#took(await finalResponse(transaction, this.#live.core.layer.clock, patience));
  }

  #took(response: SipResponse): SipResponse {
    this.#live.state = responseInDialog(this.#live.state, response);
    if (!endsSession(response.cseq.method, response.status)) return response;
    if (response.status === 481) this.#fate.onGone();
    else this.#fate.onLost();
    return response;
  }
}
