// Session-Expires and Min-SE, the headers of RFC 4028 §4 and §5.
import { parseParameters } from '../message/grammar.js';
import type { Headers } from '../message/headers.js';
import { malformed } from '../sip-error.js';

/** Who sends the refreshes: the client or the server of the transaction that says so. */
export type Refresher = 'uac' | 'uas';

/** Session-Expires in its parts. */
export interface SessionExpires {
  readonly seconds: number;
  readonly refresher?: Refresher | undefined;
}

/** RFC 4028 §4: the absolute minimum of a session interval. */
export const minSessionSeconds = 90;

const delta = /^(\d{1,10})(?=[ \t]*(;|$))/;

/** Parses Session-Expires. @throws SipError `malformed` */
export function parseSessionExpires(value: string): SessionExpires {
  const { seconds, parameters } = parseDelta('Session-Expires', value);
  const given = parameters.get('refresher');
  if (given === undefined) return { seconds };
  const refresher = given?.toLowerCase();
  if (refresher !== 'uac' && refresher !== 'uas') throw malformed('Session-Expires: refresher is neither uac nor uas');
  return { seconds, refresher };
}

/** Writes Session-Expires. */
export function formatSessionExpires({ seconds, refresher }: SessionExpires): string {
  return refresher === undefined ? String(seconds) : `${seconds};refresher=${refresher}`;
}

/** The Session-Expires of a message, undefined without one. @throws SipError `malformed` */
export function sessionExpiresIn({ headers }: { readonly headers: Headers }): SessionExpires | undefined {
  const value = headers.get('Session-Expires');
  return value === undefined ? undefined : parseSessionExpires(value);
}

/** The Min-SE of a message; 90 without one, and never less (§5). @throws SipError `malformed` */
export function minSeIn({ headers }: { readonly headers: Headers }): number {
  const value = headers.get('Min-SE');
  return value === undefined ? minSessionSeconds : Math.max(minSessionSeconds, parseDelta('Min-SE', value).seconds);
}

function parseDelta(field: string, value: string): { seconds: number; parameters: ReturnType<typeof parseParameters> } {
  const match = delta.exec(value);
  if (match === null) throw malformed(`${field}: not a number of seconds`);
  const seconds = Number(match[1]);
  // RFC 3261 §25.1: delta-seconds; beyond 32 bits there is no time to speak of.
  if (seconds >= 2 ** 32) throw malformed(`${field}: more than 2^32 - 1 seconds`);
  return { seconds, parameters: parseParameters(value, match[0].length, field) };
}
