// RSeq and RAck, the two headers of RFC 3262 §7, and which responses are sent reliably.
import { hasOptionTag } from '../message/option-tags.js';
import type { SipRequest, SipResponse } from '../message/sip-message.js';
import { malformed } from '../sip-error.js';

/** What a PRACK acknowledges: the RSeq of a response, and CSeq number and method of the request that it answered. */
export interface RAck {
  readonly rseq: number;
  readonly cseq: number;
  readonly method: string;
}

const digits = /^\d{1,10}$/;
const rackParts = /^(\d{1,10})[ \t]+(\d{1,10})[ \t]+([A-Za-z0-9\-.!%*_+`'~]+)$/;

/** Parses RSeq, RFC 3262 §7.1: 1 to 2**32 - 1. @throws SipError `malformed` */
export function parseRSeq(value: string): number {
  return digits.test(value) ? checked('RSeq', Number(value)) : fail('RSeq: not a number');
}

/** Parses RAck, RFC 3262 §7.2. @throws SipError `malformed` */
export function parseRAck(value: string): RAck {
  const match = rackParts.exec(value);
  if (match === null) return fail('RAck: not two numbers and a method');
  const cseq = Number(match[2]);
  if (cseq >= 2 ** 31) return fail('RAck: CSeq number above 2^31 - 1');
  return { rseq: checked('RAck', Number(match[1])), cseq, method: match[3] ?? '' };
}

/** Writes RAck. */
export function formatRAck({ rseq, cseq, method }: RAck): string {
  return `${rseq} ${cseq} ${method}`;
}

/** The RAck of a PRACK. @throws SipError `malformed` where it is missing or bad: such a PRACK is answered 400. */
export function rackIn(prack: SipRequest): RAck {
  return parseRAck(prack.headers.get('RAck') ?? fail('RAck: missing'));
}

/** The RAck that acknowledges a reliable provisional response. @throws SipError `malformed` where it has no usable RSeq. */
export function rackFor(response: SipResponse): RAck {
  const { number, method } = response.cseq;
  return { rseq: parseRSeq(response.headers.get('RSeq') ?? fail('RSeq: missing')), cseq: number, method };
}

/** Whether a response wants a PRACK, RFC 3262 §4: 101-199 that require 100rel; on a 100 the tag is ignored. */
export function isReliableProvisional(response: SipResponse): boolean {
  return response.status > 100 && response.status < 200 && hasOptionTag(response, 'Require', '100rel');
}

/** Whether provisional responses to this request may be reliable, RFC 3262 §3: its sender supports or requires them. */
export function allowsReliable(request: SipRequest): boolean {
  return hasOptionTag(request, 'Supported', '100rel') || requiresReliable(request);
}

/** Whether every provisional response to this request but 100 must be reliable, RFC 3262 §3. */
export function requiresReliable(request: SipRequest): boolean {
  return hasOptionTag(request, 'Require', '100rel');
}

function checked(field: string, rseq: number): number {
  return rseq >= 1 && rseq < 2 ** 32 ? rseq : fail(`${field}: not within 1 and 2^32 - 1`);
}

function fail(message: string): never {
  throw malformed(message);
}
