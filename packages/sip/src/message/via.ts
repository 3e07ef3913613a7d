// Via: where a response goes (RFC 3261 §20.42, §18.2.2; RFC 3581).
import { malformed } from '../sip-error.js';
import { formatParameters, type Parameters, parseParameters, trimSpace } from './grammar.js';
import { formatHostPort, parseHostPort } from './host.js';

/** One Via element. */
export interface Via {
  /** Version behind `SIP/` where it is not 2.0, as a request that is answered 505 may have (RFC 4475 §3.1.2.16). */
  readonly version?: string | undefined;
  /** `UDP`, `TCP`, `TLS` …, upper case. */
  readonly transport: string;
  /** sent-by host; IPv6 without brackets. */
  readonly host: string;
  readonly port?: number | undefined;
  readonly parameters: Parameters;
}

const protocol = /^SIP[ \t]*\/[ \t]*(\d+\.\d+)[ \t]*\/[ \t]*([A-Za-z0-9\-.!%*_+`'~]+)[ \t]+/i;

/** Reads one Via element. @throws SipError `malformed` */
export function parseVia(text: string): Via {
  const value = trimSpace(text);
  const match = protocol.exec(value);
  if (match === null) throw malformed('Via: not SIP/<version>/<transport> <sent-by>');
  const sentByAt = match[0].length;
  const semicolon = value.indexOf(';', sentByAt);
  const end = semicolon < 0 ? value.length : semicolon;
  const { host, port } = parseHostPort(trimSpace(value.slice(sentByAt, end)), 'Via');
  const via = { transport: (match[2] ?? '').toUpperCase(), host, port, parameters: parseParameters(value, end, 'Via') };
  return match[1] === '2.0' ? via : { ...via, version: match[1] };
}

/** The Via element as text. */
export function formatVia(via: Via): string {
  return `SIP/${via.version ?? '2.0'}/${via.transport} ${formatHostPort(via.host, via.port)}${formatParameters(via.parameters)}`;
}
