// REFER and its NOTIFYs, as far as they are the same for everyone (RFC 3515). What becomes of a reference is its owner's affair.
import { Headers } from '../message/headers.js';
import { type NameAddr, parseNameAddr } from '../message/name-addr.js';
import type { SipRequest } from '../message/sip-message.js';
import { formatSipfrag, parseSipfrag, referState, sipfragType } from '../refer/sipfrag.js';
import { malformed } from '../sip-error.js';
import type { Content } from './ua-core.js';

/** A NOTIFY for a REFER of ours: how the reference goes on. */
export interface ReferProgress {
  /** CSeq number of the REFER. */
  readonly refer: number;
  /** Status that the referred-to party has given so far. */
  readonly status: number;
  readonly reason: string;
  /** Whether this was the last NOTIFY. */
  readonly terminated: boolean;
  readonly request: SipRequest;
}

// More references at a time than anyone follows; the oldest is forgotten.
const maxOpen = 64;

/** Where a REFER points. @throws SipError `malformed` unless there is exactly one Refer-To (RFC 3515 §2.4.2) */
export function referTo(refer: SipRequest): NameAddr {
  const [value, ...more] = refer.headers.values('Refer-To');
  if (value === undefined || more.length > 0) throw malformed('Refer-To: not exactly one');
  return parseNameAddr(value, 'Refer-To');
}

/** What a NOTIFY about a REFER says, RFC 3515 §2.4.4: the status so far as message/sipfrag; a final one ends it. */
export function referNotification(refer: SipRequest, status: number, reason?: string): Content {
  return {
    headers: new Headers([
      ['Event', `refer;id=${refer.cseq.number}`],
      ['Subscription-State', referState(status)],
    ]),
    contentType: sipfragType,
    body: formatSipfrag(status, reason),
  };
}

/** The REFERs of ours in a dialog that NOTIFYs may still come for. */
export class OpenRefers {
  readonly #open = new Set<number>();

  /** Notes a REFER that is sent. @returns what forgets it, where it was refused */
  sent(refer: SipRequest): () => void {
    const { number } = refer.cseq;
    this.#open.add(number);
    const [oldest] = this.#open;
    if (this.#open.size > maxOpen && oldest !== undefined) this.#open.delete(oldest);
    return () => this.#open.delete(number);
  }

  /**
   * Takes a NOTIFY: what it says, or the status that refuses it. undefined = it is about no REFER.
   * RFC 3515 §2.4.6: without id it is about the only one.
   */
  receive(notify: SipRequest): ReferProgress | 400 | 481 | undefined {
    const event = /^refer[ \t]*(?:;[ \t]*id[ \t]*=[ \t]*(\d{1,10}))?[ \t]*(?:;|$)/i.exec(
      notify.headers.get('Event') ?? '',
    );
    if (event === null) return undefined;
    const refer = event[1] === undefined ? [...this.#open][0] : Number(event[1]);
    if (refer === undefined || !this.#open.has(refer)) return 481;
    const fragment = parseSipfrag(notify.body.toString('utf8'));
    const subscription = notify.headers.get('Subscription-State');
    if (fragment === undefined || subscription === undefined) return 400;
    const terminated = /^terminated[ \t]*(?:;|$)/i.test(subscription);
    if (terminated) this.#open.delete(refer);
    return { refer, ...fragment, terminated, request: notify };
  }
}
