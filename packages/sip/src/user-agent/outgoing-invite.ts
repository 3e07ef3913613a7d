// The UAC side of a new session: RFC 3261 §13.2. Owns what becomes of every 2xx: one is wanted, any other is ended.
import { type DialogState, dialogFromResponse } from '../dialog/dialog-state.js';
import { tagOf } from '../message/name-addr.js';
import type { SipRequest, SipResponse } from '../message/sip-message.js';
import { SipError } from '../sip-error.js';
import type { Flow, Target } from '../transport/flow.js';
import { DialogPath } from './dialog-path.js';
import { cancelled } from './final-response.js';
import { attemptInvite } from './invite-attempt.js';
import { outgoingRequest, type RequestAddress } from './outgoing-request.js';
import type { Content, UaCore } from './ua-core.js';
import { UaDialog } from './ua-dialog.js';

export interface InviteOptions extends RequestAddress, Content {
  readonly target: Target;
  /** Contact header value, with its parameters. */
  readonly contact: string | ((flow: Flow) => string);
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds from the sending to the first response; timer B (32 s) holds in any case. */
  readonly provisionalTimeoutMs?: number | undefined;
  /** Milliseconds from the sending to the final response; unlimited once a provisional response has come. */
  readonly finalTimeoutMs?: number | undefined;
  readonly onProvisional?: ((response: SipResponse) => void) | undefined;
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

/** Dialogs that one INVITE may make; a 2xx of yet another fork is ignored and will be given up by its sender. */
const maxForks = 16;

/** See UserAgent.invite. */
export async function sendInvite(core: UaCore, options: InviteOptions): Promise<OutgoingInvite> {
  if (core.dialogs.full) throw new SipError('not-possible', 'too many dialogs are open');
  const flow = await dial(core, options.target, options.signal);
  // The new connection that was asked for is there; the dialog's later requests may share one.
  const { fresh: _, ...target } = options.target;
  const contact = typeof options.contact === 'function' ? options.contact(flow) : options.contact;
  const transaction = core.layer.request(outgoingRequest(core, 'INVITE', options, options, contact), flow);
  const { request } = transaction;
  const forks = new Map<string, UaDialog>();
  let wantedDialog: UaDialog | undefined;

  const response = await attemptInvite(transaction, core.layer.clock, {
    signal: options.signal,
    provisionalTimeoutMs: options.provisionalTimeoutMs,
    finalTimeoutMs: options.finalTimeoutMs,
    onProvisional: options.onProvisional,
    onAccepted(accepted, on, wanted) {
      const tag = tagOf(accepted.to) ?? '';
      const known = forks.get(tag);
      if (known !== undefined) {
        known.acknowledge(accepted, on);
        return;
      }
      if (forks.size >= maxForks) return;
      const { state, problem } = dialogOf(request, accepted);
      const dialog = new UaDialog(core, state, new DialogPath(core.transports, on, target));
      forks.set(tag, dialog);
      core.dialogs.add(dialog);
      dialog.acknowledge(accepted, on);
      if (wanted && problem === undefined) {
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

/** The dialog of a 2xx. Where its Contact or Record-Route is unusable, one that will do for ACK and BYE, and the problem. */
function dialogOf(request: SipRequest, response: SipResponse): { state: DialogState; problem?: SipError } {
  try {
    return { state: dialogFromResponse(request, response) };
  } catch (error) {
    if (!(error instanceof SipError)) throw error;
    const repaired = response.clone();
    repaired.headers.set('Contact', `<${request.uri}>`).delete('Record-Route');
    return { state: dialogFromResponse(request, repaired), problem: error };
  }
}
