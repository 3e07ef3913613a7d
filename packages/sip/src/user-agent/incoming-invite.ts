// An INVITE of a peer that waits for its answer: a new session, or a new offer within a dialog.
import { type DialogState, dialogFromRequest, sipsContact } from '../dialog/dialog-state.js';
import { Headers } from '../message/headers.js';
import { formatHostPort } from '../message/host.js';
import { allowsReliable, requiresReliable } from '../reliable/rack.js';
import { ReliableResponses } from '../reliable/reliable-responses.js';
import { SipError } from '../sip-error.js';
import type { ServerTransaction } from '../transaction/server-transaction.js';
import type { Flow } from '../transport/flow.js';
import { DialogPath } from './dialog-path.js';
import { cancelled } from './final-response.js';
import { answer, IncomingRequest, type ResponseContent } from './incoming-request.js';
import { overlay, type UaCore } from './ua-core.js';
import { UaDialog } from './ua-dialog.js';

/** What a response to an INVITE says. */
export interface InviteResponseContent extends ResponseContent {
  /** Contact header value, with its parameters. Default: that of the dialog, else the address that the INVITE came to. */
  readonly contact?: string | undefined;
  /**
   * Send a provisional response reliably (RFC 3262), which the caller has to support: see allowsReliable. Default: where the
   * caller requires it.
   */
  readonly reliable?: boolean | undefined;
}

/** What a 2xx says. */
export interface AcceptContent extends InviteResponseContent {
  /** A 2xx status other than 200. */
  readonly status?: number | undefined;
}

// RFC 3261 §13.3.1.1: proxies end an INVITE that is silent for three minutes; a response that may be lost goes every minute.
const stillThereMs = 60_000;

/** An INVITE. It has to be answered by `accept`, or by `respond` with a failure. */
export class IncomingInvite extends IncomingRequest {
  readonly #dialog: UaDialog | undefined;
  #early: UaDialog | undefined;
  #reliable: ReliableResponses | undefined;
  #stillThere: unknown;
  /** Accepted, but the 2xx waits for a PRACK. */
  #waiting: UaDialog | undefined;

