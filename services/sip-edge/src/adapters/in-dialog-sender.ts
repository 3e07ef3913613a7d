// Puts requests inside dialogs on the network: next hop, connection, ACK, the edge's own BYE.
import {
  type DialogState,
  type Flow,
  Headers,
  nextHopUri,
  requestInDialog,
  type SipRequest,
  type SipResponse,
} from '@sidestream/sip';
import { isTranslated } from '../domain/translated.js';
import { deliverUnsolicited } from './delivery.js';
import { DestinationError } from './destinations.js';
import type { EdgeContext } from './edge-context.js';
import type { EdgeDialog } from './edge-dialog.js';

/**
 * The flow for a request in a dialog (RFC 3261 §12.2.1.1: topmost route, else the remote target). A connection to the
 * same host that is still open is used again: a client's Contact often can't be dialled (RFC 5923). Where DNS has no answer
 * for a Contact, or that is an address behind a NAT, what is left is the address where the peer was heard last.
 *
 * @param known the flow on which the peer was heard last.
 * @param route URI that the application wants instead, or empty.
 * @throws DestinationError or SipError `transport-failed`.
 */
export async function flowInDialog(context: EdgeContext, state: DialogState, known: Flow, route = ''): Promise<Flow> {
  const reusable = known.reliable && !known.closed;
  if (route === '' && state.routeSet.length === 0 && isTranslated(state.remoteTarget, known.remote.host)) {
    if (reusable || !known.reliable) return known;
  }
  try {
    const { target } = await context.destinations.resolve(route || nextHopUri(state), known.protocol);
    if (reusable && known.protocol === target.protocol && known.remote.host === target.host) return known;
    return await context.transports.flow(target);
  } catch (error) {
    if (route !== '') throw error;
    const unresolved = error instanceof DestinationError && error.kind === 'dns' && state.routeSet.length === 0;
    if (reusable || (unresolved && !known.reliable)) return known;
    throw error;
  }
}

/** Why the edge ends a call, as it stands in Reason (RFC 3326). */
export interface EndReason {
  readonly cause: number;
  readonly text: string;
}

export const ackTimeout: EndReason = { cause: 200, text: 'ACK timeout' };
export const applicationGone: EndReason = { cause: 503, text: 'application gone' };

/** Sends a BYE that the edge makes by itself and tells the application, which need not answer. Never rejects. */
export async function endDialog(context: EdgeContext, dialog: EdgeDialog, reason: EndReason): Promise<void> {
  context.book.remove(dialog);
  dialog.dispose();
  const headers = new Headers([['Reason', `SIP;cause=${reason.cause};text="${reason.text}"`]]);
  const { request } = requestInDialog(dialog.state, 'BYE', { headers });
  try {
    const flow = await flowInDialog(context, dialog.state, dialog.flow);
    const transaction = context.layer.request(request, flow);
    context.metrics.sent(transaction);
    deliverUnsolicited(dialog.owner, transaction.request, flow, dialog.id);
  } catch (error) {
    context.log.warn({ err: error, callId: dialog.state.callId, reason: reason.text }, 'a BYE could not be sent');
    deliverUnsolicited(dialog.owner, context.layer.withVia(request, dialog.flow), dialog.flow, dialog.id);
  }
}

/**
 * Acknowledges a 2xx that no application will, and hangs up: a second branch of a fork (RFC 3261 §13.2.2.4), an answer
 * after its application has gone.
 *
 * @returns the ACK as sent, for copies of the 2xx; undefined where it could not be sent.
 */
export async function ackAndHangUp(
  context: EdgeContext,
  state: DialogState,
  response: SipResponse,
  known: Flow,
): Promise<{ request: SipRequest; flow: Flow } | undefined> {
  try {
    const flow = await flowInDialog(context, state, known);
    const ack = requestInDialog(state, 'ACK', { cseq: response.cseq.number });
    const request = context.layer.withVia(ack.request, flow);
    await context.layer.sendStateless(request, flow);
    context.metrics.message('out', 'request', 'ACK');
    context.metrics.sent(context.layer.request(requestInDialog(state, 'BYE').request, flow));
    return { request, flow };
  } catch (error) {
    context.log.warn({ err: error, callId: state.callId }, 'an unwanted answer could not be hung up');
    return undefined;
  }
}
