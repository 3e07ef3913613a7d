// What can be saved of a malformed request, so that it can be answered at all (RFC 3261 §8.2.6, §21.4.1).
import { SipError } from '../sip-error.js';
import { isToken, trimSpace } from './grammar.js';
import { headerKey } from './header-names.js';
import { Headers } from './headers.js';
import { defaultMessageLimits } from './message-limits.js';
import { skipLineEnds } from './parse-message.js';
import { SipRequest } from './sip-message.js';

const once = new Set(['from', 'to', 'call-id', 'cseq']);
const branchParameter = /;[ \t]*branch[ \t]*=[ \t]*([A-Za-z0-9\-.!%*_+`'~]+)/i;

/**
 * Of a request that parseMessage refused: method, Via lines and the first From, To, Call-ID and CSeq, as far as there are any,
 * to answer 400, 501, 505 or 513. `undefined` for a response and where Via or CSeq is missing, by which the client finds its
 * transaction (RFC 3261 §17.1.3). Only `topVia` of the result is known to be well-formed; the other typed getters may throw.
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
  if (!headers.has('Via') || !headers.has('CSeq')) return undefined;
  const request = new SipRequest({ method, uri, headers });
  return hasWayBack(request) ? request : undefined;
}

// The answer must not carry on what made the request bad: no control characters, no empty values.
function isClean(value: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  return value !== '' && !/[\x00-\x08\x0a-\x1f\x7f]/.test(value);
}

// The top Via is where the answer goes. Of a bad one sent-by and branch are enough (RFC 4475 §3.1.2.1 badinv01); if they cannot
// be read either, there is nobody to answer.
function hasWayBack(request: SipRequest): boolean {
  if (canReadTopVia(request)) return true;
  const [line = '', ...others] = request.headers.all('Via');
  const sentBy = trimSpace(line.slice(0, Math.max(0, line.search(/[;,]|$/))));
  const branch = branchParameter.exec(line)?.[1];
  request.headers.set('Via', branch === undefined ? sentBy : `${sentBy};branch=${branch}`, ...others);
  return canReadTopVia(request);
}

function canReadTopVia(request: SipRequest): boolean {
  try {
    return request.topVia.host !== '';
  } catch (error) {
    if (error instanceof SipError) return false;
    throw error;
  }
}