  constructor(core: UaCore, transaction: ServerTransaction, dialog?: UaDialog) {
    super(core, transaction);
    this.#dialog = dialog;
    transaction.on('cancel', (cancel) => {
      void this.respond(487);
      this.abort(new SipError('cancelled', 'the caller sent CANCEL'));
      this.emit('cancel', cancel);
    });
    transaction.once('terminated', () => {
      this.#answered();
      this.#early?.dispose();
      if (this.#waiting !== this.#dialog) this.#waiting?.dispose();
    });
  }

  /** The dialog of a re-INVITE. */
  get dialog(): UaDialog | undefined {
    return this.#dialog;
  }

  /** The early dialog that the first provisional response other than 100 has made: for UPDATE and INFO before the answer. */
  get earlyDialog(): UaDialog | undefined {
    return this.#early;
  }

  /**
   * Answers with a provisional response or a failure; for a 2xx there is `accept`. Provisional responses other than 100 carry
   * our Contact, as their tag makes an early dialog (RFC 3261 §12.1.1).
   * @returns whether the response was handed to the network, or waits for the PRACK of the one before it.
   * @throws SipError `not-possible` for a 2xx, and for a reliable response that the caller does not support or that comes
   * too late
   */
  override async respond(status: number, content: InviteResponseContent = {}): Promise<boolean> {
    if (status >= 200 && status < 300) throw new SipError('not-possible', 'an INVITE is accepted by accept()');
    if (status <= 100) return super.respond(status, content);
    if (status >= 300) return this.#refuse(status, content);
    const contact = content.contact ?? this.#dialog?.state.localContact ?? defaultContact(this.flow);
    const reliable = content.reliable ?? requiresReliable(this.request);
    if (reliable && !allowsReliable(this.request)) {
      throw new SipError('not-possible', 'the caller does not support reliable provisional responses');
    }
    const dialog = this.#dialog ?? this.#earlyDialog(contact);
    const headers = overlay(new Headers([['Contact', dialog?.state.localContact ?? contact]]), content.headers);
    const response = this.response(status, { ...content, headers });
    if (!reliable) {
      this.#remind(() => this.transaction.respond(response));
      return this.transaction.respond(response);
    }
    // The session description has been said; a new response without it has its own RSeq and PRACK.
    const { body: _, contentType: __, ...rest } = content;
    this.#remind(() => this.respond(status, rest));
    dialog?.awaitPrack(this);
    this.#reliableResponses().send(response);
    if (response.body.length > 0) dialog?.answeredEarly();
    return true;
  }

  /**
   * Answers 2xx and repeats it until the ACK comes, over any transport (RFC 3261 §13.3.1.4). Without ACK for 64*T1 the
   * dialog is ended by BYE. After a reliable provisional response with a body it waits for the PRACK (RFC 3262 §3).
   * @returns the new dialog, or that of the re-INVITE.
   * @throws SipError `cancelled` when the caller has given up, `transport-failed` when its connection is gone, `not-possible` after another final response, `malformed` for a
   * Contact that cannot be used (the INVITE is then answered 400).
   */
  accept(content: AcceptContent = {}): UaDialog {
    if (this.signal.aborted) throw this.signal.reason instanceof SipError ? this.signal.reason : cancelled();
    if (!this.transaction.pending || this.#waiting !== undefined) {
      throw new SipError('not-possible', 'the INVITE has been answered already');
    }
    this.#answered();
    const dialog = this.#dialog ?? this.#newDialog(content.contact);
    // A new dialog's Contact may have become SIPS.
    const contact = (this.#dialog && content.contact) ?? dialog.state.localContact;
    const headers = overlay(
      new Headers([['Contact', dialog.state.secure ? sipsContact(contact) : contact]]),
      content.headers,
    );
    const response = answer(this.core, this.transaction, content.status ?? 200, { ...content, headers });
    this.#waiting = dialog;
    const onSent = (): void => {
      this.#waiting = undefined;
      dialog.accepted(this, this.transaction, response);
    };
    if (this.#reliable === undefined) {
      void this.transaction.respond(response);
      onSent();
    } else this.#reliable.final(response, onSent);
    return dialog;
  }

  /** A PRACK for one of our provisional responses; for the dialog. */
  receivePrack(transaction: ServerTransaction): void {
    const say = (status: number): void => void transaction.respond(answer(this.core, transaction, status));
    const onAccepted = (): void => {
      const offers = transaction.request.body.length > 0;
      if (!offers) say(200);
      const heard = this.emit('prack', new IncomingRequest(this.core, transaction));
      if (offers && !heard) say(488);
    };
    try {
      if (this.#reliable?.acknowledge(transaction.request, onAccepted) !== true) say(481);
    } catch (error) {
      if (!(error instanceof SipError)) throw error;
      say(400);
    }
  }

  #refuse(status: number, content: InviteResponseContent): Promise<boolean> {
    this.#answered();
    const response = this.response(status, content);
    let sent: Promise<boolean> | undefined;
    if (this.#reliable === undefined) sent = this.transaction.respond(response);
    // The reliable responses end with it; the transaction itself has sent it.
    else this.#reliable.final(response, () => undefined);
    const reason = status === 487 ? 'remote' : 'local';
    this.#early?.dispose(reason);
    if (this.#waiting !== this.#dialog) this.#waiting?.dispose(reason);
    this.#waiting = undefined;
    return sent ?? Promise.resolve(!this.transaction.pending);
  }

  #reliableResponses(): ReliableResponses {
    this.#reliable ??= new ReliableResponses(this.transaction, {
      // RFC 3262 §3: whoever does not acknowledge cannot be talked to.
      onGaveUp: () => {
        void this.#refuse(504, {});
        this.abort(new SipError('timed-out', 'no PRACK came for a reliable provisional response'));
      },
    });
    return this.#reliable;
  }

  #answered(): void {
    this.core.layer.clock.clearTimeout(this.#stillThere);
    this.#stillThere = undefined;
  }

  #remind(again: () => Promise<boolean>): void {
    this.#answered();
    this.#stillThere = this.core.layer.clock.setTimeout(() => {
      this.#remind(again);
      again().catch(() => undefined);
    }, stillThereMs);
  }

  #earlyDialog(contact: string): UaDialog | undefined {
    if (this.#early !== undefined || this.core.dialogs.full) return this.#early;
    const state = dialogFromRequest(this.request, this.transaction.toTag, contact, 'early');
    this.#early = new UaDialog(this.core, state, new DialogPath(this.core.transports, this.flow, undefined));
    if (this.request.body.length > 0) this.#early.offerInInvite('theirs');
    this.core.dialogs.add(this.#early);
    return this.#early;
  }

  #newDialog(given: string | undefined): UaDialog {
    const { core, transaction, request, flow } = this;
    const contact = given ?? this.#early?.state.localContact ?? defaultContact(flow);
    let state: DialogState;
    try {
      state = dialogFromRequest(request, transaction.toTag, contact, 'confirmed');
    } catch (error) {
      void transaction.respond(answer(core, transaction, 400));
      throw error;
    }
    const early = this.#early;
    if (early !== undefined && early.state.state === 'early') {
      this.#early = undefined;
      // What the early dialog has learned since the INVITE stays.
      early.confirm({ ...early.state, localContact: state.localContact, state: 'confirmed' });
      return early;
    }
    const dialog = new UaDialog(core, state, new DialogPath(core.transports, flow, undefined));
    core.dialogs.add(dialog);
    return dialog;
  }
}

/** The Contact of someone who is reached where this flow ends. */
export function defaultContact(flow: Flow): string {
  return `<sip:${formatHostPort(flow.local.host, flow.local.port)};transport=${flow.protocol}>`;
}
