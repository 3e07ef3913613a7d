// How a party's URI is compared with the policy. The rules, which the README repeats:
// - A number is the user part of a sip: or sips: URI, or a tel: URI, that is an international number; the host is ignored,
//   because every hop rewrites it.
// - An address is user@host. Scheme, port, password, parameters and headers are ignored. Both sides are compared without
//   regard to case: RFC 3261 §19.1.4 has the user part case-sensitive, but directories and registrars do not.
import { normaliseNumber } from './normalise-number.js';

export interface SellerIdentity {
  /** `+` and digits. */
  readonly number?: string;
  readonly address?: SipAddress;
}

/** user@host, lower-case. */
export interface SipAddress {
  readonly user: string;
  readonly host: string;
}

const maxChars = 1024;
const anonymousHost = 'anonymous.invalid';

/** What identifies the party behind a URI; empty when nothing does (nonsense, or an anonymous one, RFC 3323 §4.1.1.3). */
export function sellerIdentity(uri: string): SellerIdentity {
  if (uri.length > maxChars) return {};
  // Of a whole header value only what the last angle brackets hold counts: a display name may contain anything.
  const text = uri
    .slice(uri.lastIndexOf('<') + 1)
    .replace(/>.*$/s, '')
    .trim();
  if (/^tel:/i.test(text)) return withNumber(text);
  const match = /^(?:sips?:)?([^@]+)@(\[[^\]]+\]|[^:;?>\s[\]]+)/is.exec(text);
  if (match === null) return withNumber(text.replace(/^sips?:/i, ''));
  const user = decoded(match[1] ?? '').replace(/[;:].*$/s, '');
  const host = (match[2] ?? '').toLowerCase().replace(/\.$/, '');
  if (user === '' || host === anonymousHost) return {};
  return { ...withNumber(user), address: { user: user.toLowerCase(), host } };
}

function withNumber(text: string): SellerIdentity {
  const number = normaliseNumber(text);
  return number === undefined ? {} : { number };
}

/** RFC 3261 §19.1.4: an escaped character equals the plain one. */
function decoded(user: string): string {
  if (!user.includes('%')) return user;
  try {
    return decodeURIComponent(user);
  } catch {
    return user;
  }
}
