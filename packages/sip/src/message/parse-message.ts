// Bytes to message: framing of one message, limits and the checks that RFC 3261 asks for before any element acts on it.
import { malformed, SipError, tooLarge } from '../sip-error.js';
import { isCallId, isToken } from './grammar.js';
import { decodeHeaderSection, splitHeaderLines } from './header-section.js';
import type { Headers } from './headers.js';
import { defaultMessageLimits, type MessageLimits } from './message-limits.js';
import { isRegisteredMethod } from './methods.js';
import type { NameAddr } from './name-addr.js';
import { emptyBody, type SipMessage, SipRequest, SipResponse } from './sip-message.js';
import { parseStartLine } from './start-line.js';

/** How parseMessage reads. */
export interface ParseOptions {
  /** The bytes are one message framed on a stream: Content-Length must be there and fit exactly (RFC 3261 §18.3). */
  readonly stream?: boolean | undefined;
  readonly limits?: MessageLimits | undefined;
}

const mandatoryOnce = ['From', 'To', 'Call-ID', 'CSeq'] as const;
const atMostOnce = ['Content-Length', 'Content-Type', 'Max-Forwards'] as const;
const endOfHeaders = Buffer.from('\r\n\r\n');

/**
 * Reads one message. On a datagram the body is cut to Content-Length, or is all that follows where there is none
 * (RFC 3261 §18.3). A missing Max-Forwards is let through as RFC 3261 §16.3 asks. The body shares memory with `bytes`.
 * @throws SipError `malformed` (400, 501), `too-large` (513) or `unsupported-version` (505); never anything else
 */
export function parseMessage(bytes: Buffer, options: ParseOptions = {}): SipMessage {
  const limits = options.limits;
  const maxHeaderBytes = limits?.maxHeaderBytes ?? defaultMessageLimits.maxHeaderBytes;
  const start = skipLineEnds(bytes);
  const end = bytes.indexOf(endOfHeaders, start);
  if ((end < 0 ? bytes.length : end) - start > maxHeaderBytes) throw tooLarge(`header above ${maxHeaderBytes} bytes`);
  if (end < 0) throw malformed('message: no empty line after the header');
  const text = decodeHeaderSection(bytes.subarray(start, end));
  const lineEnd = text.indexOf('\r\n');
  const startLine = parseStartLine(lineEnd < 0 ? text : text.slice(0, lineEnd));
  const rest = lineEnd < 0 ? '' : text.slice(lineEnd + 2);
  if (rest.startsWith(' ') || rest.startsWith('\t')) throw malformed('start line: it cannot be folded');
  const headers = splitHeaderLines(rest, limits?.maxHeaderFields ?? defaultMessageLimits.maxHeaderFields);
  const body = cutBody(bytes, end + 4, headers, options);
  const message =
    startLine.kind === 'request'
      ? new SipRequest({ method: startLine.method, uri: startLine.uri, headers, body })
      : new SipResponse({ status: startLine.status, reason: startLine.reason, headers, body });
  checkFields(message);
  return message;
}

/** Index of the first byte that is no CR LF: empty lines before a start line are ignored (RFC 3261 §7.5). */
export function skipLineEnds(bytes: Buffer): number {
  let start = 0;
  while (bytes[start] === 0x0d && bytes[start + 1] === 0x0a) start += 2;
  return start;
}

function cutBody(bytes: Buffer, at: number, headers: Headers, options: ParseOptions): Buffer {
  const maxBodyBytes = options.limits?.maxBodyBytes ?? defaultMessageLimits.maxBodyBytes;
  const available = bytes.length - at;
  const written = headers.get('Content-Length');
  if (written === undefined && options.stream === true) throw malformed('Content-Length: missing on a stream');
  if (written !== undefined && !/^\d+$/.test(written)) throw malformed('Content-Length: not a number');
  const length = written === undefined ? available : Number(written);
  if (length > maxBodyBytes) throw tooLarge(`body above ${maxBodyBytes} bytes`);
  if (length > available) throw malformed('Content-Length: larger than the message');
  if (options.stream === true && length < available) throw malformed('Content-Length: smaller than the framed message');
  return length === 0 ? emptyBody : bytes.subarray(at, at + length);
}

// Reading each typed field here fills its cache, so a getter of a parsed message neither throws nor parses again.
function checkFields(message: SipMessage): void {
  const { headers } = message;
  for (const name of mandatoryOnce) {
    const count = headers.count(name);
    if (count === 0) throw malformed(`${name}: missing`);
    if (count > 1) throw malformed(`${name}: given more than once`);
  }
  for (const name of atMostOnce) if (headers.count(name) > 1) throw malformed(`${name}: given more than once`);
  const { cseq, callId } = message;
  if (!isCallId(callId)) throw malformed('Call-ID: not word or word@word');
  checkTag(message.from, 'From');
  checkTag(message.to, 'To');
  if (message.kind === 'request' && cseq.method !== message.method) {
    // RFC 4475 §3.1.2.18: 501 where the method itself is unknown.
    const status = isRegisteredMethod(message.method) ? 400 : 501;
    throw new SipError('malformed', 'CSeq: its method is not that of the request', { status });
  }
  const maxForwards = headers.get('Max-Forwards');
  if (maxForwards !== undefined && (!/^\d+$/.test(maxForwards) || Number(maxForwards) > 255)) {
    throw malformed('Max-Forwards: not a number of 0 to 255');
  }
  void [message.topVia, message.contacts, message.contentType];
}

// RFC 3261 §25.1: tag-param = "tag" EQUAL token. Dialogs and transactions are told apart by it, so nothing else may pass.
function checkTag(address: NameAddr, field: string): void {
  const tag = address.parameters.get('tag');
  if (tag === null || (tag !== undefined && !isToken(tag))) throw malformed(`${field}: the tag is not a token`);
}
