// What a response of an application makes of a dialog: early, confirmed or gone, its session timer, the ACK that it waits for.
import { randomUUID } from 'node:crypto';
import {
  answerSession,
  dialogFromRequest,
  formatSessionExpires,
  hasOptionTag,
  retransmit2xx,
  type SipResponse,
  sessionExpiresIn,
  tagOf,
} from '@sidestream/sip';
import type { EdgeContext } from './edge-context.js';
import { EdgeDialog } from './edge-dialog.js';
import { ackTimeout, endDialog } from './in-dialog-sender.js';
import type { PendingRequest } from './pending-requests.js';
import { sessionOf } from './session-refresh.js';

/** Takes a response to an INVITE, as it goes on the wire, into the dialog that it makes or ends. */
export function enterDialog(context: EdgeContext, pending: PendingRequest, response: SipResponse): void {
  const { book } = context;
  const { transaction, client, local, dialogId, dialog } = pending;
  const { request, flow } = transaction;
  if (response.status >= 300) {
    if (dialog?.state.state !== 'early') return;
    book.remove(dialog);
    dialog.dispose();
    return;
  }
  if (response.status === 100) return;
  const confirmed = response.status >= 200;
  if (dialog === undefined) {
    const contact = response.headers.get('Contact') ?? '';
    const state = dialogFromRequest(request, tagOf(response.to) ?? '', contact, confirmed ? 'confirmed' : 'early');
    const made = new EdgeDialog({ id: dialogId, owner: client, local, state, flow });
    made.peerInvite = request.cseq.number;
    made.offers.received(request);
    pending.dialog = made;
    book.add(made);
  } else if (confirmed) {
    const localContact = response.headers.get('Contact') ?? dialog.state.localContact;
    dialog.state = { ...dialog.state, state: 'confirmed', localContact };
  }
  pending.dialog?.offers.answeredByUs(response);
  awaitPrack(pending);
}

function awaitPrack({ dialog, reliable, transaction }: PendingRequest): void {
  const { number } = transaction.request.cseq;
  if (dialog === undefined || reliable === undefined || dialog.reliable.has(number)) return;
  // A PRACK may come after the final response: the list lives as long as the transaction (RFC 3262 §3).
  dialog.reliable.set(number, reliable);
  transaction.once('terminated', () => dialog.reliable.delete(number));
}

/** What to do with the session timer once the response is out. */
export type SessionAgreement = (context: EdgeContext) => void;

/**
 * Writes into a 2xx to an INVITE or UPDATE what it says about the session timer (RFC 4028 §9). The application's own wish
 * stands within the bounds of the request.
 *
 * @throws SipError for a Session-Expires of the application that is none.
 */
export function agreeOnSession(pending: PendingRequest, response: SipResponse): SessionAgreement {
  const { transaction, dialog } = pending;
  const { request } = transaction;
  const isRefresh = request.method === 'INVITE' || (request.method === 'UPDATE' && dialog?.state.state === 'confirmed');
  if (!isRefresh || response.status >= 300) return () => undefined;
  const { headers } = response;
  const answer = answerSession(request, sessionExpiresIn(response), dialog?.session?.running);
  headers.delete('Session-Expires');
  if (answer !== undefined) headers.append('Session-Expires', formatSessionExpires(answer.sessionExpires));
  if (answer?.requireTimer && !hasOptionTag(response, 'Require', 'timer')) headers.append('Require', 'timer');
  return (context) => {
    const settled = pending.dialog;
    if (settled === undefined || (answer === undefined && settled.session === undefined)) return;
    const session = sessionOf(context, settled);
    session.heard(request);
    session.agreed(answer?.timer);
  };
}

/** Repeats the 2xx to an INVITE until its ACK comes; without one the call is hung up. */
export function awaitAck(context: EdgeContext, pending: PendingRequest, response: SipResponse): void {
  const { dialog, transaction } = pending;
  if (dialog === undefined) return;
  const cseq = transaction.request.cseq.number;
  let settle = (): void => undefined;
  const settled = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const stopRepeats = retransmit2xx(transaction, response, {
    onGaveUp: () => {
      settle();
      // endDialog reports its own failures.
      void endDialog(context, dialog, ackTimeout);
    },
    onUnreachable: settle,
  });
  // The ACK of the first 2xx has the INVITE's id, that of a later one an id of its own, as drachtio-server has it.
  const initial = tagOf(transaction.request.to) === undefined;
  dialog.unacknowledged.set(cseq, {
    transactionId: initial ? pending.transactionId : randomUUID(),
    settled,
    stop: () => {
      stopRepeats();
      settle();
    },
  });
}
