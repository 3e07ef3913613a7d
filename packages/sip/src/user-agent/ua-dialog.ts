// A dialog at work: its requests both ways (RFC 3261 §12.2, §14, §15). The data and the rules are in dialog/; here is who
// may send when, and who is told.
import { EventEmitter } from 'node:events';
import { receiveInDialog, requestInDialog, responseInDialog } from '../dialog/dialog-requests.js';
import type { DialogState } from '../dialog/dialog-state.js';
import { Headers } from '../message/headers.js';
import type { SipRequest, SipResponse } from '../message/sip-message.js';
import { SipError } from '../sip-error.js';
import type { ClientTransaction } from '../transaction/client-transaction.js';
import type { ServerTransaction } from '../transaction/server-transaction.js';
import type { Flow } from '../transport/flow.js';
import { Acknowledgements } from './acknowledgements.js';
import type { DialogPath } from './dialog-path.js';
import { endsSession, isOfSession } from './failure-impact.js';
import { cancelled, finalResponse, type Patience } from './final-response.js';
import { type GlareOptions, retryGlare } from './glare-backoff.js';
import { IncomingInvite } from './incoming-invite.js';
import { answer, IncomingRequest } from './incoming-request.js';
import { attemptInvite } from './invite-attempt.js';
import { addressed } from './large-request.js';
import { OpenOffers } from './open-offers.js';
import { type Acknowledged, type AnswerOffer, OutgoingAcks } from './outgoing-acks.js';
import { OpenRefers, type ReferProgress, referNotification } from './refer.js';
import { refusalOf } from './request-checks.js';
import { bodyOf, type Content, overlay, requestHeaders, type UaCore } from './ua-core.js';

export interface UaDialogEvents {
  /** INFO, UPDATE, OPTIONS …; has to be answered. Without a listener: OPTIONS 200, UPDATE 488, REFER 603, others 501. */
  request: [request: IncomingRequest];
  /** A new offer; has to be answered. Without a listener: 488. */
  reinvite: [invite: IncomingInvite];
  /** The peer ended the dialog; its BYE has been answered 200. */
  bye: [bye: SipRequest];
  /** Always the last event. `error`: no ACK, no answer, a failure that ends the session, or the user agent was closed. */
  ended: [reason: 'local' | 'remote' | 'error'];
  /** A NOTIFY for a REFER of ours; it has been answered 200. Without a listener too. */
  referProgress: [progress: ReferProgress];
  /** The connection is gone; the dialog is not. The next request dials again. `error`: why, where that is known. */
  flowClosed: [error?: SipError];
}

// What is answered where nobody listens.
const unheard: ReadonlyMap<string, number> = new Map([
  ['OPTIONS', 200],
  ['UPDATE', 488],
  ['REFER', 603],
  ['NOTIFY', 481],
]);

/** What goes into a request within the dialog, and how long to wait for its answer. */
export interface DialogRequestOptions extends Content, Patience {}

/** Options of what may collide with an offer of the peer. */
export interface OfferOptions extends DialogRequestOptions, GlareOptions {}

/** Options of a re-INVITE. */
export interface ReinviteOptions extends OfferOptions {
  /** Answers the offer of the 2xx, where the re-INVITE has none. Default: the ACK has no body. */
  readonly answerOffer?: AnswerOffer | undefined;
}

/** A dialog with an INVITE usage, early or confirmed. */
export class UaDialog extends EventEmitter<UaDialogEvents> {
  readonly #core: UaCore;
  readonly #path: DialogPath;
  readonly #acknowledgements = new Acknowledgements();
  #state: DialogState;
  readonly #acks = new OutgoingAcks();
  readonly #offers = new OpenOffers();
  readonly #refers = new OpenRefers();
  #awaitsPrack: IncomingInvite | undefined;
  #held: ServerTransaction[] | undefined;
  #bye: Promise<SipResponse | undefined> | undefined;
  #ended = false;

  constructor(core: UaCore, state: DialogState, path: DialogPath) {
    super();
    this.#core = core;
    this.#state = state;
    this.#path = path;
  }

  /** The dialog as plain data, as it is now. */
  get state(): DialogState {
    return this.#state;
  }

  /** The flow used last; undefined in a revived dialog before its first request. */
  get flow(): Flow | undefined {
    return this.#path.flow;
  }

