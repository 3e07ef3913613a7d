// Refer-Sub: whether a REFER makes a subscription (RFC 4488 §4).
import { parseParameters } from '../message/grammar.js';
import { malformed } from '../sip-error.js';

/** True without the header: NOTIFYs are wanted. @throws SipError `malformed` */
export function wantsNotifications(value: string | undefined): boolean {
  if (value === undefined) return true;
  const match = /^[ \t]*(true|false)[ \t]*(?=;|$)/i.exec(value);
  if (match === null) throw malformed('Refer-Sub: neither true nor false');
  parseParameters(value, match[0].length, 'Refer-Sub');
  return match[1]?.toLowerCase() === 'true';
}
