/** Header fields that steer what the caller does next: RFC 9110 §10.2.3 (Retry-After), §8.8 (validators), RFC 9111 §5.2 (max-age). */
import type { HttpHeaders } from './http-client.js';

/** Handed back with the next request, so that an unchanged list costs nothing. */
export interface Validators {
  readonly etag?: string;
  readonly lastModified?: string;
}

/** How long to wait, 0 to `maxMs`; undefined when nothing usable was said. */
export function retryAfterMs(headers: HttpHeaders, nowMs: number, maxMs: number): number | undefined {
  const value = headers['retry-after']?.trim() ?? '';
  if (/^\d+$/.test(value)) return Math.min(Number(value) * 1000, maxMs);
  // Date.parse alone would take '-5' for a year.
  const until = value.endsWith('GMT') ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(until)) return undefined;
  // Both dates come from the same clock, so that its error cancels out; ours may be hours away from it.
  const from = Date.parse(headers['date'] ?? '');
  return Math.min(Math.max(until - (Number.isNaN(from) ? nowMs : from), 0), maxMs);
}

export function maxAgeMs(headers: HttpHeaders, maxMs: number): number | undefined {
  const seconds = /(?:^|[\s,])max-age\s*=\s*"?(\d+)/i.exec(headers['cache-control'] ?? '')?.[1];
  return seconds === undefined ? undefined : Math.min(Number(seconds) * 1000, maxMs);
}

export function validatorsOf(headers: HttpHeaders): Validators {
  const { etag, 'last-modified': lastModified } = headers;
  return { ...(etag && { etag }), ...(lastModified && { lastModified }) };
}

/** The request fields that carry the validators. */
export function conditions({ etag, lastModified }: Validators): Record<string, string> {
  return { ...(etag && { 'if-none-match': etag }), ...(lastModified && { 'if-modified-since': lastModified }) };
}
