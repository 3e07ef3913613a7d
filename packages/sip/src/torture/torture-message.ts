// The messages of RFC 4475 and RFC 5118 by name, and what a user agent does with one. For tests; not part of the package's door.
import { readFileSync } from 'node:fs';
import { ManualClock } from '../clock.js';
import { Headers } from '../message/headers.js';
import { formatNameAddr } from '../message/name-addr.js';
import { parseMessage } from '../message/parse-message.js';
import { SipRequest, SipResponse } from '../message/sip-message.js';
import type { SipError } from '../sip-error.js';
import { ScriptedFlow, ScriptedTransports, settle } from '../transaction/scripted-flow.js';
import type { IncomingInvite } from '../user-agent/incoming-invite.js';
import type { IncomingRequest } from '../user-agent/incoming-request.js';
import { UserAgent, type UserAgentOptions } from '../user-agent/user-agent.js';

export type Rfc = 'rfc4475' | 'rfc5118';

/** The bytes of a message, as they would arrive in a datagram. */
export function tortureBytes(name: string, rfc: Rfc = 'rfc4475'): Buffer {
  return readFileSync(new URL(`../../torture/${rfc}/${name}.dat`, import.meta.url));
}

export function tortureRequest(name: string, rfc?: Rfc): SipRequest {
  const message = parseMessage(tortureBytes(name, rfc));
  if (message instanceof SipRequest) return message;
  throw new Error(`${name} is a response`);
}

export function tortureResponse(name: string, rfc?: Rfc): SipResponse {
  const message = parseMessage(tortureBytes(name, rfc));
  if (message instanceof SipResponse) return message;
  throw new Error(`${name} is a request`);
}

/** What became of a message at a user agent. */
export interface Outcome {
  /** Statuses that were answered, 100 left out. */
  readonly statuses: readonly number[];
  /** The last answer as text: one to a malformed message may hold what no parser takes. */
  readonly answer: string;
  /** Why the message was refused as such. */
  readonly error: SipError | undefined;
  /** Where the answer went. */
  readonly answeredTo: { readonly host: string; readonly port: number };
  /** Header lines of that name in the last answer. */
  header(name: string): readonly string[];
}

export interface Listeners {
  readonly invite?: (invite: IncomingInvite) => void;
  readonly request?: (request: IncomingRequest) => void;
}

/** Lets a user agent receive bytes in a datagram from 192.0.2.2:5060. Fails when anything is thrown or left behind. */
export async function receive(
  bytes: Buffer,
  options: Partial<UserAgentOptions> = {},
  listeners: Listeners = {},
): Promise<Outcome> {
  const clock = new ManualClock();
  const transports = new ScriptedTransports();
  const flow = new ScriptedFlow(clock, 'udp');
  transports.next = flow;
  const agent = new UserAgent({ transports, clock, ...options });
  const faults: Error[] = [];
  let error: SipError | undefined;
  agent.on('fault', (fault) => faults.push(fault));
  agent.on('malformed', (problem) => {
    error = problem;
  });
  if (listeners.invite !== undefined) agent.on('invite', listeners.invite);
  if (listeners.request !== undefined) agent.on('request', listeners.request);
  transports.emit('message', bytes, flow);
  await settle();
  const answers = flow.bytes
    .map(String)
    .filter((text) => text.startsWith('SIP/2.0 ') && !text.startsWith('SIP/2.0 100'));
  const statuses = answers.map((text) => Number(text.slice(8, 11)));
  const answer = answers.at(-1) ?? '';
  await agent.close();
  const [fault] = faults;
  if (fault !== undefined) throw fault;
  if (agent.transactions + agent.dialogs + clock.pending > 0) throw new Error('something is left behind');
  const [dialled] = transports.dialled;
  return {
    statuses,
    answer,
    error,
    answeredTo: dialled === undefined ? flow.remote : { host: dialled.host, port: dialled.port },
    header: (name) =>
      answer
        .split('\r\n')
        .filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))
        .map((line) => line.slice(name.length + 1).trim()),
  };
}

/** Answers as a registrar does: with the Contacts as they were understood. */
export function giveContactsBack(incoming: IncomingRequest): void {
  const contacts = incoming.request.contacts.map((contact) => ['Contact', formatNameAddr(contact)] as const);
  void incoming.respond(200, { headers: new Headers(contacts) });
}
