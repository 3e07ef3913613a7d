// A user agent that is called by a peer which the test plays. Not part of the package's door.
import { ManualClock } from '../clock.js';
import { Headers } from '../message/headers.js';
import { tagOf } from '../message/name-addr.js';
import { SipRequest, type SipResponse } from '../message/sip-message.js';
import { ScriptedFlow, ScriptedTransports, settle } from '../transaction/scripted-flow.js';
import type { Flow, TransportProtocol } from '../transport/flow.js';
import type { IncomingInvite } from './incoming-invite.js';
import type { UaDialog } from './ua-dialog.js';
import { UserAgent, type UserAgentOptions } from './user-agent.js';

/** A user agent under test and the peer that the test plays. */
export function peer(options: Partial<UserAgentOptions> = {}, protocol: TransportProtocol = 'tcp') {
  const clock = new ManualClock();
  const transports = new ScriptedTransports();
  const flow = new ScriptedFlow(clock, protocol);
  transports.next = flow;
  const agent = new UserAgent({ transports, clock, product: 'test/1', supported: ['siprec'], ...options });
  const invites: IncomingInvite[] = [];
  let branch = 0;
  const send = (
    method: string,
    o: {
      cseq?: number;
      toTag?: string | undefined;
      branch?: number;
      headers?: [string, string][];
      contact?: boolean;
      body?: string;
      /** The connection that it comes by. */
      on?: Flow;
    } = {},
  ): SipRequest => {
    branch = o.branch ?? branch + 1;
    const headers = new Headers([
      ['Via', `SIP/2.0/TCP 192.0.2.2:5060;branch=z9hG4bK${branch}`],
      ['From', '<sip:alice@192.0.2.2>;tag=alice'],
      ['To', o.toTag === undefined ? '<sip:bob@192.0.2.1>' : `<sip:bob@192.0.2.1>;tag=${o.toTag}`],
      ['Call-ID', 'one-call'],
      ['CSeq', `${o.cseq ?? 1} ${method}`],
      ...(o.contact === false ? [] : [['Contact', '<sip:alice@192.0.2.2:5060>'] as const]),
      ...(o.headers ?? []),
    ]);
    const body = Buffer.from(o.body ?? '');
    const request = new SipRequest({ method, uri: 'sip:bob@192.0.2.1', headers, body });
    transports.receive(request, o.on ?? flow);
    return request;
  };
  const last = (): SipResponse => {
    const { last: message } = flow;
    if (message.kind !== 'response') throw new Error('the last message is a request');
    return message;
  };
  const requests = (method: string): SipRequest[] =>
    flow.sent.flatMap(({ message }) => (message.kind === 'request' && message.method === method ? [message] : []));
  return { clock, transports, flow, agent, invites, send, last, requests };
}

/** A confirmed dialog at the agent under test. */
export async function session(options: Partial<UserAgentOptions> = {}, protocol: TransportProtocol = 'tcp') {
  const world = peer(options, protocol);
  let dialog: UaDialog | undefined;
  world.agent.on('invite', (invite) => {
    world.invites.push(invite);
    dialog = invite.accept({ contact: '<sip:bob@192.0.2.1:5060>', body: 'v=0', contentType: 'application/sdp' });
  });
  world.send('INVITE');
  if (dialog === undefined) throw new Error('not accepted');
  await settle();
  const toTag = tagOf(world.last().to);
  return { ...world, dialog, toTag, ack: (cseq = 1) => world.send('ACK', { cseq, toTag }) };
}
