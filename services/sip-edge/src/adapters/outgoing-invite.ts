// An INVITE of an application on its way: early dialogs, answer, copies of the answer, other branches of a fork.
import {
  type ClientTransaction,
  createResponse,
  type Flow,
  type Headers,
  newTag,
  type SipResponse,
  tagOf,
} from '@sidestream/sip';
import type { LocalAddress } from '../domain/local-address.js';
import type { Placement } from '../domain/meta.js';
import type { AdminClient } from './admin-client.js';
import { deliver, deliverInternal } from './delivery.js';
import { EarlyLegs } from './early-legs.js';
import type { EdgeContext } from './edge-context.js';
import type { EdgeDialog } from './edge-dialog.js';
import { ackAndHangUp } from './in-dialog-sender.js';
import { oweAck, repeatAck } from './owed-ack.js';
import { ProvisionalFilter } from './provisional-filter.js';
import { sessionOf } from './session-refresh.js';

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
  readonly #legs: EarlyLegs;
  readonly #filter = new ProvisionalFilter();
  /** ACKs of the branches that were hung up, by their To tag. */
  readonly #hungUp = new Map<string, ReturnType<typeof ackAndHangUp>>();
  /** The dialog of the first 2xx. */
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
    const common = { id: init.dialogId, owner: init.client, local: init.local };
    this.#legs = new EarlyLegs(context, init.transaction.request, common);
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
    if (this.#abandoned || !this.#filter.passes(response)) return;
    this.#context.metrics.message('in', 'response', 'INVITE');
    if (tagOf(response.to) !== undefined) this.#legs.enter(response, flow);
    deliver(this.client, response, flow, this.#at);
  }

  #onFinal(response: SipResponse, flow: Flow): void {
    this.#context.metrics.message('in', 'response', 'INVITE');
    const isFirst = this.#outcome === 'none';
    this.#outcome = 'answered';
    if (response.status >= 300) {
      this.#legs.end();
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
    const dialog = this.#legs.enter(response, flow);
    this.#legs.end(dialog);
    this.#dialog = dialog;
    if (dialog === undefined) {
      // A 2xx without a usable Contact: the application hears of it, the call can't be kept.
      deliver(this.client, response, flow, this.#at);
      this.hangUp(response, flow);
      return;
    }
    oweAck(this.#context, dialog, this.transaction.request);
    if (response.headers.has('Session-Expires')) sessionOf(this.#context, dialog).answered(response);
    deliver(this.client, response, flow, this.#at);
  }

  #fail(status: number): void {
    // The ACK of a 486 may fail as well, but one final response is all that an application gets.
    if (this.#outcome !== 'none') return;
    this.#outcome = 'failed';
    this.#legs.end();
    if (this.#abandoned) return;
    const { request, flow } = this.transaction;
    deliverInternal(this.client, createResponse(request, status, { toTag: newTag() }), flow.protocol, this.#at);
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
    const state = this.#legs.stateOf(response) ?? this.#legs.stateOf(reachable);
    if (state !== undefined) this.#hungUp.set(tag, ackAndHangUp(this.#context, state, response, flow));
  }
}
