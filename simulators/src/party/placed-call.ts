/** Sets up a call that a party places: INVITE, ringing, answer or refusal. */
import { Headers, SipError, type Target, type UserAgent } from '@sidestream/sip';
import type { PartyCall } from './party-call.js';
import type { CallOptions } from './party-options.js';

/** What the INVITE needs beside the options of the call. */
export interface Placement {
  agent: UserAgent;
  to: string;
  from: string;
  target: Target;
  /** Undefined: the other side offers. */
  offer: string | undefined;
  /** @throws SipError when it has nothing for us */
  answerOffer: (offer: string) => string;
}

/** Runs until the call is answered or over; never rejects: the call itself tells. */
export async function placeCall(call: PartyCall, placement: Placement, options: CallOptions): Promise<void> {
  const { agent, to, from, target, offer, answerOffer } = placement;
  const contentType = 'application/sdp';
  try {
    const { dialog, response, request } = await agent.invite({
      target,
      uri: to,
      from: options.from ?? from,
      to: `<${to}>`,
      callId: call.id,
      contact: (flow) => {
        const { local, protocol } = flow;
        const host = local.host.includes(':') ? `[${local.host}]` : local.host;
        return `<sip:${host}:${local.port};transport=${protocol}>`;
      },
      headers: new Headers(options.headers ?? []),
      ...(offer === undefined
        ? { answerOffer: ({ body }) => ({ body: answerOffer(body.toString('utf8')), contentType }) }
        : { body: offer, contentType }),
      signal: call.signal,
      finalTimeoutMs: options.answerTimeoutMs ?? 60_000,
      onProvisional: ({ status }) => {
        if (status > 100) call.rings();
      },
    });
    call.invite = request;
    call.confirm(dialog, response.body.toString('utf8'));
    if (options.hangUpAfterMs !== undefined) call.hangUpAfter(options.hangUpAfterMs);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const status = error instanceof SipError ? error.status : undefined;
    const code = error instanceof SipError ? error.code : undefined;
    const by = code === 'rejected' ? 'rejected' : code === 'cancelled' ? 'cancelled' : 'error';
    await call.finish({ by, reason, ...(status === undefined ? {} : { status }) });
  }
}
