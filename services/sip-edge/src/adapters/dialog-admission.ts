// What the edge itself refuses of a peer's requests in a dialog: order, collisions, session intervals.
import {
  isSessionTooSmall,
  minSeIn,
  minSessionSeconds,
  receiveInDialog,
  SipError,
  type SipRequest,
} from '@sidestream/sip';
import type { EdgeDialog } from './edge-dialog.js';
import { type OwnAnswer, overlapping } from './own-answer.js';

/** Takes a request into the dialog, or says why not: then the dialog is as it was. */
export function admitInDialog(dialog: EdgeDialog, request: SipRequest): OwnAnswer | undefined {
  const { method } = request;
  const received = receiveInDialog(dialog.state, request);
  if (received.refuse !== undefined) return { status: received.refuse };
  const refusal = sessionRefusal(request) ?? collision(dialog, request);
  if (refusal !== undefined) return refusal;
  if (method === 'INVITE') dialog.peerInvite = request.cseq.number;
  if (method === 'UPDATE') dialog.peerUpdate = request.cseq.number;
  dialog.offers.received(request);
  dialog.session?.heard(request);
  dialog.state = received.dialog;
  return undefined;
}

/** RFC 4028 §9: 422 for an interval below 90 s; a running timer goes on. */
export function sessionRefusal(request: SipRequest): OwnAnswer | undefined {
  if (request.method !== 'INVITE' && request.method !== 'UPDATE') return undefined;
  try {
    // What can't be read now could not be answered later either.
    minSeIn(request);
    return isSessionTooSmall(request) ? { status: 422, minSeSeconds: minSessionSeconds } : undefined;
  } catch (error) {
    if (error instanceof SipError) return { status: 400, reason: 'Bad Session-Expires Or Min-SE Header' };
    throw error;
  }
}

/** RFC 3261 §14.2 and RFC 3311 §5.2; drachtio-server leaves most of it to the application. */
function collision(dialog: EdgeDialog, request: SipRequest): OwnAnswer | undefined {
  if (request.method === 'INVITE') {
    if (dialog.ownInvites > 0) return { status: 491 };
    return dialog.peerInvite === undefined ? undefined : overlapping();
  }
  if (request.method !== 'UPDATE') return undefined;
  if (dialog.peerUpdate !== undefined) return overlapping();
  const status = dialog.offers.refusalOf(request);
  return status === 500 ? overlapping() : status && { status };
}
