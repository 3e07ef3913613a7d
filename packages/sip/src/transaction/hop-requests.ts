// The two requests that a client transaction makes from its own: hop-by-hop, with the Via and the Route of the INVITE.
import { Headers } from '../message/headers.js';
import { SipRequest, type SipResponse } from '../message/sip-message.js';

/** The ACK for a final response other than 2xx, RFC 3261 §17.1.1.3. `invite` carries our Via. */
export function ackForFailure(invite: SipRequest, response: SipResponse): SipRequest {
  const ack = hopRequest(invite, 'ACK');
  ack.headers.set('To', response.headers.get('To') ?? invite.headers.get('To') ?? '');
  return ack;
}

/** The CANCEL of an INVITE, RFC 3261 §9.1. `extra` may add lines such as Reason. */
export function cancelFor(invite: SipRequest, extra?: Headers): SipRequest {
  const cancel = hopRequest(invite, 'CANCEL');
  for (const [name, value] of extra ?? []) cancel.headers.append(name, value);
  return cancel;
}

function hopRequest(invite: SipRequest, method: string): SipRequest {
  const headers = new Headers();
  headers.append('Via', invite.headers.values('Via')[0] ?? '');
  for (const route of invite.headers.all('Route')) headers.append('Route', route);
  headers.append('Max-Forwards', '70');
  for (const name of ['From', 'To', 'Call-ID']) headers.append(name, invite.headers.get(name) ?? '');
  headers.append('CSeq', `${invite.cseq.number} ${method}`);
  return new SipRequest({ method, uri: invite.uri, headers });
}
