// A dialog at work (RFC 3261 §12, §14, §15): its face to the owner and to the user agent, and its end. Its data and rules are in
// dialog/, its requests in DialogSender, those of the peer in DialogReceiver.
import { EventEmitter } from 'node:events';
import type { DialogState } from '../dialog/dialog-state.js';
import type { SipRequest, SipResponse } from '../message/sip-message.js';
import { SipError } from '../sip-error.js';
import type { ServerTransaction } from '../transaction/server-transaction.js';
import type { Flow } from '../transport/flow.js';
import type { DialogPath } from './dialog-path.js';
import { DialogReceiver } from './dialog-receiver.js';
import { type DialogRequestOptions, DialogSender, type OfferOptions, type ReinviteOptions } from './dialog-sender.js';
import { finalResponse, type Patience } from './final-response.js';
import type { IncomingInvite } from './incoming-invite.js';
import type { IncomingRequest } from './incoming-request.js';
import { LiveDialog } from './live-dialog.js';
import type { Acknowledged } from './outgoing-acks.js';
import { type ReferProgress, referNotification } from './refer.js';
import type { UaCore } from './ua-core.js';

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

/** A dialog with an INVITE usage, early or confirmed. */
export class UaDialog extends EventEmitter<UaDialogEvents> {
  readonly #live: LiveDialog;
  readonly #sender: DialogSender;
  readonly #receiver: DialogReceiver;
  #bye: Promise<SipResponse | undefined> | undefined;
  #ended = false;

  constructor(core: UaCore, state: DialogState, path: DialogPath) {
    super();
    this.#live = new LiveDialog(core, state, path, () => core.dialogs.place(this));
    this.#sender = new DialogSender(this.#live, {
      onGone: () => this.dispose('error'),
      onLost: () => this.#lost(),
      onNoAnswer: () => void this.bye(),
    });
    this.#receiver = new DialogReceiver(this.#live, this);
  }

  /** The dialog as plain data, as it is now. */
  get state(): DialogState {
    return this.#live.state;
  }

  /** The flow used last; undefined in a revived dialog before its first request. */
  get flow(): Flow | undefined {
    return this.#live.path.flow;
  }

  // RFC 3261 §15: the callee does not send BYE in an early dialog.
  get #mayHangUp(): boolean {
    return this.state.state !== 'early' || this.state.role === 'uac';
  }

  /**
   * Sends a request within the dialog and resolves with its final response, whatever the status. What ends the dialog (481,
   * 404, no response at all …) is in RFC 5057 §5.1 and §5.2.
   * @throws SipError `dialog-gone`, `timed-out`, `cancelled`, `transport-failed` (the dialog stays), `tls-refused`, and for an
   * UPDATE with an offer `not-possible` with status 491 while another offer is open either way (RFC 3311 §5.1).
   */
  request(method: string, options: OfferOptions = {}): Promise<SipResponse> {
    return this.#sender.request(method, options);
  }

  /**
   * Sends a re-INVITE and resolves with its final response; a 2xx is acknowledged.
   * @throws SipError as `request` does, and `not-possible` with status 491 while another offer is open either way.
   */
  reinvite(options: ReinviteOptions): Promise<SipResponse> {
    return this.#sender.reinvite(options);
  }

  /**
   * Sends a REFER (RFC 3515) and resolves with its final response; after a 2xx the NOTIFYs come as `referProgress` events with
   * the CSeq number of that response. `allow` has to name NOTIFY.
   * @param to Refer-To header value
   * @throws SipError as `request` does
   */
  refer(to: string, options: DialogRequestOptions = {}): Promise<SipResponse> {
    return this.#sender.refer(to, options);
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
    this.#sender.acknowledge(acknowledged, flow);
  }

  /** The 2xx has come or gone: the early dialog is confirmed; for the user agent. */
  confirm(state: DialogState): void {
    const { localCseq, remoteCseq } = this.state;
    this.#live.state = { ...state, localCseq, ...(remoteCseq === undefined ? {} : { remoteCseq }) };
    this.#live.offers.ofInvite = undefined;
  }

  /** Ends without a word to the peer; for the user agent, also where the INVITE of an early dialog has come to nothing. */
  dispose(reason: 'local' | 'remote' | 'error' = 'error'): void {
    if (this.#ended) return;
    this.#ended = true;
    const live = this.#live;
    live.state = { ...live.state, state: 'terminated' };
    live.acknowledgements.stop();
    live.core.dialogs.remove(this);
    live.core.layer.protect(() => this.emit('ended', reason));
  }

  /** The INVITE of this early dialog has an offer; for the user agent. */
  offerInInvite(whose: 'ours' | 'theirs'): void {
    this.#live.offers.ofInvite = whose;
  }

  /** A reliable provisional response has brought the answer to it; for the user agent. */
  answeredEarly(): void {
    this.#live.offers.ofInvite = undefined;
  }

  /** PRACKs belong to this INVITE from now on; for IncomingInvite. */
  awaitPrack(invite: IncomingInvite): void {
    this.#receiver.awaitsPrack = invite;
  }

  /** Repeats our 2xx, which has been sent, until its ACK comes; for IncomingInvite. */
  accepted(invite: IncomingInvite, transaction: ServerTransaction, response: SipResponse): void {
    this.#live.acknowledgements.await(transaction, response, {
      onAck: (ack) => this.#live.core.layer.protect(() => invite.emit('ack', ack)),
      // RFC 3261 §13.3.1.4: without ACK the session is to be ended.
      onGaveUp: () => void this.#lost(),
    });
  }

  /** Keeps the peer's requests back until the next turn, so that whoever gets the dialog can listen; for the user agent. */
  hold(): void {
    this.#receiver.hold();
  }

  /** The ACK of one of our 2xx; for the user agent. */
  receiveAck(ack: SipRequest): void {
    this.#live.acknowledgements.received(ack);
  }

  /** A request of the peer within this dialog; for the user agent. */
  receive(transaction: ServerTransaction): void {
    this.#receiver.receive(transaction);
  }

  /** The connection of the dialog is gone; for the user agent. */
  flowClosed(error?: SipError): void {
    this.#live.core.layer.protect(() => this.emit('flowClosed', error));
  }

  /** The peer does not answer, or someone before it does: it is told goodbye all the same, RFC 3261 §12.2.1.2. */
  #lost(): void {
    // Whoever called bye() already says it himself, once nothing is to be waited for.
    if (this.#ended || this.#bye !== undefined) return;
    if (this.#mayHangUp) this.#bye = this.#hangUp({}).catch(() => undefined);
    this.dispose('error');
  }

  async #sayBye(options: DialogRequestOptions): Promise<SipResponse | undefined> {
    await this.#live.acknowledgements.done();
    if (this.#ended) return undefined;
    try {
      return await this.#hangUp(options);
    } catch {
      return undefined;
    } finally {
      this.dispose('local');
    }
  }

  async #hangUp(options: DialogRequestOptions, again = true): Promise<SipResponse> {
    const live = this.#live;
    const flow = await live.outbound(options.signal);
    const transaction = await live.sendOn(flow, 'BYE', options);
    live.state = { ...live.state, state: 'terminated' };
    try {
      return await finalResponse(transaction, live.core.layer.clock, options);
    } catch (error) {
      if (!again || this.#ended || !(error instanceof SipError) || error.code !== 'transport-failed') throw error;
      return this.#hangUp(options, false);
    }
  }
}
