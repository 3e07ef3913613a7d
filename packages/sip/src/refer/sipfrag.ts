// message/sipfrag as far as a NOTIFY about a REFER has it: the status line of the response so far (RFC 3420, RFC 3515 §2.4.5).
import { reasonPhrase } from '../message/reason-phrase.js';

export const sipfragType = 'message/sipfrag;version=2.0';

const statusLine = /^SIP\/2\.0 ([1-6]\d\d)(?: ([^\r\n]*))?(?:\r?\n|$)/i;

/** The status of the referred request; undefined where the fragment does not begin with one. What follows is not looked at. */
export function parseSipfrag(body: string): { status: number; reason: string } | undefined {
  const match = statusLine.exec(body);
  return match === null ? undefined : { status: Number(match[1]), reason: match[2] ?? '' };
}

/** The fragment that tells a status, and nothing else of the response: its headers are nobody's business (RFC 3515 §5). */
export function formatSipfrag(status: number, reason = reasonPhrase(status)): string {
  return `SIP/2.0 ${status} ${reason}\r\n`;
}

/** Subscription-State with a status of the referred request: a final one ends the subscription (RFC 3515 §2.4.7). */
export function referState(status: number, expiresSeconds = 60): string {
  return status < 200 ? `active;expires=${expiresSeconds}` : 'terminated;reason=noresource';
}
