// Whether two URIs mean the same resource (RFC 3261 §19.1.4).
import { isIPv6, SocketAddress } from 'node:net';
import type { Parameters } from './grammar.js';
import { type SipUri, unescapeUri } from './uri.js';

// These say something even when only one of the two URIs has them.
const alwaysCompared = ['user', 'ttl', 'method', 'maddr', 'transport'];

/** RFC 3261 §19.1.4 equality. A port that is left out differs from the default port given. */
export function compareUri(a: SipUri, b: SipUri): boolean {
  if (a.scheme !== b.scheme) return false;
  if (a.opaque !== undefined || b.opaque !== undefined) return a.opaque === b.opaque;
  return (
    unescaped(a.user) === unescaped(b.user) &&
    unescaped(a.password) === unescaped(b.password) &&
    sameHost(a.host, b.host) &&
    a.port === b.port &&
    sameParameters(a.parameters, b.parameters) &&
    sameHeaders(a.headers, b.headers)
  );
}

function sameParameters(a: Parameters, b: Parameters): boolean {
  for (const name of alwaysCompared) if (a.has(name) !== b.has(name)) return false;
  for (const [name, value] of a) {
    const other = b.get(name);
    if (other !== undefined && folded(other) !== folded(value)) return false;
  }
  return true;
}

function sameHeaders(a: string | undefined, b: string | undefined): boolean {
  const normal = (headers: string | undefined): string =>
    (headers ?? '')
      .split('&')
      .map((pair) => {
        const equals = pair.indexOf('=');
        return equals < 0 ? pair : `${pair.slice(0, equals).toLowerCase()}=${unescaped(pair.slice(equals + 1))}`;
      })
      .sort()
      .join('&');
  return normal(a) === normal(b);
}

function folded(value: string | null): string | undefined {
  return unescaped(value ?? undefined)?.toLowerCase();
}

function unescaped(text: string | undefined): string | undefined {
  return text === undefined ? undefined : unescapeUri(text);
}

// RFC 5954 §4.2: IP addresses are the same when their bits are, however they are written.
function sameHost(a: string, b: string): boolean {
  if (a.toLowerCase() === b.toLowerCase()) return true;
  return isIPv6(a) && isIPv6(b) && canonical(a) === canonical(b);
}

function canonical(address: string): string {
  return new SocketAddress({ address, family: 'ipv6' }).address;
}
