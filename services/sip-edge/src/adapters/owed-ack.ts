// ACKs that applications owe for a 2xx to their INVITEs: sent once, repeated for copies of the 2xx, missed after 64*T1.
import { type Headers, requestInDialog, type SipResponse, tagOf } from '@sidestream/sip';
import { formatDialogId } from '../domain/meta.js';
import type { EdgeContext } from './edge-context.js';
import type { EdgeDialog, SentAck } from './edge-dialog.js';
import { endDialog, flowInDialog } from './in-dialog-sender.js';

/** From now on the application has 64*T1 to acknowledge; after that the edge does it and hangs up. */
export function oweAck(context: EdgeContext, dialog: EdgeDialog, cseq: number): void {
  const { clock, timers } = context.layer;
  dialog.owedAck?.stopWatch();
  const watch = clock.setTimeout(() => {
    dialog.owedAck = undefined;
    void sendAck(context, dialog, cseq)
      .catch(() => undefined)
      .then(() => endDialog(context, dialog, 'ACK timeout'));
  }, 64 * timers.t1);
  dialog.owedAck = { cseq, stopWatch: () => clock.clearTimeout(watch) };
}

/**
 * Sends the ACK of a 2xx and keeps it for copies of that 2xx (RFC 3261 §13.2.2.4).
 *
 * @throws DestinationError or SipError when it can't be sent.
 */
export async function sendAck(
  context: EdgeContext,
  dialog: EdgeDialog,
  cseq: number,
  init: { headers?: Headers; body?: Buffer } = {},
): Promise<SentAck> {
  const flow = await flowInDialog(context, dialog.state, dialog.flow);
  const { request } = requestInDialog(dialog.state, 'ACK', { ...init, cseq });
  dialog.sentAck = { cseq, request: context.layer.withVia(request, flow), flow };
  await context.layer.sendStateless(dialog.sentAck.request, flow);
  context.metrics.message('out', 'request', 'ACK');
  return dialog.sentAck;
}

/** Answers a copy of a 2xx with a copy of its ACK; before the application has acknowledged there is none. */
export async function repeatAck(context: EdgeContext, dialog: EdgeDialog, response: SipResponse): Promise<void> {
  const { sentAck } = dialog;
  if (sentAck === undefined || sentAck.cseq !== response.cseq.number) return;
  // A lost copy is asked for again by the next 2xx.
  await context.layer.sendStateless(sentAck.request, sentAck.flow).catch(() => undefined);
}

/** A copy of a 2xx that comes after its transaction has ended (RFC 6026 §8): the dialog still has the ACK. */
export async function repeatAckOfStray(context: EdgeContext, response: SipResponse): Promise<void> {
  if (response.cseq.method !== 'INVITE' || response.status < 200 || response.status >= 300) return;
  const ours = tagOf(response.from) ?? '';
  const theirs = tagOf(response.to) ?? '';
  for (const creatorTag of [ours, theirs]) {
    const dialog = context.book.get(formatDialogId(response.callId, creatorTag));
    if (dialog?.state.localTag !== ours || dialog.state.remoteTag !== theirs) continue;
    return repeatAck(context, dialog, response);
  }
}
