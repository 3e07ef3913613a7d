// An INVITE of ours to a peer that the test plays. Not part of the package's door.
import { ManualClock } from '../clock.js';
import { createResponse } from '../message/create-response.js';
import { Headers } from '../message/headers.js';
import { SipRequest } from '../message/sip-message.js';
import { ScriptedFlow, ScriptedTransports, settle } from '../transaction/scripted-flow.js';
import type { TransportProtocol } from '../transport/flow.js';
import type { InviteOptions, OutgoingInvite } from './outgoing-invite.js';
import { UserAgent, type UserAgentOptions } from './user-agent.js';

/** Sends an INVITE on a scripted flow, for tests to answer. */
export async function invite(
  options: Partial<InviteOptions> = {},
  protocol: TransportProtocol = 'tcp',
  agentOptions: Partial<UserAgentOptions> = {},
) {
  const clock = new ManualClock();
  const transports = new ScriptedTransports();
  const flow = new ScriptedFlow(clock, protocol);
  transports.next = flow;
  const agent = new UserAgent({ transports, clock, ...agentOptions });
  let outcome: string | undefined;
  let accepted: OutgoingInvite | undefined;
  agent
    .invite({
      target: { protocol, host: '192.0.2.2', port: 5060 },
      uri: 'sip:srs@192.0.2.2',
      from: '<sip:src@192.0.2.1>',
      contact: '<sip:src@192.0.2.1:5060>',
      ...options,
    })
    .then(
      (value) => {
        accepted = value;
        outcome = 'accepted';
      },
      (error: { code: string; status?: number }) => {
        outcome = error.status === undefined ? error.code : `${error.code} ${error.status}`;
      },
    );
  await settle();
  const sent = (method: string): SipRequest[] =>
    flow.sent.flatMap(({ message }) => (message.kind === 'request' && message.method === method ? [message] : []));
  const respond = async (
    status: number,
    toTag = 'fork-1',
    request = sent('INVITE')[0],
    o: { headers?: [string, string][]; body?: string } = {},
  ): Promise<void> => {
    if (request === undefined) throw new Error('no INVITE was sent');
    const headers = new Headers([['Contact', '<sip:srs@192.0.2.2:5060>'], ...(o.headers ?? [])]);
    transports.receive(createResponse(request, status, { toTag, headers, body: Buffer.from(o.body ?? '') }), flow);
    await settle();
  };
  /** A request of the peer within the dialog of that tag. */
  let theirs = 0;
  const receive = async (
    method: string,
    o: { tag?: string; cseq?: number; body?: string; headers?: [string, string][] } = {},
  ) => {
    const [ours] = sent('INVITE');
    if (ours === undefined) throw new Error('no INVITE was sent');
    theirs += 1;
    const headers = new Headers([
      ['Via', `SIP/2.0/${protocol.toUpperCase()} 192.0.2.2:5060;branch=z9hG4bKpeer${theirs}`],
      ['From', `<sip:srs@192.0.2.2>;tag=${o.tag ?? 'fork-1'}`],
      ['To', ours.headers.get('From') ?? ''],
      ['Call-ID', ours.callId],
      ['CSeq', `${o.cseq ?? theirs} ${method}`],
      ['Contact', '<sip:srs@192.0.2.2:5062>'],
      ...(o.headers ?? []),
    ]);
    transports.receive(
      new SipRequest({ method, uri: 'sip:src@192.0.2.1', headers, body: Buffer.from(o.body ?? '') }),
      flow,
    );
    await settle();
    return flow.last;
  };
  return {
    clock,
    agent,
    flow,
    transports,
    sent,
    respond,
    receive,
    outcome: () => outcome,
    session: () => {
      if (accepted === undefined) throw new Error('the INVITE was not accepted');
      return accepted;
    },
  };
}
