// What the edge adds to the bare messages of an application so that they are SIP: pure, no transport, no state.
// Via belongs to the transaction layer and Content-Length to the serialiser.
import { createResponse, formatNameAddr, Headers, parseNameAddr, SipRequest, type SipResponse } from '@sidestream/sip';
import { AppMessageError, type AppRequest, type AppResponse } from './app-message.js';
import { defaultContact, defaultFrom, type LocalAddress, ownContact, replaceLocalhost } from './local-address.js';

/** Values that the edge gives to a new request where the application gave none. */
export interface NewRequestDefaults {
  readonly callId: string;
  readonly fromTag: string;
  readonly cseq: number;
}

/** Methods whose request carries a Contact by which the far side reaches us (as drachtio-server adds it). */
const withContact = new Set(['INVITE', 'SUBSCRIBE', 'REFER']);
const withLocalhost = ['From', 'To', 'Contact', 'P-Asserted-Identity'];
const completedHere = ['From', 'To', 'Call-ID', 'CSeq', 'Max-Forwards', 'Contact'];

/**
 * Completes a request outside a dialog: Max-Forwards, From with a tag, To, Call-ID, CSeq, Contact, Content-Type.
 * From tag, Call-ID and CSeq number of the application are kept (a retry with credentials needs that).
 *
 * @throws AppMessageError for a body of unknown type or a header that can't be parsed.
 */
export function completeRequest(message: AppRequest, local: LocalAddress, defaults: NewRequestDefaults): SipRequest {
  const given = withoutLocalhost(message.headers, local);
  const headers = new Headers();
  headers.append('Max-Forwards', given.get('Max-Forwards') ?? '70');
  headers.append('From', withTag(given.get('From') ?? defaultFrom(local), defaults.fromTag));
  // The URI goes between angle brackets whole; drachtio-server lets its parameters slip out of them.
  headers.append('To', nameAddr('To', given.get('To') ?? `<${message.uri.replace(/\?.*$/, '')}>`));
  headers.append('Call-ID', given.get('Call-ID') ?? defaults.callId);
  headers.append('CSeq', `${cseqNumber(given) ?? defaults.cseq} ${message.method}`);
  for (const contact of contactsOf(message.method, given, local)) headers.append('Contact', contact);
  appendOthers(headers, given);
  addContentType(headers, message.body, 'missing content-type');
  return new SipRequest({ method: message.method, uri: message.uri, headers, body: message.body });
}

/**
 * Headers of a request inside a dialog, without those that the dialog decides (From, To, Call-ID, CSeq, Route).
 *
 * @throws AppMessageError for a body of unknown type.
 */
export function completeInDialogHeaders(message: AppRequest, local: LocalAddress): Headers {
  const given = withoutLocalhost(message.headers, local);
  const headers = new Headers();
  for (const contact of contactsOf(message.method, given, local)) headers.append('Contact', contact);
  appendOthers(headers, given);
  addContentType(headers, message.body, 'Server error: missing content-type');
  return headers;
}

/**
 * Completes a response of the application (RFC 3261 §8.2.6): everything that ties it to the request comes from the
 * request. Contact is added to what makes or refreshes an INVITE dialog (§12.1.1; RFC 3311), provisional responses included.
 *
 * @throws AppMessageError for a body of unknown type.
 */
export function completeResponse(
  request: SipRequest,
  message: AppResponse,
  local: LocalAddress,
  toTag: string | undefined,
): SipResponse {
  const given = withoutLocalhost(message.headers, local);
  const headers = new Headers();
  const { status } = message;
  const makesDialog = request.method === 'INVITE' && status > 100 && status < 300;
  // RFC 3311 §5.2, table 1: mandatory in the 2xx to an UPDATE, which refreshes the target as well.
  const refreshesTarget = request.method === 'UPDATE' && status >= 200 && status < 300;
  const contacts = given.all('Contact');
  if (makesDialog || refreshesTarget)
    headers.append('Contact', ownContact(contacts[0] ?? defaultContact(local), local));
  else for (const contact of contacts) headers.append('Contact', contact);
  appendOthers(headers, given);
  addContentType(headers, message.body, 'missing content-type');
  return createResponse(request, message.status, {
    ...(message.reason === '' ? {} : { reason: message.reason }),
    ...(toTag === undefined ? {} : { toTag }),
    headers,
    body: message.body,
  });
}

/** The tag that the application wants in To (drachtio-srf lets it choose), if it is a token. */
export function wantedToTag(message: AppResponse): string | undefined {
  return /;\s*tag=([\w\-.!%*+`'~]+)\s*$/.exec(message.headers.get('To') ?? '')?.[1];
}

function withoutLocalhost(headers: Headers, local: LocalAddress): Headers {
  const copy = headers.clone();
  for (const name of withLocalhost) {
    if (copy.has(name)) copy.set(name, ...copy.all(name).map((value) => replaceLocalhost(value, local)));
  }
  return copy;
}

function contactsOf(method: string, given: Headers, local: LocalAddress): string[] {
  // A REGISTER's Contact is what the registrar shall store: the application's business alone.
  if (method === 'REGISTER') return given.all('Contact');
  const [first] = given.values('Contact');
  if (first !== undefined) return [ownContact(first, local)];
  return withContact.has(method) ? [defaultContact(local)] : [];
}

function withTag(value: string, tag: string): string {
  const from = parsed('From', value);
  return from.parameters.has('tag')
    ? formatNameAddr(from)
    : formatNameAddr({ ...from, parameters: new Map([...from.parameters, ['tag', tag]]) });
}

function nameAddr(name: string, value: string): string {
  return formatNameAddr(parsed(name, value));
}

function parsed(name: string, value: string): ReturnType<typeof parseNameAddr> {
  try {
    return parseNameAddr(value);
  } catch {
    throw new AppMessageError(`invalid ${name} header`);
  }
}

function cseqNumber(headers: Headers): number | undefined {
  const [, digits] = /^(\d{1,10})(?:\s|$)/.exec(headers.get('CSeq') ?? '') ?? [];
  const number = Number(digits);
  return digits !== undefined && number < 2 ** 31 ? number : undefined;
}

function appendOthers(headers: Headers, given: Headers): void {
  const others = given.clone();
  for (const name of completedHere) others.delete(name);
  for (const [name, value] of others) headers.append(name, value);
}

function addContentType(headers: Headers, body: Buffer, refusal: string): void {
  if (body.length === 0 || headers.has('Content-Type')) return;
  if (!body.subarray(0, 3).equals(Buffer.from('v=0'))) throw new AppMessageError(refusal);
  headers.append('Content-Type', 'application/sdp');
}