  // RFC 3261 §15: the callee does not send BYE in an early dialog.
  get #mayHangUp(): boolean {
    return this.#state.state !== 'early' || this.#state.role === 'uac';
  }

  get #over(): boolean {
    return this.#state.state === 'terminated';
  }

  /**
   * Sends a request within the dialog and resolves with its final response, whatever the status. What ends the dialog (481,
   * 404, no response at all …) is in RFC 5057 §5.1 and §5.2.
   * @throws SipError `dialog-gone`, `timed-out`, `cancelled`, `transport-failed` (the dialog stays), `tls-refused`, and for an
   * UPDATE with an offer `not-possible` with status 491 while another offer is open either way (RFC 3311 §5.1).
   */
  async request(method: string, options: OfferOptions = {}): Promise<SipResponse> {
    if (method === 'INVITE' || method === 'BYE' || method === 'ACK' || method === 'CANCEL') {
      throw new SipError('not-possible', `${method} has a method of its own`);
    }
    const send = (): Promise<ClientTransaction> => this.#send(method, options);
    const offers = method === 'UPDATE' && options.body !== undefined;
    return this.#retryingGlare(options, async () => {
      const transaction = offers ? await this.#offers.offer(method, send) : await send();
      return this.#took(await finalResponse(transaction, this.#core.layer.clock, options));
    });
  }

  /**
   * Sends a re-INVITE and resolves with its final response; a 2xx is acknowledged.
   * @throws SipError as `request` does, and `not-possible` with status 491 while another offer is open either way.
   */
  reinvite(options: ReinviteOptions): Promise<SipResponse> {
    return this.#retryingGlare(options, () => this.#reinvite(options));
  }

  async #reinvite(options: ReinviteOptions): Promise<SipResponse> {
    // RFC 3261 §14.1: not before the ACK for the peer's own INVITE.
    await this.#acknowledgements.done();
    if (this.#state.state === 'early') throw new SipError('not-possible', 'INVITE: the dialog is early');
    const transaction = await this.#offers.offer('INVITE', () => this.#send('INVITE', options));
    const response = await attemptInvite(transaction, this.#core.layer.clock, {
      signal: options.signal,
      finalTimeoutMs: options.timeoutMs,
      onAccepted: (accepted, flow) => {
        this.#state = responseInDialog(this.#state, accepted);
        const { answerOffer } = options;
        this.acknowledge({ invite: transaction.request, response: accepted, answerOffer }, flow);
      },
    });
    return this.#took(response);
  }

  /**
   * Sends a REFER (RFC 3515) and resolves with its final response; after a 2xx the NOTIFYs come as `referProgress` events with
   * the CSeq number of that response. `allow` has to name NOTIFY.
   * @param to Refer-To header value
   * @throws SipError as `request` does
   */
  async refer(to: string, options: DialogRequestOptions = {}): Promise<SipResponse> {
    const headers = overlay(new Headers([['Refer-To', to]]), options.headers);
    const transaction = await this.#send('REFER', { ...options, headers });
    // A NOTIFY may be here before the response.
    const forget = this.#refers.sent(transaction.request);
    transaction.once('final', ({ status }) => {
      if (status >= 300) forget();
    });
    transaction.once('timeout', forget);
    return this.#took(await finalResponse(transaction, this.#core.layer.clock, options));
  }

  /** Tells who sent a REFER how the reference goes on: see referNotification. A final status is the last word. */
  notifyRefer(refer: SipRequest, status: number, reason?: string, patience: Patience = {}): Promise<SipResponse> {
    return this.request('NOTIFY', { ...patience, ...referNotification(refer, status, reason) });
  }

  /**
   * Ends the dialog, once; later calls get the same promise. Waits for the ACK of our 2xx first (RFC 3261 §15). A connection
   * that fails is dialled again once. Resolves with the answer, undefined when none came or the dialog was over. Never rejects.
   * In an early dialog the caller may do so (§15); the callee refuses the INVITE instead, so there nothing happens.
   */
  bye(options: DialogRequestOptions = {}): Promise<SipResponse | undefined> {
    if (!this.#mayHangUp) return Promise.resolve(undefined);
    this.#bye ??= this.#ended ? Promise.resolve(undefined) : this.#sayBye(options);
    return this.#bye;
  }

  /** Acknowledges a 2xx, again for each of its copies (RFC 3261 §13.2.2.4); for the user agent. */
  acknowledge(acknowledged: Acknowledged, flow: Flow): void {
    const { layer } = this.#core;
    const cseq = acknowledged.response.cseq.number;
    const send = async (): Promise<void> => {
      const on = flow.reliable && !flow.closed ? flow : await this.#outbound();
      const build = async ({ headers = new Headers(), contentType, ...content }: Content): Promise<SipRequest> => {
        if (contentType !== undefined) headers.set('Content-Type', contentType);
        const { request } = requestInDialog(this.#state, 'ACK', { cseq, headers, body: bodyOf(content) });
        return layer.withVia(request, on);
      };
      await layer.sendStateless(await this.#acks.of(acknowledged, build, () => void this.bye()), on);
    };
    // A lost ACK is asked for by the next copy of the 2xx.
    send().catch(() => undefined);
  }

  /** The 2xx has come or gone: the early dialog is confirmed; for the user agent. */
  confirm(state: DialogState): void {
    const { localCseq, remoteCseq } = this.#state;
    this.#state = { ...state, localCseq, ...(remoteCseq === undefined ? {} : { remoteCseq }) };
    this.#offers.ofInvite = undefined;
  }

  /** Ends without a word to the peer; for the user agent, also where the INVITE of an early dialog has come to nothing. */
  dispose(reason: 'local' | 'remote' | 'error' = 'error'): void {
    this.#end(reason);
  }

  /** The INVITE of this early dialog has an offer; for the user agent. */
  offerInInvite(whose: 'ours' | 'theirs'): void {
    this.#offers.ofInvite = whose;
  }

  /** A reliable provisional response has brought the answer to it; for the user agent. */
  answeredEarly(): void {
    this.#offers.ofInvite = undefined;
  }

  /** PRACKs belong to this INVITE from now on; for IncomingInvite. */
  awaitPrack(invite: IncomingInvite): void {
    this.#awaitsPrack = invite;
  }

  /** Repeats our 2xx, which has been sent, until its ACK comes; for IncomingInvite. */
  accepted(invite: IncomingInvite, transaction: ServerTransaction, response: SipResponse): void {
    this.#acknowledgements.await(transaction, response, {
      onAck: (ack) => this.#core.layer.protect(() => invite.emit('ack', ack)),
      // RFC 3261 §13.3.1.4: without ACK the session is to be ended.
      onGaveUp: () => void this.#lost(),
    });
  }

  /** Keeps the peer's requests back until the next turn, so that whoever gets the dialog can listen; for the user agent. */
  hold(): void {
    if (this.#held !== undefined) return;
    this.#held = [];
    setImmediate(() => {
      const held = this.#held ?? [];
      this.#held = undefined;
      for (const transaction of held) this.#core.layer.protect(() => this.receive(transaction), transaction);
    });
  }

  /** The ACK of one of our 2xx; for the user agent. */
  receiveAck(ack: SipRequest): void {
    this.#acknowledgements.received(ack);
  }

  /** A request of the peer within this dialog; for the user agent. */
  receive(transaction: ServerTransaction): void {
    if (this.#held !== undefined) {
      this.#held.push(transaction);
      return;
    }
    const { request } = transaction;
    // Both sides may hang up at once; the peer's BYE is right all the same.
    if (this.#over) {
      this.#answer(transaction, request.method === 'BYE' ? 200 : 481);
      return;
    }
    const taken = receiveInDialog(this.#state, request);
    if (taken.dialog === undefined) {
      this.#answer(transaction, taken.refuse);
      return;
    }
    const refusal = refusalOf(this.#core, request) ?? this.#offers.collision(request);
    if (refusal !== undefined) {
      // Refused, it refreshes nothing, but its number is used.
      this.#state = { ...this.#state, remoteCseq: request.cseq.number };
      this.#answer(transaction, refusal.status, refusal.headers);
      return;
    }
    this.#state = taken.dialog;
    this.#deliver(transaction);
  }

  /** The connection of the dialog is gone; for the user agent. */
  flowClosed(error?: SipError): void {
    this.#core.layer.protect(() => this.emit('flowClosed', error));
  }

  #deliver(transaction: ServerTransaction): void {
    const { request } = transaction;
    switch (request.method) {
      case 'BYE':
        this.#answer(transaction, 200);
        // RFC 3261 §15.1.2: what is still pending is answered 487.
        for (const pending of this.#offers.unanswered) this.#answer(pending, 487);
        this.#core.layer.protect(() => this.emit('bye', request));
        this.#end('remote');
        return;
      case 'INVITE':
        this.#offers.receive(transaction);
        if (!this.emit('reinvite', new IncomingInvite(this.#core, transaction, this))) this.#answer(transaction, 488);
        return;
      case 'PRACK':
        if (this.#awaitsPrack === undefined) this.#answer(transaction, 481);
        else this.#awaitsPrack.receivePrack(transaction);
        return;
      case 'NOTIFY': {
        const progress = this.#refers.receive(request);
        if (progress === undefined) break;
        this.#answer(transaction, typeof progress === 'number' ? progress : 200);
        if (typeof progress !== 'number') this.#core.layer.protect(() => this.emit('referProgress', progress));
        return;
      }
      case 'UPDATE':
        this.#offers.receive(transaction);
        break;
    }
    const contact = request.method === 'UPDATE' ? this.#state.localContact : undefined;
    if (this.emit('request', new IncomingRequest(this.#core, transaction, contact))) return;
    this.#answer(transaction, unheard.get(request.method) ?? 501);
  }

  #answer(transaction: ServerTransaction, status: number, headers?: Headers): void {
    void transaction.respond(answer(this.#core, transaction, status, { headers }));
  }

  async #outbound(signal?: AbortSignal): Promise<Flow> {
    const flow = await this.#path.outbound(this.#state, signal);
    this.#core.dialogs.place(this);
    return flow;
  }

  #retryingGlare(options: OfferOptions, attempt: () => Promise<SipResponse>): Promise<SipResponse> {
    return retryGlare(this.#core.layer.clock, this.#state.role, options, attempt);
  }

  async #send(method: string, options: DialogRequestOptions): Promise<ClientTransaction> {
    if (options.signal?.aborted) throw cancelled();
    if (this.#over) throw new SipError('dialog-gone', `${method}: the dialog is over`);
    const flow = await this.#outbound(options.signal);
    if (this.#over) throw new SipError('dialog-gone', `${method}: the dialog is over`);
    const transaction = await this.#sendOn(flow, method, options);
    if (isOfSession(method)) transaction.once('timeout', () => this.#lost());
    return transaction;
  }

  async #sendOn(flow: Flow, method: string, content: DialogRequestOptions): Promise<ClientTransaction> {
    const headers = requestHeaders(this.#core, method, content);
    const { dialog, request } = requestInDialog(this.#state, method, { headers, body: bodyOf(content) });
    this.#state = dialog;
    const { flow: on } = await addressed(this.#core, flow, () => request, content.signal);
    return this.#core.layer.request(request, on);
  }

  #took(response: SipResponse): SipResponse {
    this.#state = responseInDialog(this.#state, response);
    if (!endsSession(response.cseq.method, response.status)) return response;
    if (response.status === 481) this.#end('error');
    else this.#lost();
    return response;
  }

  /** The peer does not answer, or someone before it does: it is told goodbye all the same, RFC 3261 §12.2.1.2. */
  #lost(): void {
    // Whoever called bye() already says it himself, once nothing is to be waited for.
    if (this.#ended || this.#bye !== undefined) return;
    if (this.#mayHangUp) this.#bye = this.#hangUp({}).catch(() => undefined);
    this.#end('error');
  }

  async #sayBye(options: DialogRequestOptions): Promise<SipResponse | undefined> {
    await this.#acknowledgements.done();
    if (this.#ended) return undefined;
    try {
      return await this.#hangUp(options);
    } catch {
      return undefined;
    } finally {
      this.#end('local');
    }
  }

  async #hangUp(options: DialogRequestOptions, again = true): Promise<SipResponse> {
    const flow = await this.#outbound(options.signal);
    const transaction = await this.#sendOn(flow, 'BYE', options);
    this.#state = { ...this.#state, state: 'terminated' };
    try {
      return await finalResponse(transaction, this.#core.layer.clock, options);
    } catch (error) {
      if (!again || this.#ended || !(error instanceof SipError) || error.code !== 'transport-failed') throw error;
      return this.#hangUp(options, false);
    }
  }

  #end(reason: 'local' | 'remote' | 'error'): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#state = { ...this.#state, state: 'terminated' };
    this.#acknowledgements.stop();
    this.#core.dialogs.remove(this);
    this.#core.layer.protect(() => this.emit('ended', reason));
  }
}
