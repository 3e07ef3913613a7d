// The CANCEL of an INVITE as applications see it: the transaction layer makes and answers those of the wire.
import { Headers, SipRequest } from '@sidestream/sip';

/** Headers that RFC 3261 §9.1 takes from the INVITE. */
const ofTheInvite = ['Max-Forwards', 'From', 'To', 'Call-ID'];

/** A CANCEL for this INVITE (RFC 3261 §9.1). `extra` adds lines such as Reason. */
export function cancelOf(invite: SipRequest, extra: Headers): SipRequest {
  const headers = new Headers([['Via', invite.headers.values('Via')[0] ?? '']]);
  for (const name of ofTheInvite) headers.append(name, invite.headers.get(name) ?? '');
  headers.append('CSeq', `${invite.cseq.number} CANCEL`);
  for (const [name, value] of extra) headers.append(name, value);
  return new SipRequest({ method: 'CANCEL', uri: invite.uri, headers });
}
