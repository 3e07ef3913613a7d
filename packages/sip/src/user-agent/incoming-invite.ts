// An INVITE of a peer that waits for its answer: a new session, or a new offer within a dialog.
import { type DialogState, dialogFromRequest } from '../dialog/dialog-state.js';
import { Headers } from '../message/headers.js';
import { formatHostPort } from '../message/host.js';
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
}

/** What a 2xx says. */
export interface AcceptContent extends InviteResponseContent {
  /** A 2xx status other than 200. */
  readonly status?: number | undefined;
}

/** An INVITE. It has to be answered by `accept`, or by `respond` with a failure. */
export class IncomingInvite extends IncomingRequest {
  readonly #dialog: UaDialog | undefined;

  constructor(core: UaCore, transaction: ServerTransaction, dialog?: UaDialog) {
    super(core, transaction);
    this.#dialog = dialog;
    transaction.on('cancel', (cancel) => {
      void this.respond(487);
      this.abort(new SipError('cancelled', 'the caller sent CANCEL'));
      this.emit('cancel', cancel);
    });
  }

  /** The dialog of a re-INVITE. */
  get dialog(): UaDialog | undefined {
    return this.#dialog;
  }

  /**
   * Answers with a provisional response or a failure; for a 2xx there is `accept`. Provisional responses other than 100 carry
   * our Contact, as their tag makes an early dialog (RFC 3261 §12.1.1).
   * @throws SipError `not-possible` for a 2xx
   */
  override async respond(status: number, content: InviteResponseContent = {}): Promise<boolean> {
    if (status >= 200 && status < 300) throw new SipError('not-possible', 'an INVITE is accepted by accept()');
    if (status <= 100 || status >= 300) return super.respond(status, content);
    const contact = content.contact ?? this.#dialog?.state.localContact ?? defaultContact(this.flow);
    return super.respond(status, {
      ...content,
      headers: overlay(new Headers([['Contact', contact]]), content.headers),
    });
  }

  /**
   * Answers 2xx and repeats it until the ACK comes, over any transport (RFC 3261 §13.3.1.4). Without ACK for 64*T1 the
   * dialog is ended by BYE.
   * @returns the new dialog, or that of the re-INVITE.
   * @throws SipError `cancelled` when the caller has given up, `transport-failed` when its connection is gone, `not-possible` after another final response, `malformed` for a
   * Contact that cannot be used (the INVITE is then answered 400).
   */
  accept(content: AcceptContent = {}): UaDialog {
    if (this.signal.aborted) throw this.signal.reason instanceof SipError ? this.signal.reason : cancelled();
    if (!this.transaction.pending) throw new SipError('not-possible', 'the INVITE has been answered already');
    const dialog = this.#dialog ?? this.#newDialog(content.contact ?? defaultContact(this.flow));
    // A new dialog's Contact may have become SIPS.
    const contact = (this.#dialog && content.contact) ?? dialog.state.localContact;
    const headers = overlay(new Headers([['Contact', contact]]), content.headers);
    const response = answer(this.core, this.transaction, content.status ?? 200, { ...content, headers });
    dialog.accepted(this, this.transaction, response);
    return dialog;
  }

  #newDialog(contact: string): UaDialog {
    const { core, transaction, request, flow } = this;
    let state: DialogState;
    try {
      state = dialogFromRequest(request, transaction.toTag, contact, 'confirmed');
    } catch (error) {
      void transaction.respond(answer(core, transaction, 400));
      throw error;
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
