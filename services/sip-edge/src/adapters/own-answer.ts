// Answers of the edge itself: what no application is asked.
import { randomInt } from 'node:crypto';
import { createResponse, Headers, type ServerTransaction, type SipResponse } from '@sidestream/sip';
import type { EdgeContext } from './edge-context.js';

/** What the edge answers by itself. */
export interface OwnAnswer {
  readonly status: number;
  readonly reason?: string;
  readonly retryAfterSeconds?: number;
  readonly minSeSeconds?: number;
}

/** RFC 3261 §14.2, RFC 3311 §5.2: a request overtakes one of the same kind; its sender tries again after a random time. */
export function overlapping(): OwnAnswer {
  return { status: 500, retryAfterSeconds: randomInt(0, 11) };
}

/** The response that says so. */
export function ownResponse({ request, toTag }: ServerTransaction, answer: OwnAnswer): SipResponse {
  const { status, reason, retryAfterSeconds, minSeSeconds } = answer;
  const headers = new Headers();
  if (retryAfterSeconds !== undefined) headers.append('Retry-After', String(retryAfterSeconds));
  if (minSeSeconds !== undefined) headers.append('Min-SE', String(minSeSeconds));
  return createResponse(request, status, { toTag, reason, headers });
}

/** Sends it. A response that is lost makes the peer send its request again. */
export function answerAlone(context: EdgeContext, transaction: ServerTransaction, answer: OwnAnswer): void {
  context.metrics.message('out', 'response', transaction.request.method);
  void transaction.respond(ownResponse(transaction, answer));
}
