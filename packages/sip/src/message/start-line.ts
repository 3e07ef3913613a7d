// Request-Line and Status-Line (RFC 3261 §7.1, §7.2).
import { malformed, SipError } from '../sip-error.js';
import { isToken } from './grammar.js';
import { isAbsoluteUri, parseUri } from './uri.js';

/** A start line in its parts. */
export type StartLine =
  | { readonly kind: 'request'; readonly method: string; readonly uri: string }
  | { readonly kind: 'response'; readonly status: number; readonly reason: string };

// Not a dot, as a reason may hold Unicode's own line separators.
const statusLine = /^SIP\/2\.0 ([1-6]\d\d)(?: ([^\r\n]*))?$/i;
const version = /^SIP\/\d+\.\d+$/i;

/** Reads the first line of a message. @throws SipError `malformed`, or `unsupported-version` (505 for a request) */
export function parseStartLine(line: string): StartLine {
  if (/^SIP\//i.test(line)) return parseStatusLine(line);
  // Exactly one space between the three parts and none at the end (RFC 3261 §7.1), so a space in the URI shows up here.
  const first = line.indexOf(' ');
  const last = line.lastIndexOf(' ');
  if (first < 0 || last === first) throw malformed('request line: not method, URI and version');
  const method = line.slice(0, first);
  const uri = line.slice(first + 1, last);
  const protocol = line.slice(last + 1);
  if (!isToken(method)) throw malformed('request line: the method is not a token');
  if (protocol.toUpperCase() !== 'SIP/2.0') {
    if (!version.test(protocol)) throw malformed('request line: not a SIP version');
    throw new SipError('unsupported-version', `request line: version ${protocol} is not SIP/2.0`, { status: 505 });
  }
  checkRequestUri(uri);
  return { kind: 'request', method, uri };
}

function parseStatusLine(line: string): StartLine {
  const match = statusLine.exec(line);
  if (match !== null) return { kind: 'response', status: Number(match[1]), reason: match[2] ?? '' };
  const protocol = line.slice(0, Math.max(0, line.indexOf(' ')));
  if (version.test(protocol) && protocol.toUpperCase() !== 'SIP/2.0') {
    throw new SipError('unsupported-version', `status line: version ${protocol} is not SIP/2.0`);
  }
  throw malformed('status line: not a status of 100 to 699');
}

// A scheme we do not know is not bad syntax (416 is the upper layer's, RFC 4475 §3.3.2), a bad SIP URI is.
function checkRequestUri(uri: string): void {
  if (/^sips?:/i.test(uri)) {
    // RFC 3261 §19.1.1 table 1: no headers component in a Request-URI.
    if (parseUri(uri, 'Request-URI').headers !== undefined) throw malformed('Request-URI: it must not carry headers');
  } else if (!isAbsoluteUri(uri)) throw malformed('Request-URI: no scheme, or a forbidden character');
}
