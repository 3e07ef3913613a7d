// The UAC side of a new session: RFC 3261 §13.2. Owns what becomes of every 2xx: one is wanted, any other is ended.
import type { SipRequest, SipResponse } from '../message/sip-message.js';
import { SipError } from '../sip-error.js';
import type { Flow, Target } from '../transport/flow.js';
import { cancelled } from './final-response.js';
import { attemptInvite } from './invite-attempt.js';
import { InviteForks } from './invite-forks.js';
import { addressed } from './large-request.js';
import type { AnswerOffer } from './outgoing-acks.js';
import { outgoingRequest, type RequestAddress } from './outgoing-request.js';
import type { Content, UaCore } from './ua-core.js';
import type { UaDialog } from './ua-dialog.js';

export interface InviteOptions extends RequestAddress, Content {
  readonly target: Target;
  /** Contact header value, with its parameters. */
  readonly contact: string | ((flow: Flow) => string);
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds from the sending to the first response; timer B (32 s) holds in any case. */
  readonly provisionalTimeoutMs?: number | undefined;
  /** Milliseconds from the sending to the final response; unlimited once a provisional response has come. */
  readonly finalTimeoutMs?: number | undefined;
  /**
   * A provisional response, with the early dialog that it belongs to (RFC 3261 §12.1): for requests both ways before the
   * answer. A reliable one (RFC 3262) comes once and in order.
   */
  readonly onProvisional?: ((response: SipResponse, dialog: UaDialog | undefined) => void) | undefined;
  /** What the PRACK of a reliable provisional response says: the answer where that one has an offer. Default: nothing. */
  readonly prackContent?: ((response: SipResponse, dialog: UaDialog) => Content) | undefined;
  /** Answers the offer of the 2xx, where the INVITE has none: for the ACK. Default: the ACK has no body. */
  readonly answerOffer?: AnswerOffer | undefined;
  /** What is said in the BYE of a session that came unwanted: a 2xx after a cancel or a timeout, of another fork, or unusable. */
  readonly unwantedBye?: (() => Content) | undefined;
}

/** A session that the peer has accepted; its 2xx is acknowledged. */
export interface OutgoingInvite {
  readonly dialog: UaDialog;
  readonly response: SipResponse;
  readonly flow: Flow;
  /** The INVITE as sent. */
  readonly request: SipRequest;
}

/** See UserAgent.invite. */
export async function sendInvite(core: UaCore, options: InviteOptions): Promise<OutgoingInvite> {
  if (core.dialogs.full) throw new SipError('not-possible', 'too many dialogs are open');
  const dialled = await dial(core, options.target, options.signal);
  // The new connection that was asked for is there; the dialog's later requests may share one.
  const { fresh: _, ...target } = options.target;
  const build = (on: Flow): SipRequest => {
    const contact = typeof options.contact === 'function' ? options.contact(on) : options.contact;
    return outgoingRequest(core, 'INVITE', options, options, contact);
  };
  const { request: unsent, flow } = await addressed(core, dialled, build, options.signal);
  const transaction = core.layer.request(unsent, flow);
  const { request } = transaction;
  const { answerOffer } = options;
  const forks = new InviteForks(core, request, target);
  let wantedDialog: UaDialog | undefined;
  // RFC 3261 §13.2.2.3: a failure ends every early dialog, whether or not anyone still waits for it.
  transaction.on('final', ({ status }) => {
    if (status >= 300) forks.abandon('remote');
  });
  // §13.2.2.4: after 64*T1 no further fork is expected to answer.
  transaction.once('terminated', () => forks.abandon('remote'));

  const response = await attemptInvite(transaction, core.layer.clock, {
    signal: options.signal,
    provisionalTimeoutMs: options.provisionalTimeoutMs,
    finalTimeoutMs: options.finalTimeoutMs,
    onProvisional(provisional, on) {
      const dialog = forks.provisional(provisional, on, options.prackContent ?? (() => ({})));
      if (dialog !== 'ignore') options.onProvisional?.(provisional, dialog);
    },
    onAccepted(accepted, on, wanted) {
      const fork = forks.accepted(accepted, on);
      if (fork === undefined) return;
      const { dialog, known, problem } = fork;
      const isWanted = wanted && problem === undefined;
      dialog.acknowledge({ invite: request, response: accepted, answerOffer: isWanted ? answerOffer : undefined }, on);
      if (known) return;
      if (isWanted) {
        dialog.hold();
        wantedDialog = dialog;
        return;
      }
      // RFC 3261 §13.2.2.4: a session that nobody wants (a late 2xx, another fork) is ended at once.
      let farewell: Content = {};
      core.layer.protect(() => {
        farewell = options.unwantedBye?.() ?? {};
      });
      void dialog.bye(farewell);
      if (problem !== undefined && wanted) throw problem;
    },
  });
  if (wantedDialog === undefined) {
    const text = `INVITE: ${response.status} ${response.reason}`;
    throw new SipError('rejected', text, { status: response.status, response });
  }
  return { dialog: wantedDialog, response, flow: wantedDialog.flow ?? flow, request };
}

/** A flow to the target; an abort while dialling is `cancelled`, whatever the transport made of it. */
export async function dial(core: UaCore, target: Target, signal: AbortSignal | undefined): Promise<Flow> {
  if (signal?.aborted) throw cancelled();
  try {
    return await core.transports.flow(target, signal);
  } catch (error) {
    throw signal?.aborted ? cancelled() : error;
  }
}
