// Option tags in Require, Supported, Unsupported and Proxy-Require (RFC 3261 §19.2).
import type { Headers } from './headers.js';

/** Whether a header that lists option tags has this one. They are tokens, so case does not matter (RFC 3261 §7.3.1). */
export function hasOptionTag(message: { readonly headers: Headers }, header: string, tag: string): boolean {
  const wanted = tag.toLowerCase();
  return message.headers.values(header).some((value) => value.toLowerCase() === wanted);
}
