/**
 * Transports behind a screen: a misbehaving recorder lets requests disappear, answers them without knowing their dialog, or cuts
 * the connection, before its user agent hears of them. What passes is untouched.
 */
import { EventEmitter } from 'node:events';
import {
  createResponse,
  type Flow,
  Headers,
  parseMessage,
  type SipMessage,
  type SipRequest,
  serialiseMessage,
  type Target,
  type TransportEvents,
  type Transports,
} from '@sidestream/sip';
import type { Decision } from './behaviour/behaviour.js';

/** What is done with a request; undefined lets it pass. */
export type Screen = (request: SipRequest) => Decision | undefined;

/** See the module's head. It is what a UserAgent takes for transports. */
export class ScreenedTransports extends EventEmitter<TransportEvents> {
  readonly #transports: Transports;
  readonly #reset: (flow: Flow) => void;

  /** @param screen asked for each request; `undefined` when nothing is screened now, which spares the parsing */
  constructor(transports: Transports, screen: () => Screen | undefined, reset: (flow: Flow) => void) {
    super();
    this.#transports = transports;
    this.#reset = reset;
    transports.on('message', (bytes, flow) => {
      const judge = screen();
      const request = judge && requestIn(bytes);
      const decision = request && judge?.(request);
      if (request === undefined || decision === undefined) this.emit('message', bytes, flow);
      else this.#decide(decision, request, flow);
    });
    transports.on('closed', (flow, error) => this.emit('closed', flow, error));
  }

  flow(target: Target, signal?: AbortSignal): Promise<Flow> {
    return this.#transports.flow(target, signal);
  }

  #decide(decision: Decision, request: SipRequest, flow: Flow): void {
    if (decision === 'reset') this.#reset(flow);
    if (decision === 'reset' || decision === 'silence' || request.method === 'ACK') return;
    const { status, reason, headers } = decision;
    const response = createResponse(request, status, { reason, headers: new Headers(headers ?? []) });
    // Whoever has gone meanwhile needs no answer.
    flow.send(serialiseMessage(response)).catch(() => undefined);
  }
}

function requestIn(bytes: Buffer): SipRequest | undefined {
  let message: SipMessage;
  try {
    message = parseMessage(bytes);
  } catch {
    return undefined;
  }
  return message.kind === 'request' ? message : undefined;
}
