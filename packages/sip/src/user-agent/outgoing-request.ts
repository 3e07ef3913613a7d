// Requests that begin something: RFC 3261 §8.1.1.
import { Headers } from '../message/headers.js';
import { formatNameAddr, parseNameAddr } from '../message/name-addr.js';
import { SipRequest } from '../message/sip-message.js';
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

/** Builds a request with CSeq 1. @throws SipError `malformed` for addresses that cannot be read. */
export function outgoingRequest(
  core: UaCore,
  method: string,
  address: RequestAddress,
  content: Content,
  contact?: string,
): SipRequest {
  const from = parseNameAddr(address.from, 'From');
  const tagged = from.parameters.has('tag') ? from.parameters : new Map([...from.parameters, ['tag', newTag()]]);
  const headers = new Headers([
    ['Max-Forwards', '70'],
    ['From', formatNameAddr({ ...from, parameters: tagged })],
    ['To', formatNameAddr(parseNameAddr(address.to ?? `<${address.uri}>`, 'To'))],
    ['Call-ID', address.callId ?? newCallId()],
    ['CSeq', `1 ${method}`],
    ...(contact === undefined ? [] : [['Contact', contact] as const]),
  ]);
  overlay(headers, requestHeaders(core, method, content));
  return new SipRequest({ method, uri: address.uri, headers, body: bodyOf(content) });
}
