// Hosts as they appear in URIs and Via: names, IPv4 and IPv6 references. Inside the program an IPv6 address has no brackets.
import { isIPv6 } from 'node:net';
import { malformed } from '../sip-error.js';

/** A host without brackets and, when it was given, its port. */
export interface HostAndPort {
  readonly host: string;
  readonly port?: number | undefined;
}

const hostAndPort = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9_.-]+))[ \t]*(?::[ \t]*(\d{1,5}))?$/;

/**
 * Reads `host [":" port]`, the host as a name, an IPv4 address or a bracketed IPv6 reference (RFC 3261 §25.1, RFC 5118 §4.1).
 * @throws SipError `malformed`, naming `field`
 */
export function parseHostPort(text: string, field: string): HostAndPort {
  const match = hostAndPort.exec(text);
  if (match === null) throw malformed(`${field}: bad host or port`);
  // RFC 5118 §4.10: the grammar of RFC 3261 allows a third colon before an IPv4 address, so some write it.
  const reference = match[1]?.replace(/:::(?=\d+\.)/, '::');
  if (reference !== undefined && !isIPv6(reference)) throw malformed(`${field}: bad IPv6 address`);
  const host = reference ?? match[2] ?? '';
  if (match[3] === undefined) return { host };
  const port = Number(match[3]);
  if (port > 65535) throw malformed(`${field}: port above 65535`);
  return { host, port };
}

/** A host as it stands in a URI or Via: an IPv6 address in brackets. */
export function formatHost(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

/** `host[:port]` as it stands in a URI or Via. */
export function formatHostPort(host: string, port: number | undefined): string {
  return port === undefined ? formatHost(host) : `${formatHost(host)}:${port}`;
}
