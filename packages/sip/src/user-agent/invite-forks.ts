// The dialogs of one INVITE of ours, by To tag: early ones by provisional responses, confirmed ones by 2xx (RFC 3261 §13.2.2).
import { type DialogState, dialogFromResponse } from '../dialog/dialog-state.js';
import { Headers } from '../message/headers.js';
import { tagOf } from '../message/name-addr.js';
import type { SipRequest, SipResponse } from '../message/sip-message.js';
import { formatRAck, isReliableProvisional, rackFor } from '../reliable/rack.js';
import { nothingReceived, receiveReliable } from '../reliable/received-order.js';
import { SipError } from '../sip-error.js';
import type { Flow, Target } from '../transport/flow.js';
import { DialogPath } from './dialog-path.js';
import { type Content, overlay, type UaCore } from './ua-core.js';
import { UaDialog } from './ua-dialog.js';

/** Dialogs that one INVITE may make; a response of yet another fork is ignored and will be given up by its sender. */
const maxForks = 16;

/** What comes of a 2xx: the dialog, whether it is another copy of the 2xx, and what is wrong with it. */
export interface AcceptedFork {
  readonly dialog: UaDialog;
  readonly known: boolean;
  readonly problem?: SipError | undefined;
}

/** The forks of one INVITE. */
export class InviteForks {
  readonly #core: UaCore;
  readonly #invite: SipRequest;
  readonly #target: Target;
  readonly #early = new Map<string, UaDialog>();
  readonly #confirmed = new Map<string, UaDialog>();
  #received = nothingReceived;

  constructor(core: UaCore, invite: SipRequest, target: Target) {
    this.#core = core;
    this.#invite = invite;
    this.#target = target;
  }

  /**
   * Takes a provisional response. A reliable one is acknowledged by PRACK, with `content` (RFC 3262 §4).
   * @returns its early dialog, `undefined` where it makes none; or `ignore`: it is a copy, out of order or unusable
   */
  provisional(
    response: SipResponse,
    flow: Flow,
    content: (response: SipResponse, dialog: UaDialog) => Content,
  ): UaDialog | 'ignore' | undefined {
    const tag = tagOf(response.to);
    if (response.status === 100 || tag === undefined) return undefined;
    if (!this.#core.supported.includes('100rel') || !isReliableProvisional(response))
      return this.#earlyDialog(tag, response, flow);
    let rack: string;
    try {
      const acknowledged = rackFor(response);
      const { order, verdict } = receiveReliable(this.#received, tag, acknowledged.rseq);
      if (verdict !== 'accept') return 'ignore';
      this.#received = order;
      rack = formatRAck(acknowledged);
    } catch (error) {
      if (error instanceof SipError) return 'ignore';
      throw error;
    }
    const dialog = this.#earlyDialog(tag, response, flow);
    if (dialog === undefined) return 'ignore';
    if (response.body.length > 0) dialog.answeredEarly();
    let said: Content = {};
    this.#core.layer.protect(() => {
      said = content(response, dialog);
    });
    const headers = overlay(new Headers([['RAck', rack]]), said.headers);
    // One that fails ends the early dialog where RFC 5057 says so; the INVITE goes on.
    dialog.request('PRACK', { ...said, headers }).catch(() => undefined);
    return dialog;
  }

  /** Takes a 2xx: confirms the early dialog of its tag, or makes a new one. undefined = there are too many. */
  accepted(response: SipResponse, flow: Flow): AcceptedFork | undefined {
    const tag = tagOf(response.to) ?? '';
    const known = this.#confirmed.get(tag);
    if (known !== undefined) return { dialog: known, known: true };
    if (this.#confirmed.size >= maxForks) return undefined;
    const { state, problem } = dialogOf(this.#invite, response);
    let dialog = this.#early.get(tag);
    this.#early.delete(tag);
    if (dialog?.state.state === 'early') dialog.confirm(state);
    else {
      dialog = new UaDialog(this.#core, state, new DialogPath(this.#core.transports, flow, this.#target));
      this.#core.dialogs.add(dialog);
    }
    this.#confirmed.set(tag, dialog);
    return { dialog, known: false, problem };
  }

  /** Ends the early dialogs of which nothing became. */
  abandon(reason: 'local' | 'remote' | 'error'): void {
    for (const dialog of this.#early.values()) dialog.dispose(reason);
    this.#early.clear();
  }

  #earlyDialog(tag: string, response: SipResponse, flow: Flow): UaDialog | undefined {
    const known = this.#early.get(tag);
    if (known !== undefined || this.#confirmed.has(tag)) return known;
    if (this.#early.size >= maxForks || this.#core.dialogs.full) return undefined;
    let state: DialogState;
    try {
      state = dialogFromResponse(this.#invite, response);
    } catch (error) {
      if (error instanceof SipError) return undefined;
      throw error;
    }
    const dialog = new UaDialog(this.#core, state, new DialogPath(this.#core.transports, flow, this.#target));
    if (this.#invite.body.length > 0) dialog.offerInInvite('ours');
    this.#early.set(tag, dialog);
    this.#core.dialogs.add(dialog);
    dialog.hold();
    return dialog;
  }
}

/** The dialog of a 2xx. Where its Contact or Record-Route is unusable, one that will do for ACK and BYE, and the problem. */
function dialogOf(request: SipRequest, response: SipResponse): { state: DialogState; problem?: SipError } {
  try {
    return { state: dialogFromResponse(request, response) };
  } catch (error) {
    if (!(error instanceof SipError)) throw error;
    const repaired = response.clone();
    repaired.headers
      .delete('Record-Route')
      .set('Contact', isSipUri(request.uri) ? `<${request.uri}>` : '<sip:invalid.invalid>');
    return { state: dialogFromResponse(request, repaired), problem: error };
  }
}

function isSipUri(uri: string): boolean {
  return /^sips?:/i.test(uri);
}
