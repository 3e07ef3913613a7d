// What the edge itself refuses of INVITEs outside dialogs.
import { dialogFromRequest, type ServerTransaction, SipError, type SipRequest, tagOf } from '@sidestream/sip';
import { sessionRefusal } from './dialog-admission.js';
import type { EdgeContext } from './edge-context.js';
import type { OwnAnswer } from './own-answer.js';

export class InviteAdmission {
  readonly #context: EdgeContext;
  /** Initial INVITEs whose transactions go on, to see merged requests (RFC 3261 §8.2.2.2). */
  readonly #invites = new Set<string>();

  constructor(context: EdgeContext) {
    this.#context = context;
  }

  /** Why an INVITE is not passed on, undefined where it is. */
  refusalOf(transaction: ServerTransaction): OwnAnswer | undefined {
    const { request } = transaction;
    // drachtio-server lets these two through, and the application's createUAS then never answers.
    if (tagOf(request.from) === undefined) return { status: 400, reason: 'Missing From Tag' };
    if (!canMakeDialog(transaction)) return { status: 400, reason: 'Missing or Bad Contact Header' };
    if (this.#invites.has(mergeKey(request))) return { status: 482 };
    if (this.#context.book.full) return { status: 503, retryAfterSeconds: 5 };
    return sessionRefusal(request);
  }

  /** @returns the id of the dialog that the INVITE may create. */
  enter(transaction: ServerTransaction): string {
    const { request } = transaction;
    const key = mergeKey(request);
    this.#invites.add(key);
    transaction.once('terminated', () => this.#invites.delete(key));
    return this.#context.book.reserveId(request.callId, tagOf(request.from) ?? '');
  }
}

/** RFC 3261 §8.2.2.2: equal for the copies of a request that a proxy upstream has forked. */
function mergeKey(request: SipRequest): string {
  return `${request.callId}\n${tagOf(request.from) ?? ''}\n${request.cseq.number}`;
}

/** Whether an answer to this INVITE could make a dialog: it has a Contact and routes that requests can be sent to. */
function canMakeDialog({ request, toTag }: ServerTransaction): boolean {
  try {
    dialogFromRequest(request, toTag, '<sip:edge.invalid>', 'early');
    return true;
  } catch (error) {
    if (error instanceof SipError) return false;
    throw error;
  }
}
