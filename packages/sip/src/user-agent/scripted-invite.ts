// An INVITE of ours to a peer that the test plays. Not part of the package's door.
import { ManualClock } from '../clock.js';
import { createResponse } from '../message/create-response.js';
import { Headers } from '../message/headers.js';
import type { SipRequest } from '../message/sip-message.js';
import { ScriptedFlow, ScriptedTransports, settle } from '../transaction/scripted-flow.js';
import type { TransportProtocol } from '../transport/flow.js';
import type { InviteOptions, OutgoingInvite } from './outgoing-invite.js';
import { UserAgent } from './user-agent.js';

/** Sends an INVITE on a scripted flow, for tests to answer. */
export async function invite(options: Partial<InviteOptions> = {}, protocol: TransportProtocol = 'tcp') {
  const clock = new ManualClock();
  const transports = new ScriptedTransports();
  const flow = new ScriptedFlow(clock, protocol);
  transports.next = flow;
  const agent = new UserAgent({ transports, clock });
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
  const respond = async (status: number, toTag = 'fork-1', request = sent('INVITE')[0]): Promise<void> => {
    if (request === undefined) throw new Error('no INVITE was sent');
    const headers = new Headers([['Contact', '<sip:srs@192.0.2.2:5060>']]);
    transports.receive(createResponse(request, status, { toTag, headers }), flow);
    await settle();
  };
  return {
    clock,
    agent,
    flow,
    transports,
    sent,
    respond,
    outcome: () => outcome,
    session: () => {
      if (accepted === undefined) throw new Error('the INVITE was not accepted');
      return accepted;
    },
  };
}
