// Random identifiers of RFC 3261: branch, tag and Call-ID.
import { createHash, randomBytes } from 'node:crypto';
import type { SipRequest } from '../message/sip-message.js';

/** What every branch made after RFC 2543 begins with, RFC 3261 §8.1.1.7. */
export const magicCookie = 'z9hG4bK';

/** A branch that is unique across space and time, RFC 3261 §8.1.1.7. */
export function newBranch(): string {
  return magicCookie + randomHex(24);
}

/** A tag with 64 random bits, RFC 3261 §19.3 asks for 32. */
export function newTag(): string {
  return randomHex(16);
}

/** A Call-ID of 32 lower-case hexadecimal digits. */
export function newCallId(): string {
  return randomHex(32);
}

// One call of the random generator costs as much for 2 kB as for 8 bytes.
let pool = '';

function randomHex(digits: number): string {
  if (pool.length < digits) pool = randomBytes(2_048).toString('hex');
  const taken = pool.slice(0, digits);
  pool = pool.slice(digits);
  return taken;
}

/** A To tag that is the same for every copy of a request, as a stateless answer needs it (RFC 3261 §8.2.7). */
export function statelessTag(request: SipRequest): string {
  const via = request.headers.get('Via') ?? '';
  return createHash('sha256')
    .update(`${via}\n${request.headers.get('Call-ID') ?? ''}`)
    .digest('hex')
    .slice(0, 16);
}
