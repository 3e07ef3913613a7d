// The SIP text that an application puts into a frame: a start line, a few headers, a body. It is no SIP message yet (no
// Via, often no From, To, Call-ID, CSeq; Content-Length counts JavaScript characters), so the parser of the wire refuses it.
import { Headers } from '@sidestream/sip';

export type AppMessage = AppRequest | AppResponse;

export interface AppRequest {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: string;
  readonly headers: Headers;
  readonly body: Buffer;
}

export interface AppResponse {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** The frame can't be sent; `message` is what the application gets to read. */
export class AppMessageError extends Error {
  override readonly name = 'AppMessageError';
}

/** Header names that drachtio-srf sends in lower case, as RFCs write them. Others stay as the application wrote them. */
const canonicalNames = new Map(
  (
    'Accept Accept-Contact Accept-Encoding Accept-Language Alert-Info Allow Allow-Events Authentication-Info ' +
    'Authorization Call-ID Call-Info Contact Content-Disposition Content-Encoding Content-Language Content-Length ' +
    'Content-Type CSeq Date Error-Info Event Expires From Geolocation History-Info Identity In-Reply-To Join ' +
    'Max-Forwards MIME-Version Min-Expires Min-SE Organization P-Asserted-Identity P-Preferred-Identity Path Priority ' +
    'Privacy Proxy-Authenticate Proxy-Authorization Proxy-Require RAck Reason Record-Route Refer-To Referred-By ' +
    'Reject-Contact Remote-Party-ID Replaces Reply-To Request-Disposition Require Retry-After Route RSeq Server ' +
    'Service-Route Session-Expires Session-ID SIP-ETag SIP-If-Match Subject Subscription-State Supported Timestamp To ' +
    'Unsupported User-Agent Via Warning WWW-Authenticate'
  )
    .split(' ')
    .map((name) => [name.toLowerCase(), name]),
);

/** What the edge alone decides; drachtio-server drops the application's values as well. */
const ownedByEdge = ['Via', 'Route', 'Record-Route', 'RSeq', 'Content-Length'];

const requestLine = /^([\w\-.!%*+`'~]+) (([a-z][a-z0-9+.-]*):[^\s<>"]+) SIP\/2\.0$/i;
const statusLine = /^SIP\/2\.0 ([1-6]\d\d)(?: (.*))?$/;
const fieldLine = /^([\w\-.!%*+`'~]+)[ \t]*:[ \t]*(.*)$/s;

/**
 * Parses what follows the meta line of a `sip` frame. Everything after the blank line is the body.
 *
 * @throws AppMessageError with the words of drachtio-server where it has some.
 */
export function parseAppMessage(sip: Buffer): AppMessage {
  const end = sip.indexOf('\r\n\r\n');
  const head = (end < 0 ? sip : sip.subarray(0, end)).toString('utf8').replace(/(\r\n)+$/, '');
  const body = end < 0 ? Buffer.alloc(0) : sip.subarray(end + 4);
  const [startLine = '', ...lines] = head.split(/\r\n(?![ \t])/);
  const headers = parseHeaders(lines);

  const response = statusLine.exec(startLine);
  if (response) {
    return { kind: 'response', status: Number(response[1]), reason: response[2] ?? '', headers, body };
  }
  const request = requestLine.exec(startLine);
  if (!request?.[1] || !request[2]) throw new AppMessageError(`invalid request-uri: ${startLine}`);
  return { kind: 'request', method: request[1].toUpperCase(), uri: request[2], headers, body };
}

function parseHeaders(lines: readonly string[]): Headers {
  const headers = new Headers();
  for (const line of lines) {
    const [, name, value] = fieldLine.exec(line) ?? [];
    // A bare CR, LF or NUL would become another header for whoever reads the message next.
    if (name === undefined || value === undefined || /[\0\r\n]/.test(value.replace(/\r\n[ \t]/g, ''))) {
      throw new AppMessageError(`invalid header: ${line.slice(0, 80).replace(/[^\x20-\x7e]/g, '?')}`);
    }
    headers.append(canonicalNames.get(name.toLowerCase()) ?? name, value.replace(/\r\n[ \t]+/g, ' ').trim());
  }
  for (const name of ownedByEdge) headers.delete(name);
  return headers;
}
