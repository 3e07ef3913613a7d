// Flows for tests that need to see what is sent and when, on a manual clock. Not part of the package's door.
import { EventEmitter } from 'node:events';
import type { ManualClock } from '../clock.js';
import { Headers } from '../message/headers.js';
import { parseMessage } from '../message/parse-message.js';
import { serialiseMessage } from '../message/serialise-message.js';
import { type SipMessage, SipRequest } from '../message/sip-message.js';
import { SipError } from '../sip-error.js';
import type { Flow, HostPort, Target, TransportProtocol } from '../transport/flow.js';
import type { TransportEvents } from '../transport/transports.js';

/** A flow that keeps what is sent on it. */
export class ScriptedFlow implements Flow {
  readonly id: string;
  readonly protocol: TransportProtocol;
  readonly reliable: boolean;
  readonly local: HostPort = { host: '192.0.2.1', port: 5060 };
  readonly remote: HostPort;
  readonly sent: { readonly at: number; readonly message: SipMessage }[] = [];
  /** What was sent as bytes: an answer to a malformed request may hold what no parser takes. */
  readonly bytes: Buffer[] = [];
  /** Set to make every send fail. */
  broken = false;
  closed = false;
  readonly #clock: ManualClock;

  constructor(clock: ManualClock, protocol: TransportProtocol, remote: HostPort = { host: '192.0.2.2', port: 5060 }) {
    this.#clock = clock;
    this.protocol = protocol;
    this.reliable = protocol !== 'udp';
    this.remote = remote;
    this.id = `${protocol}:${remote.host}:${remote.port}`;
  }

  async send(bytes: Buffer): Promise<void> {
    if (this.broken || this.closed) throw new SipError('transport-failed', 'the scripted flow is broken');
    this.bytes.push(bytes);
    this.sent.push({ at: this.#clock.now(), message: parseMessage(bytes) });
  }

  close(): void {
    this.closed = true;
  }

  /** Times, in milliseconds, at which messages of that method, or responses of that status, were sent. */
  times(what: string | number): number[] {
    const match = ({ message }: { message: SipMessage }): boolean =>
      message.kind === 'request' ? message.method === what : message.status === what;
    return this.sent.filter(match).map(({ at }) => at);
  }

  /** The last message that was sent. */
  get last(): SipMessage {
    const last = this.sent.at(-1);
    if (last === undefined) throw new Error('nothing was sent');
    return last.message;
  }
}

/** A source of flows whose events the test emits. */
export class ScriptedTransports extends EventEmitter<TransportEvents> {
  readonly dialled: Target[] = [];
  /** The flow that dialling gives. */
  next: Flow | undefined;

  async flow(target: Target): Promise<Flow> {
    this.dialled.push(target);
    if (this.next === undefined) throw new SipError('transport-failed', 'nobody answers');
    return this.next;
  }

  /** Lets a message arrive. */
  receive(message: SipMessage, flow: Flow): void {
    this.emit('message', serialiseMessage(message), flow);
  }
}

/** A request of a peer, or one of ours when `via` is left out. */
export function exampleRequest(
  method: string,
  o: { via?: string; cseq?: number; toTag?: string; headers?: readonly (readonly [string, string])[] } = {},
): SipRequest {
  const headers = new Headers(o.via === undefined ? [] : [['Via', o.via]]);
  headers.append('Max-Forwards', '70');
  headers.append('From', '<sip:alice@example.org>;tag=a');
  headers.append('To', `<sip:bob@example.net>${o.toTag === undefined ? '' : `;tag=${o.toTag}`}`);
  headers.append('Call-ID', 'call-1');
  headers.append('CSeq', `${o.cseq ?? 1} ${method}`);
  headers.append('Contact', '<sip:alice@192.0.2.2:5060>');
  for (const [name, value] of o.headers ?? []) headers.append(name, value);
  return new SipRequest({ method, uri: 'sip:bob@192.0.2.1', headers });
}

/** Lets everything happen that waits for no timer of the clock. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i += 1) await new Promise((resolve) => setImmediate(resolve));
}
