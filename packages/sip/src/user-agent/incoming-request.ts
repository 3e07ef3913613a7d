// A request of a peer that waits for its answer.
import { EventEmitter } from 'node:events';
import { createResponse } from '../message/create-response.js';
import { Headers } from '../message/headers.js';
import type { SipRequest, SipResponse } from '../message/sip-message.js';
import { SipError } from '../sip-error.js';
import type { ServerTransaction } from '../transaction/server-transaction.js';
import type { Flow } from '../transport/flow.js';
import { bodyOf, type Content, overlay, responseHeaders, type UaCore } from './ua-core.js';

/** What a response says beside its status. */
export interface ResponseContent extends Content {
  readonly reason?: string | undefined;
}

export interface IncomingRequestEvents {
  /** The caller took its INVITE back; it has been answered 487. */
  cancel: [cancel: SipRequest];
  /** The ACK of our 2xx has come. */
  ack: [ack: SipRequest];
  /**
   * A reliable provisional response of ours was acknowledged (RFC 3262). A PRACK with a body, an offer or an answer, has to be
   * answered (without a listener: 488); one without has been answered 200.
   */
  prack: [prack: IncomingRequest];
}

// States in which an answer is out, so that a failing connection says nothing about whether it is wanted.
const answered: ReadonlySet<string> = new Set(['accepted', 'completed', 'confirmed']);

/** A request other than INVITE, in or out of a dialog. It has to be answered. */
export class IncomingRequest extends EventEmitter<IncomingRequestEvents> {
  protected readonly core: UaCore;
  protected readonly transaction: ServerTransaction;
  readonly #abort = new AbortController();
  readonly #contact: string | undefined;

  /** @param contact our Contact where the request may refresh the target of its dialog (UPDATE) */
  constructor(core: UaCore, transaction: ServerTransaction, contact?: string) {
    super();
    this.core = core;
    this.transaction = transaction;
    this.#contact = contact;
    transaction.on('transportError', (error) => {
      if (!answered.has(transaction.state)) this.#abort.abort(error);
    });
    transaction.on('terminated', () => {
      if (transaction.pending) this.#abort.abort(new SipError('transport-failed', 'the user agent was closed'));
    });
  }

  get request(): SipRequest {
    return this.transaction.request;
  }

  /** The request as it came. */
  get bytes(): Buffer {
    return this.transaction.bytes;
  }

  get flow(): Flow {
    return this.transaction.flow;
  }

  /** Aborted when the answer is not wanted any more: CANCEL, the connection is gone, or close(). */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /**
   * Answers. A second final response is not sent.
   * @returns whether the response was handed to the network; never rejects for the network's sake.
   */
  async respond(status: number, content: ResponseContent = {}): Promise<boolean> {
    // RFC 3311 §5.2: the 2xx to an UPDATE carries our Contact.
    if (this.#contact === undefined || status < 200 || status >= 300) {
      return this.transaction.respond(this.response(status, content));
    }
    const headers = overlay(new Headers([['Contact', this.#contact]]), content.headers);
    return this.transaction.respond(this.response(status, { ...content, headers }));
  }

  protected abort(reason: Error): void {
    this.#abort.abort(reason);
  }

  protected response(status: number, content: ResponseContent): SipResponse {
    return answer(this.core, this.transaction, status, content);
  }
}

/** The user agent's response to the request of a transaction. */
export function answer(
  core: UaCore,
  transaction: ServerTransaction,
  status: number,
  content: ResponseContent = {},
): SipResponse {
  const { request, toTag } = transaction;
  const headers = responseHeaders(core, request, status, content);
  return createResponse(request, status, { reason: content.reason, toTag, headers, body: bodyOf(content) });
}
