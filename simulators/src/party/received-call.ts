/** Treats a call that comes in to a party: rings, then answers, refuses, or lets it ring. */
import { setTimeout as delay } from 'node:timers/promises';
import { Headers, type IncomingInvite } from '@sidestream/sip';
import type { PartyCall } from './party-call.js';
import type { PartyMedia } from './party-media.js';
import type { IncomingTreatment } from './party-options.js';
import { writePartySdp } from './party-sdp.js';

const DEFAULT_RING_MS = 200;

/** Runs until the call is answered or over. Rejects only when the network layer does. */
export async function receiveCall(
  call: PartyCall,
  invite: IncomingInvite,
  media: PartyMedia,
  treatment: IncomingTreatment,
): Promise<void> {
  call.invite = invite.request;
  const signal = AbortSignal.any([invite.signal, call.signal]);
  const offer = invite.request.body.length === 0 ? undefined : invite.request.body.toString('utf8');
  const remote = offer === undefined ? undefined : media.read(offer);
  const answer = remote === undefined ? undefined : media.answer(remote);
  const ringMs = treatment.neverAnswer === true ? undefined : (treatment.ringMs ?? DEFAULT_RING_MS);
  if (ringMs !== 0) {
    const early = treatment.earlyMedia === true && remote !== undefined && answer !== undefined;
    if (early) {
      await invite.respond(183, { body: writePartySdp(answer), contentType: 'application/sdp' });
      media.apply(remote);
    } else {
      await invite.respond(180);
    }
    call.rings();
    try {
      // Without an answer it rings for as long as a caller may wait: RFC 3261 §13.3.1.1 gives three minutes.
      await delay(ringMs ?? 180_000, undefined, { signal });
    } catch {
      // The caller's CANCEL was answered by the user agent; our own decision not to answer is told here.
      if (!invite.signal.aborted) await invite.respond(603);
      await call.finish({ by: invite.signal.aborted ? 'cancelled' : 'local' });
      return;
    }
  }
  const refusal = treatment.rejectWith ?? (treatment.neverAnswer === true ? 480 : undefined);
  const status = refusal ?? (offer !== undefined && answer === undefined ? 488 : undefined);
  if (status !== undefined || signal.aborted) {
    const { redirectTo } = treatment;
    const headers = redirectTo === undefined ? undefined : new Headers([['Contact', redirectTo]]);
    await invite.respond(status ?? 487, { headers });
    await call.finish({ by: signal.aborted ? 'cancelled' : 'local', ...(status === undefined ? {} : { status }) });
    return;
  }
  // An INVITE without offer is answered with ours, and the ACK brings the answer (RFC 3261 §13.3.1.4).
  if (offer === undefined) invite.on('ack', (ack) => call.applySdp(ack.body.toString('utf8')));
  const body = writePartySdp(answer ?? media.offer());
  call.confirm(invite.accept({ body, contentType: 'application/sdp' }), offer);
  if (treatment.hangUpAfterMs !== undefined) call.hangUpAfter(treatment.hangUpAfterMs);
}
