// Hosts as they stand in URIs.
import { isIPv6 } from 'node:net';

/** An IPv6 address in the brackets that a URI wants (RFC 3261 §25.1 IPv6reference); any other host as it is. */
export function bracketed(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}
