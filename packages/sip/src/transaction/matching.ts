// Which transaction a message belongs to: RFC 3261 §17.1.3 and §17.2.3.

import { tagOf } from '../message/name-addr.js';
import type { SipRequest, SipResponse } from '../message/sip-message.js';
import { magicCookie } from './identifiers.js';

/** Key of a client transaction: our branch and the method of the CSeq, §17.1.3. */
export function clientKey(branch: string, method: string): string {
  return `${method} ${branch}`;
}

/** Key of the client transaction that a response answers. */
export function clientKeyOf(response: SipResponse): string {
  return clientKey(response.topVia.parameters.get('branch') ?? '', response.cseq.method);
}

/**
 * Key of the server transaction that a request opens or, being a copy or an ACK, belongs to: branch, sent-by and method,
 * §17.2.3. `method` asks for another transaction of the same branch: the INVITE that a CANCEL is for, §9.2.
 */
export function serverKeyOf(request: SipRequest, method: string = request.method): string {
  const via = request.topVia;
  const kind = method === 'ACK' ? 'INVITE' : method;
  const sentBy = `${via.host.toLowerCase()}:${via.port ?? ''}`;
  const branch = via.parameters.get('branch') ?? '';
  // A cookie alone names no transaction (RFC 4475 §3.2.1 badbranch).
  if (branch.startsWith(magicCookie) && branch !== magicCookie) return `${kind} ${sentBy} ${branch}`;
  // A client of RFC 2543. The To tag is left out: INVITE and ACK differ in it, and the CSeq number tells a first INVITE
  // from later ones.
  const { callId, cseq, from, uri } = request;
  return JSON.stringify([kind, sentBy, branch, uri, callId, cseq.number, tagOf(from) ?? '']);
}
