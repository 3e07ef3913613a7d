// What can be saved of a malformed request, so that it can be answered at all (RFC 3261 §8.2.6, §21.4.1).
import { SipError } from '../sip-error.js';
import { isToken, splitList, trimSpace } from './grammar.js';
import { headerKey } from './header-names.js';
import { Headers } from './headers.js';
import { defaultMessageLimits } from './message-limits.js';
import { skipLineEnds } from './parse-message.js';
import { SipRequest } from './sip-message.js';

const once = new Set(['from', 'to', 'call-id', 'cseq']);

/**
 * Of a request that parseMessage refused: method, Via lines and the first From, To, Call-ID and CSeq, as far as they are
 * needed to answer 400, 505 or 513. `undefined` for a response and where the way back or one of the five is missing. Only
 * `topVia` of the result is known to be well-formed; the other typed getters may throw.
 */
export function salvageRequest(bytes: Buffer): SipRequest | undefined {
  const start = skipLineEnds(bytes);
  const found = bytes.indexOf('\r\n\r\n', start);
  const end = Math.min(found < 0 ? bytes.length : found, start + defaultMessageLimits.maxHeaderBytes);
  const [startLine = '', ...lines] = bytes
    .toString('utf8', start, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n', defaultMessageLimits.maxHeaderFields);
  const [method = '', uri = ''] = startLine.split(' ', 2);
  if (!isToken(method) || /^SIP\//i.test(startLine)) return undefined;
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = trimSpace(line.slice(0, Math.max(0, colon)));
    const key = headerKey(name);
    const value = trimSpace(line.slice(colon + 1));
    if ((key === 'via' || (once.has(key) && !headers.has(key))) && isClean(value)) headers.append(name, value);
  }
  if (![...once].every((key) => headers.has(key))) return undefined;
  const request = new SipRequest({ method, uri, headers });
  return keepGoodVias(request) ? request : undefined;
}

// The answer must not carry on what made the request bad: no control characters, no empty values.
function isClean(value: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  return value !== '' && !/[\x00-\x08\x0a-\x1f\x7f]/.test(value);
}

// The top Via is where the answer goes; if it cannot be read there is nobody to answer.
function keepGoodVias(request: SipRequest): boolean {
  const top = splitList(request.headers.get('Via') ?? '')[0];
  if (top === undefined) return false;
  try {
    return request.topVia.host !== '';
  } catch (error) {
    if (error instanceof SipError) return false;
    throw error;
  }
}
