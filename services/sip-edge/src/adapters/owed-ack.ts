// ACKs that applications owe for a 2xx to their INVITEs: sent once, repeated for copies of the 2xx, missed after 64*T1.
import { Headers, requestInDialog, type SipRequest, type SipResponse } from '@sidestream/sip';
import type { EdgeContext } from './edge-context.js';
import type { AckContent, EdgeDialog, OwnAck, SentAck } from './edge-dialog.js';
import { ackTimeout, endDialog, flowInDialog } from './in-dialog-sender.js';

/** From now on the application has 64*T1 to acknowledge; after that the edge does it and hangs up. */
export function oweAck(context: EdgeContext, dialog: EdgeDialog, invite: SipRequest): void {
  const cseq = invite.cseq.number;
  const { clock, timers } = context.layer;
  dialog.owedAck?.stopWatch();
  dialog.inviteCredentials = credentialsOf(invite);
  const watch = clock.setTimeout(() => {
    dialog.owedAck = undefined;
    // The application may have acknowledged, but the ACK could not be sent.
    const content = dialog.ack?.cseq === cseq ? dialog.ack.content : {};
    void sendAck(context, dialog, cseq, content)
      .catch(() => undefined)
      .then(() => endDialog(context, dialog, ackTimeout));
  }, 64 * timers.t1);
  dialog.owedAck = { cseq, stopWatch: () => clock.clearTimeout(watch) };
}

/**
 * Sends the ACK of a 2xx and keeps it for copies of that 2xx (RFC 3261 §13.2.2.4). It stays owed when it can't be sent: the
 * next copy of the 2xx tries again.
 *
 * @throws DestinationError or SipError when it can't be sent.
 */
export async function sendAck(
  context: EdgeContext,
  dialog: EdgeDialog,
  cseq: number,
  content: AckContent = {},
): Promise<SentAck> {
  const ack: OwnAck = { cseq, content, sent: undefined };
  dialog.ack = ack;
  return await transmit(context, dialog, ack);
}

/** Answers a copy of a 2xx with a copy of its ACK; before the application has acknowledged there is none. Never rejects. */
export async function repeatAck(context: EdgeContext, dialog: EdgeDialog, response: SipResponse): Promise<void> {
  const { ack } = dialog;
  if (ack === undefined || ack.cseq !== response.cseq.number) return;
  const { sent } = ack;
  try {
    if (sent !== undefined) await context.layer.sendStateless(sent.request, sent.flow);
    else await dialog.inOrder(async () => void (ack.sent ?? (await transmit(context, dialog, ack))));
  } catch (error) {
    // The next copy of the 2xx asks for it again, and then it takes the way that there is by then.
    ack.sent = undefined;
    context.log.debug({ err: error, callId: dialog.state.callId }, 'an ACK could not be repeated');
  }
}

/** A copy of a 2xx that comes after its transaction has ended (RFC 6026 §8): the dialog still has the ACK. */
export async function repeatAckOfStray(context: EdgeContext, response: SipResponse): Promise<void> {
  if (response.cseq.method !== 'INVITE' || response.status < 200 || response.status >= 300) return;
  const dialog = context.book.findFor(response);
  if (dialog !== undefined) await repeatAck(context, dialog, response);
}

/** RFC 3261 §22.1: the ACK has the credentials of its INVITE, as it can't be challenged. */
function credentialsOf({ headers }: SipRequest): (readonly [string, string])[] {
  return ['Authorization', 'Proxy-Authorization'].flatMap((name) =>
    headers.all(name).map((value) => [name, value] as const),
  );
}

async function transmit(context: EdgeContext, dialog: EdgeDialog, ack: OwnAck): Promise<SentAck> {
  const { cseq, content } = ack;
  const flow = await flowInDialog(context, dialog.state, dialog.flow);
  const headers = new Headers([...(content.headers ?? []), ...dialog.inviteCredentials]);
  const { request } = requestInDialog(dialog.state, 'ACK', { ...content, headers, cseq });
  const sent: SentAck = { request: context.layer.withVia(request, flow), flow };
  // Known before it is out: a copy of the 2xx that crosses it is answered with the same ACK.
  ack.sent = sent;
  try {
    await context.layer.sendStateless(sent.request, flow);
  } catch (error) {
    ack.sent = undefined;
    throw error;
  }
  context.metrics.message('out', 'request', 'ACK');
  if (dialog.owedAck?.cseq === cseq) {
    dialog.owedAck.stopWatch();
    dialog.owedAck = undefined;
  }
  return sent;
}
