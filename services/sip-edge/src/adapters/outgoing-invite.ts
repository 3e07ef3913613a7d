// An INVITE of an application on its way: early dialog, answer, copies of the answer, other branches of a fork.
import {
  type ClientTransaction,
  createResponse,
  type DialogState,
  dialogFromResponse,
  type Flow,
  type Headers,
  newTag,
  SipError,
  type SipResponse,
  tagOf,
} from '@sidestream/sip';
import type { LocalAddress } from '../domain/local-address.js';
import type { Placement } from '../domain/meta.js';
import type { AdminClient } from './admin-client.js';
import { deliver, deliverInternal } from './delivery.js';
import type { EdgeContext } from './edge-context.js';
import { EdgeDialog } from './edge-dialog.js';
import { ackAndHangUp } from './in-dialog-sender.js';
import { oweAck, repeatAck } from './owed-ack.js';

interface OutgoingInviteInit {
  readonly transaction: ClientTransaction;
  readonly client: AdminClient;
  readonly local: LocalAddress;
  readonly at: Placement;
  readonly dialogId: string;
}

export class OutgoingInvite {
  readonly transaction: ClientTransaction;
  readonly client: AdminClient;
  readonly local: LocalAddress;
  readonly #context: EdgeContext;
  readonly #at: Placement;
  readonly #dialogId: string;
  /** ACKs of the branches that were hung up, by their To tag. */
  readonly #hungUp = new Map<string, ReturnType<typeof ackAndHangUp>>();
  #dialog: EdgeDialog | undefined;
  /** How the application's INVITE ended: by a final response of the network, or by one that the edge made. */
  #outcome: 'none' | 'answered' | 'failed' = 'none';
  #abandoned = false;

  constructor(context: EdgeContext, init: OutgoingInviteInit) {
    this.#context = context;
    this.transaction = init.transaction;
    this.client = init.client;
    this.local = init.local;
    this.#at = init.at;
    this.#dialogId = init.dialogId;
    init.transaction.on('provisional', (response, flow) => this.#onProvisional(response, flow));
    init.transaction.on('final', (response, flow) => this.#onFinal(response, flow));
    init.transaction.on('timeout', () => this.#fail(408));
    init.transaction.on('transportError', () => this.#fail(503));
  }

  /** True when the application has been told a failure that the network knows nothing of: a 2xx may still come. */
  get failed(): boolean {
    return this.#outcome === 'failed';
  }

  /** Cancels; without effect once there is a final answer. */
  cancel(headers?: Headers): void {
    this.transaction.cancel(headers);
  }

  /** Nobody waits for the answer any more. */
  abandon(): void {
    this.#abandoned = true;
    this.cancel();
  }

  #onProvisional(response: SipResponse, flow: Flow): void {
    if (response.status === 100 || this.#abandoned) return;
    this.#context.metrics.message('in', 'response', 'INVITE');
    if (tagOf(response.to) !== undefined) this.#setDialog(response, flow);
    deliver(this.client, response, flow, this.#at);
  }

  #onFinal(response: SipResponse, flow: Flow): void {
    this.#context.metrics.message('in', 'response', 'INVITE');
    const isFirst = this.#outcome === 'none';
    this.#outcome = 'answered';
    if (response.status >= 300) {
      this.#removeEarlyDialog();
      if (!this.#abandoned) deliver(this.client, response, flow, this.#at);
      return;
    }
    if (!isFirst && this.#dialog?.state.remoteTag === (tagOf(response.to) ?? '')) {
      void repeatAck(this.#context, this.#dialog, response);
      return;
    }
    if (!isFirst || this.#abandoned) {
      this.hangUp(response, flow);
      return;
    }
    if (!this.#setDialog(response, flow) || this.#dialog === undefined) {
      // A 2xx without a usable Contact: the application hears of it, the call can't be kept.
      deliver(this.client, response, flow, this.#at);
      this.hangUp(response, flow);
      return;
    }
    oweAck(this.#context, this.#dialog, response.cseq.number);
    deliver(this.client, response, flow, this.#at);
  }

  #fail(status: number): void {
    // The ACK of a 486 may fail as well, but one final response is all that an application gets.
    if (this.#outcome !== 'none') return;
    this.#outcome = 'failed';
    this.#removeEarlyDialog();
    if (this.#abandoned) return;
    const { request, flow } = this.transaction;
    deliverInternal(this.client, createResponse(request, status, { toTag: newTag() }), flow.protocol, this.#at);
  }

  /** Enters the dialog of a response, or lets the early one follow the branch that spoke last. */
  #setDialog(response: SipResponse, flow: Flow): boolean {
    const state = this.#stateOf(response);
    if (state === undefined) return false;
    const early = this.#dialog;
    if (early === undefined) {
      this.#dialog = new EdgeDialog({ id: this.#dialogId, owner: this.client, local: this.local, state, flow });
      this.#context.book.add(this.#dialog);
      return true;
    }
    // The book finds it by the tag of the other branch from now on, and again if the callee has sent a BYE while it rang.
    this.#context.book.remove(early);
    // PRACK and UPDATE may have used numbers already (RFC 3261 §13.2.2.4 keeps the local CSeq).
    early.state = { ...state, localCseq: Math.max(state.localCseq, early.state.localCseq) };
    early.flow = flow;
    this.#context.book.add(early);
    return true;
  }

  #stateOf(response: SipResponse): DialogState | undefined {
    try {
      return dialogFromResponse(this.transaction.request, response);
    } catch (error) {
      if (!(error instanceof SipError)) throw error;
      this.#context.log.warn({ err: error, callId: response.callId }, 'a response makes no usable dialog');
      return undefined;
    }
  }

  /** RFC 3261 §13.2.2.4: every 2xx gets an ACK with its own tag; a branch that nobody wants gets a BYE. */
  hangUp(response: SipResponse, flow: Flow): void {
    const tag = tagOf(response.to) ?? '';
    const before = this.#hungUp.get(tag);
    if (before !== undefined) {
      void before.then((ack) => ack && this.#context.layer.sendStateless(ack.request, ack.flow).catch(() => undefined));
      return;
    }
    // Without a usable Contact or route the branch is reached where the INVITE went.
    const reachable = response.clone();
    reachable.headers.set('Contact', `<${this.transaction.request.uri}>`).delete('Record-Route');
    const state = this.#stateOf(response) ?? this.#stateOf(reachable);
    if (state !== undefined) this.#hungUp.set(tag, ackAndHangUp(this.#context, state, response, flow));
  }

  #removeEarlyDialog(): void {
    if (this.#dialog === undefined) return;
    this.#context.book.remove(this.#dialog);
    this.#dialog.dispose();
    this.#dialog = undefined;
  }
}
