// Answers outside transactions, and the flow that an answer takes (RFC 3261 §8.2.7, §18.2.2).
import { createResponse } from '../message/create-response.js';
import type { Headers } from '../message/headers.js';
import { salvageRequest } from '../message/salvage-request.js';
import { serialiseMessage } from '../message/serialise-message.js';
import type { SipRequest } from '../message/sip-message.js';
import type { SipError } from '../sip-error.js';
import type { Flow, Target } from '../transport/flow.js';
import { statelessTag } from './identifiers.js';
import { separateResponsePort, stampSource } from './via-stamp.js';

export class StatelessAnswers {
  readonly #transports: { flow(target: Target): Promise<Flow> };

  constructor(transports: { flow(target: Target): Promise<Flow> }) {
    this.#transports = transports;
  }

  /** Where the answer goes when that is not the flow of the request. */
  flowFor(request: SipRequest, flow: Flow): Promise<Flow> | undefined {
    const port = separateResponsePort(request, flow);
    if (port === undefined) return undefined;
    const { protocol, remote, local } = flow;
    return this.#transports.flow({ protocol, host: remote.host, port, local });
  }

  /** Answers, with the same To tag for every copy. */
  respond(request: SipRequest, status: number, flow: Flow, headers?: Headers): void {
    const response = createResponse(request, status, {
      toTag: statelessTag(request),
      ...(headers === undefined ? {} : { headers }),
    });
    const bytes = serialiseMessage(response);
    const elsewhere = this.flowFor(request, flow);
    const sent = elsewhere === undefined ? flow.send(bytes) : elsewhere.then((other) => other.send(bytes));
    // Nobody waits for this answer; a client that misses it sends its request again.
    sent.catch(() => undefined);
  }

  /** Refuses what could not be parsed. @returns false where it is no request that could be answered */
  refuse(bytes: Buffer, flow: Flow, error: SipError): boolean {
    if (error.status === undefined) return false;
    const request = salvageRequest(bytes);
    if (request === undefined || request.method === 'ACK') return false;
    stampSource(request, flow);
    this.respond(request, error.status, flow);
    return true;
  }
}
