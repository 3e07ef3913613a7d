// A SIP user agent (RFC 3261 §8): sessions and requests as promises and events. For recorders, recording clients and
// parties; a server that takes calls apart sits on TransactionLayer and dialog/ instead. Knows no media and no SDP.
import { EventEmitter } from 'node:events';
import { type DialogState, dialogFromRequest } from '../dialog/dialog-state.js';
import { Headers } from '../message/headers.js';
import { tagOf } from '../message/name-addr.js';
import type { SipRequest, SipResponse } from '../message/sip-message.js';
import { SipError } from '../sip-error.js';
import type { ServerTransaction } from '../transaction/server-transaction.js';
import { type FlowSource, TransactionLayer, type TransactionLayerOptions } from '../transaction/transaction-layer.js';
import type { Flow, Target } from '../transport/flow.js';
import { DialogPath } from './dialog-path.js';
import { DialogTable } from './dialog-table.js';
import { finalResponse, type Patience } from './final-response.js';
import { IncomingInvite } from './incoming-invite.js';
import { answer, IncomingRequest } from './incoming-request.js';
import { addressed } from './large-request.js';
import { MergedRequests } from './merged-requests.js';
import { dial, type InviteOptions, type OutgoingInvite, sendInvite } from './outgoing-invite.js';
import { outgoingRequest, type RequestAddress } from './outgoing-request.js';
import { type Refusal, refusalOf } from './request-checks.js';
import type { Content, UaCore } from './ua-core.js';
import { UaDialog } from './ua-dialog.js';

export interface UserAgentEvents {
  /** A new session; has to be answered. Without a listener: 480. */
  invite: [invite: IncomingInvite];
  /** A request outside dialogs; has to be answered. Without a listener: OPTIONS 200, others 501. */
  request: [request: IncomingRequest];
  /** Something that is no SIP message has come; see TransactionLayer. */
  malformed: [error: SipError, flow: Flow, answered: boolean];
  /** A listener has thrown; see TransactionLayer. */
  fault: [error: Error];
}

export interface UserAgentOptions extends Omit<TransactionLayerOptions, 'autoTerminate'> {
  /** Stay open when the user agent closes. They serve one user agent (or TransactionLayer) at a time. */
  readonly transports: FlowSource;
  /** User-Agent of requests, Server of responses. */
  readonly product?: string | undefined;
  /** Methods that are understood. Default INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, and PRACK with `100rel`. */
  readonly allow?: readonly string[] | undefined;
  /**
   * Option tags that are understood, such as `siprec`. Default none. With `100rel` reliable provisional responses are
   * acknowledged by PRACK and may be given. `timer` says that the owner keeps to RFC 4028: see the exports of session-timer/.
   */
  readonly supported?: readonly string[] | undefined;
  /**
   * Media types that are understood and spoken, such as `application/sdp`: a body of another type is answered 415, an INVITE
   * whose Accept has none of them 406 (RFC 3261 §8.2.3). Default: the listeners see to it.
   */
  readonly accept?: readonly string[] | undefined;
  /** Default 10000; above it INVITEs are answered 503. */
  readonly maxDialogs?: number | undefined;
}

/** A request outside dialogs. */
export interface OutOfDialogOptions extends RequestAddress, Content, Patience {
  readonly target: Target;
  readonly method: string;
}

const usualMethods = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'INFO', 'UPDATE'];

const inDialogOnly: ReadonlySet<string> = new Set(['BYE', 'PRACK', 'UPDATE']);

/** A SIP user agent over the given transports. */
export class UserAgent extends EventEmitter<UserAgentEvents> {
  readonly #core: UaCore;
  readonly #merged = new MergedRequests();
  #closed = false;

