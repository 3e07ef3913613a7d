// One INVITE to one target, with bounds to what it may take; and whether the next target is tried after it.
import type { Candidate } from '@sidestream/routing';
import { SidestreamError } from '@sidestream/service';
import type { Acceptance, Offered, OutgoingInvite, Refusal, Trunking } from './ports.js';

export interface DialLimits {
  /** How long the far side may take to answer, ringing included. */
  readonly answerMs: number;
  /** How long it may say nothing at all, if it is not the last one. 100 does not count: it is the next hop's alone. */
  readonly responseMs: number | undefined;
}

/**
 * Sends the INVITE. What takes too long is cancelled, and is a refusal: 408 without any response, 480 without an answer; 503 what the
 * edge can't send to a target that is not the last one. Rejects else as Trunking.invite() does.
 */
export async function dialWithin(
  trunking: Pick<Trunking, 'invite'>,
  invite: OutgoingInvite,
  { answerMs, responseMs }: DialLimits,
  signal: AbortSignal,
): Promise<Acceptance | Offered | Refusal> {
  const attempt = new AbortController();
  let overdue: Refusal | undefined;
  const giveUpAfter = (ms: number, status: number, reason: string) =>
    setTimeout(() => {
      overdue = { kind: 'refused', status, reason };
      attempt.abort(new DOMException(reason, 'TimeoutError'));
    }, ms);
  const answer = giveUpAfter(answerMs, 480, 'no answer');
  const response = responseMs === undefined ? undefined : giveUpAfter(responseMs, 408, `silent for ${responseMs} ms`);
  const onAbort = () => attempt.abort(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  const onProgress: OutgoingInvite['onProgress'] = (...heard) => {
    clearTimeout(response);
    invite.onProgress(...heard);
  };
  try {
    return await trunking.invite({ ...invite, onProgress }, attempt.signal);
  } catch (error) {
    if (signal.aborted) throw error;
    if (overdue !== undefined) return overdue;
    // What the edge can't send there it may send to the next one.
    if (responseMs === undefined || !(error instanceof SidestreamError) || error.code !== 'not-ready') throw error;
    return { kind: 'refused', status: 503, reason: error.message };
  } finally {
    clearTimeout(answer);
    clearTimeout(response);
    signal.removeEventListener('abort', onAbort);
  }
}

/** Whether a target that answers so is alive and takes calls (RFC 3263 §4.3): not 408, which may be our own, nor 503. */
export function isThere(status: number): boolean {
  return status !== 408 && status !== 503;
}

/**
 * Whether a refusal of this target sends the call to the next one (RFC 3263 §4.3). Busy is the called party's answer, and 6xx speaks
 * for every place where it could be reached (RFC 3261 §21.6).
 */
export function mayTryNext({ trunk }: Candidate, status: number): boolean {
  return status !== 486 && status < 600 && trunk.config.failover.statuses.includes(status);
}
