// Requests that begin something: RFC 3261 §8.1.1.
import { isSips, sipsContact } from '../dialog/dialog-state.js';
import { Headers } from '../message/headers.js';
import { formatNameAddr, parseNameAddr } from '../message/name-addr.js';
import { SipRequest } from '../message/sip-message.js';
import { malformed } from '../sip-error.js';
import { newCallId, newTag } from '../transaction/identifiers.js';
import { bodyOf, type Content, overlay, requestHeaders, type UaCore } from './ua-core.js';

/** What a request outside dialogs is made of. */
export interface RequestAddress {
  /** Request URI. */
  readonly uri: string;
  /** From as name-addr; a tag in it is kept, else a new one is made. */
  readonly from: string;
  /** To as name-addr, default the request URI. */
  readonly to?: string | undefined;
  /** Default: 32 random hexadecimal digits. */
  readonly callId?: string | undefined;
}

/**
 * Builds a request with CSeq 1. The Contact of one to a SIPS URI, or by way of one, becomes SIPS (RFC 3261 §8.1.1.8).
 * @throws SipError `malformed` for addresses that cannot be read, and for a To with a tag, which would name a dialog
 */
export function outgoingRequest(
  core: UaCore,
  method: string,
  address: RequestAddress,
  content: Content,
  contact?: string,
): SipRequest {
  const from = parseNameAddr(address.from, 'From');
  const to = parseNameAddr(address.to ?? `<${address.uri}>`, 'To');
  if (to.parameters.has('tag')) throw malformed('To: a tag outside a dialog');
  const route = content.headers?.values('Route')[0];
  const secure = isSips(route === undefined ? address.uri : parseNameAddr(route, 'Route').uri) || isSips(address.uri);
  const tagged = from.parameters.has('tag') ? from.parameters : new Map([...from.parameters, ['tag', newTag()]]);
  const headers = new Headers([
    ['Max-Forwards', '70'],
    ['From', formatNameAddr({ ...from, parameters: tagged })],
    ['To', formatNameAddr(to)],
    ['Call-ID', address.callId ?? newCallId()],
    ['CSeq', `1 ${method}`],
    ...(contact === undefined ? [] : [['Contact', secure ? sipsContact(contact) : contact] as const]),
  ]);
  overlay(headers, requestHeaders(core, method, content));
  return new SipRequest({ method, uri: address.uri, headers, body: bodyOf(content) });
}