  constructor(options: UserAgentOptions) {
    super();
    const { transports } = options;
    const layer = new TransactionLayer({ ...options, autoTerminate: false });
    const supported = (options.supported ?? []).map((tag) => tag.toLowerCase());
    this.#core = {
      layer,
      transports,
      dialogs: new DialogTable(options.maxDialogs ?? 10_000),
      allow: options.allow ?? (supported.includes('100rel') ? [...usualMethods, 'PRACK'] : usualMethods),
      supported,
      accept: options.accept?.map((type) => type.toLowerCase()),
      product: options.product,
    };
    layer.on('request', (transaction) => this.#onRequest(transaction));
    layer.on('ack', (ack) => this.#core.dialogs.find(ack)?.receiveAck(ack));
    layer.on('malformed', (error, flow, answered) => this.emit('malformed', error, flow, answered));
    layer.on('fault', (error) => this.emit('fault', error));
    transports.on('closed', this.#onFlowClosed);
  }

  /** Number of live dialogs. */
  get dialogs(): number {
    return this.#core.dialogs.size;
  }

  /** Number of open transactions. */
  get transactions(): number {
    return this.#core.layer.size;
  }

  /**
   * Opens a session: resolves on the first 2xx, which is already acknowledged; attach listeners to the dialog at once. Further 2xx (forks, or after the caller gave
   * up) are acknowledged and ended by BYE.
   * @throws SipError `rejected` (status, response), `timed-out`, `cancelled` (the signal; CANCEL is sent as RFC 3261 §9.1
   * allows), `transport-failed`, `tls-refused`, `not-possible`, `malformed` (a 2xx without usable Contact).
   */
  invite(options: InviteOptions): Promise<OutgoingInvite> {
    return sendInvite(this.#core, options);
  }

  /**
   * Sends a request outside dialogs and resolves with its final response, whatever the status.
   * @throws SipError `timed-out`, `cancelled`, `transport-failed`, `tls-refused`, `not-possible`
   */
  async request(options: OutOfDialogOptions): Promise<SipResponse> {
    const dialled = await dial(this.#core, options.target, options.signal);
    const request = outgoingRequest(this.#core, options.method, options, options);
    const { flow } = await addressed(this.#core, dialled, () => request, options.signal);
    return finalResponse(this.#core.layer.request(request, flow), this.#core.layer.clock, options);
  }

  /** Goes on with a dialog that was kept as data; its first request dials the target. @throws SipError `dialog-gone`, `not-possible` */
  revive(state: DialogState, target: Target): UaDialog {
    if (state.state === 'terminated') throw new SipError('dialog-gone', 'a dialog that is over cannot be revived');
    if (this.#core.dialogs.full) throw new SipError('not-possible', 'too many dialogs are open');
    const dialog = new UaDialog(this.#core, state, new DialogPath(this.#core.transports, undefined, target));
    this.#core.dialogs.add(dialog);
    return dialog;
  }

  /** Ends every timer, dialog (without BYE) and wait. The transports stay open: they are their maker's. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#core.transports.off('closed', this.#onFlowClosed);
    for (const dialog of this.#core.dialogs.all()) dialog.dispose();
    this.#core.layer.close();
  }

  readonly #onFlowClosed = (flow: Flow, error?: SipError): void => {
    for (const dialog of this.#core.dialogs.on(flow)) dialog.flowClosed(error);
  };

  #onRequest(transaction: ServerTransaction): void {
    const { request } = transaction;
    const dialog = this.#core.dialogs.find(request);
    if (dialog !== undefined) {
      dialog.receive(transaction);
      return;
    }
    // RFC 3261 §12.2.2: whoever names a dialog that we do not have is told so; some methods always mean one.
    if (tagOf(request.to) !== undefined || inDialogOnly.has(request.method)) {
      this.#answer(transaction, 481);
      return;
    }
    const refusal =
      refusalOf(this.#core, request) ??
      (this.#merged.isCopy(transaction) ? { status: 482 } : undefined) ??
      (request.method === 'INVITE' ? this.#noRoom(request) : undefined);
    if (refusal !== undefined) {
      this.#answer(transaction, refusal.status, refusal.headers);
      return;
    }
    if (request.method === 'INVITE') {
      if (!this.emit('invite', new IncomingInvite(this.#core, transaction))) this.#answer(transaction, 480);
    } else if (!this.emit('request', new IncomingRequest(this.#core, transaction))) {
      this.#answer(transaction, request.method === 'OPTIONS' ? 200 : 501);
    }
  }

  #noRoom(request: SipRequest): Refusal | undefined {
    if (this.#core.dialogs.full) return { status: 503, headers: new Headers([['Retry-After', '5']]) };
    try {
      // An INVITE without usable Contact could never be accepted, so its owner need not see it.
      dialogFromRequest(request, 'check', '<sip:check.invalid>', 'early');
      return undefined;
    } catch (error) {
      if (error instanceof SipError) return { status: 400 };
      throw error;
    }
  }

  #answer(transaction: ServerTransaction, status: number, headers?: Headers): void {
    void transaction.respond(answer(this.#core, transaction, status, { headers }));
  }
}
