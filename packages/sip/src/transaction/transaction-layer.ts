// The transaction layer (RFC 3261 §17): turns bytes on flows into transactions and back. Owns the transactions; knows no
// dialogs, no routing and no addresses, and sends nothing but on a flow that it was given.
import { EventEmitter } from 'node:events';
import { type Clock, systemClock } from '../clock.js';
import { guarded } from '../guarded.js';
import { createResponse } from '../message/create-response.js';
import { Headers } from '../message/headers.js';
import type { MessageLimits } from '../message/message-limits.js';
import { tagOf } from '../message/name-addr.js';
import { parseMessage } from '../message/parse-message.js';
import { serialiseMessage } from '../message/serialise-message.js';
import type { SipMessage, SipRequest, SipResponse } from '../message/sip-message.js';
import { SipError } from '../sip-error.js';
import type { Flow, Target } from '../transport/flow.js';
import type { TransportEvents } from '../transport/transports.js';
import { ClientTransaction } from './client-transaction.js';
import { FlowIndex } from './flow-index.js';
import { newBranch } from './identifiers.js';
import { clientKey, clientKeyOf, serverKeyOf } from './matching.js';
import { ServerTransaction } from './server-transaction.js';
import { StatelessAnswers } from './stateless-answers.js';
import { defaultTimers, type TimerValues } from './timer-values.js';
import { hasForeignVia, stampSource, type ViaHost, withVia } from './via-stamp.js';

/** The part of Transports that the layer and the user agent use. */
export type FlowSource = EventEmitter<TransportEvents> & {
  flow(target: Target, signal?: AbortSignal): Promise<Flow>;
};

export interface TransactionLayerEvents {
  /** A new request, never an ACK or a CANCEL. Someone has to answer it. */
  request: [transaction: ServerTransaction];
  /** An ACK that belongs to no transaction: mostly that of a 2xx. */
  ack: [ack: SipRequest, flow: Flow];
  /** A response that answers nothing we know; RFC 6026 §8 forbids to forward it. */
  strayResponse: [response: SipResponse, flow: Flow];
  /** Something that is no SIP message has come; `answered` says whether it was a request that could be refused. */
  malformed: [error: SipError, flow: Flow, answered: boolean];
  /** A request was answered 503 because too many transactions are open. */
  refused: [request: SipRequest, flow: Flow];
  /** A message was dropped without a word, as `receive` wanted. */
  dropped: [flow: Flow];
  /** A listener, or this package, has thrown where it should not. It has cost one request at most, which was answered 500. */
  fault: [error: Error];
}

export interface TransactionLayerOptions {
  readonly transports: FlowSource;
  readonly clock?: Clock | undefined;
  readonly timers?: Partial<TimerValues> | undefined;
  /**
   * Server transactions, and client transactions, that may be open at a time. Default 20000 each. Requests with a To tag may
   * have a quarter more, so that the calls that there are can still be ended.
   */
  readonly maxTransactions?: number | undefined;
  /** Limits of received messages; those of the transports. */
  readonly limits?: MessageLimits | undefined;
  /** Sent-by of our Via, default the local address of the flow. */
  readonly viaHost?: ViaHost | undefined;
  /** When an unanswered INVITE gets its 100: 0 (default) = at once, 200 = as RFC 3261 §17.2.1 has it. */
  readonly tryingDelayMs?: number | undefined;
  /** Answer a cancelled INVITE 487 before the `cancel` event. Default false: the owner does. */
  readonly autoTerminate?: boolean | undefined;
  /** Asked for each new request but ACK, and with undefined for what can't be read. Default: everything is served. */
  readonly receive?: ((request: SipRequest | undefined, flow: Flow) => Reception) | undefined;
}

/**
 * What becomes of a new request. `quietly`: a sender who may not be who it seems gets no more than it sends: 100 only after
 * 200 ms, and a refusal that nothing came before is not repeated by itself (RFC 3261 §26.3.2.4).
 */
export type Reception = 'serve' | 'quietly' | 'drop';

const retryAfterSeconds = '5';
const quietTryingMs = 200;
const inDialogShare = 1.25;

/** RFC 3261 §17 over the given transports. */
export class TransactionLayer extends EventEmitter<TransactionLayerEvents> {
  readonly clock: Clock;
  readonly timers: TimerValues;
  readonly #options: TransactionLayerOptions;
  readonly #stateless: StatelessAnswers;
  readonly #max: number;
  readonly #clients = new Map<string, ClientTransaction>();
  readonly #servers = new Map<string, ServerTransaction>();
  readonly #byFlow = new FlowIndex<Flow, ClientTransaction | ServerTransaction>();
  #closed = false;

  constructor(options: TransactionLayerOptions) {
    super();
    this.#options = options;
    this.#stateless = new StatelessAnswers(options.transports);
    this.clock = options.clock ?? systemClock;
    this.timers = { ...defaultTimers, ...options.timers };
    this.#max = options.maxTransactions ?? 20_000;
    options.transports.on('message', this.#onMessage);
    options.transports.on('closed', this.#onFlowClosed);
  }

  /** Number of open transactions. */
  get size(): number {
    return this.#clients.size + this.#servers.size;
  }

  /**
   * Sends a request in a new client transaction. The request itself is not changed; the transaction's copy carries our Via.
   * Listeners attached before the next turn of the event loop miss nothing.
   * @throws SipError `not-possible` when the layer is closed or too many client transactions are open.
   */
  request(request: SipRequest, flow: Flow): ClientTransaction {
    const branch = newBranch();
    return this.#start(withVia(request, flow, branch, this.#options.viaHost), branch, flow);
  }

  /** A copy of the request with a Via of ours, for requests that are sent outside transactions: the ACK of a 2xx. */
  withVia(request: SipRequest, flow: Flow): SipRequest {
    return withVia(request, flow, newBranch(), this.#options.viaHost);
  }

  /** Sends a message outside any transaction. A request without Via gets ours. @throws SipError `transport-failed` */
  async sendStateless(message: SipMessage, flow: Flow): Promise<void> {
    const bare = message.kind === 'request' && !message.headers.has('Via');
    await flow.send(serialiseMessage(bare ? this.withVia(message, flow) : message));
  }

  /**
   * Runs code of whoever stands above. What it throws becomes a `fault` event and, where it was about to handle a request,
   * costs that request alone: it is answered 500 unless it has its final response.
   */
  protect(run: () => unknown, handled?: ServerTransaction): void {
    guarded(run, (error) => {
      try {
        this.emit('fault', error);
      } finally {
        if (handled?.pending) {
          void handled.respond(createResponse(handled.request, 500, { toTag: handled.toTag }));
        }
      }
    });
  }

  /** Ends every transaction and timer; pending client transactions report `transportError`. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.transports.off('message', this.#onMessage);
    this.#options.transports.off('closed', this.#onFlowClosed);
    const error = new SipError('transport-failed', 'the transaction layer was closed');
    for (const client of [...this.#clients.values()]) {
      client.fail(error);
      client.dispose();
    }
    for (const server of [...this.#servers.values()]) server.dispose();
  }

  #start(request: SipRequest, branch: string, flow: Flow): ClientTransaction {
    if (this.#closed) throw new SipError('not-possible', 'the transaction layer is closed');
    if (this.#clients.size >= this.#max) throw new SipError('not-possible', 'too many client transactions are open');
    const { clock, timers } = this;
    const sendCancel = (cancel: SipRequest, on: Flow): void => {
      if (!this.#closed && this.#clients.size < this.#max) this.#start(cancel, branch, on);
    };
    const onFault = this.#onFault;
    const transaction = new ClientTransaction({ request, branch, flow, clock, timers, sendCancel, onFault });
    this.#track(this.#clients, clientKey(branch, request.method), transaction);
    transaction.start();
    return transaction;
  }

  #track<T extends ClientTransaction | ServerTransaction>(map: Map<string, T>, key: string, transaction: T): void {
    const { flow } = transaction;
    map.set(key, transaction);
    if (flow.reliable) this.#byFlow.add(flow, transaction);
    const forget = (): void => {
      map.delete(key);
      this.#byFlow.delete(flow, transaction);
    };
    if (transaction instanceof ClientTransaction) transaction.once('terminated', forget);
    else transaction.once('terminated', forget);
  }

  readonly #onFault = (error: Error): void => {
    this.emit('fault', error);
  };

  readonly #onMessage = (bytes: Buffer, flow: Flow): void => {
    guarded(() => this.#receive(bytes, flow), this.#onFault);
  };

  #receive(bytes: Buffer, flow: Flow): void {
    let message: SipMessage;
    try {
      message = parseMessage(bytes, { stream: flow.reliable, limits: this.#options.limits });
    } catch (error) {
      if (!(error instanceof SipError)) throw error;
      if (this.#reception(undefined, flow) === 'drop') return;
      this.emit('malformed', error, flow, this.#stateless.refuse(bytes, flow, error));
      return;
    }
    if (message.kind === 'response') this.#onResponse(message, flow);
    else this.#onRequest(message, bytes, flow);
  }

  readonly #onFlowClosed = (flow: Flow, error?: SipError): void => {
    const reason = error ?? new SipError('transport-failed', 'the connection was closed');
    for (const transaction of this.#byFlow.of(flow)) transaction.fail(reason);
  };

  #onResponse(response: SipResponse, flow: Flow): void {
    const client = this.#clients.get(clientKeyOf(response));
    if (client === undefined || hasForeignVia(response, client.request)) this.emit('strayResponse', response, flow);
    else client.receive(response, flow);
  }

  #onRequest(request: SipRequest, bytes: Buffer, flow: Flow): void {
    const key = serverKeyOf(request);
    const known = this.#servers.get(key);
    if (known !== undefined) {
      known.receive(request, flow);
      return;
    }
    if (request.method === 'ACK') {
      this.emit('ack', request, flow);
      return;
    }
    stampSource(request, flow);
    const invite = request.method === 'CANCEL' ? this.#servers.get(serverKeyOf(request, 'INVITE')) : undefined;
    const reception = invite === undefined ? this.#reception(request, flow) : 'serve';
    if (reception === 'drop') return;
    // A CANCEL that matches makes room, so it is not subject to the bound.
    if (invite === undefined && this.#isFull(request)) {
      this.#stateless.respond(request, 503, flow, new Headers([['Retry-After', retryAfterSeconds]]));
      this.emit('refused', request, flow);
      return;
    }
    const transaction = this.#serve(request, bytes, flow, reception === 'quietly');
    this.#track(this.#servers, key, transaction);
    this.protect(() => {
      transaction.start();
      if (request.method === 'CANCEL') this.#onCancel(transaction, invite);
      else this.emit('request', transaction);
    }, transaction);
  }

  #isFull(request: SipRequest): boolean {
    const max = tagOf(request.to) === undefined ? this.#max : Math.ceil(this.#max * inDialogShare);
    return this.#servers.size >= max;
  }

  #reception(request: SipRequest | undefined, flow: Flow): Reception {
    const reception = this.#options.receive?.(request, flow) ?? 'serve';
    if (reception === 'drop') this.emit('dropped', flow);
    return reception;
  }

  #serve(request: SipRequest, bytes: Buffer, flow: Flow, quiet: boolean): ServerTransaction {
    const { clock, timers } = this;
    const onFault = this.#onFault;
    const tryingDelayMs = quiet ? quietTryingMs : (this.#options.tryingDelayMs ?? 0);
    const responseFlow = this.#stateless.flowFor(request, flow);
    // Whoever sends the response sees the failure; until then it must not count as unhandled.
    responseFlow?.catch(() => undefined);
    const deliverAck = (ack: SipRequest, on: Flow): boolean => this.emit('ack', ack, on);
    const init = { request, bytes, flow, responseFlow, clock, timers, tryingDelayMs, quiet, deliverAck, onFault };
    return new ServerTransaction(init);
  }

  /** RFC 3261 §9.2. */
  #onCancel(cancel: ServerTransaction, invite: ServerTransaction | undefined): void {
    const { request } = cancel;
    if (invite === undefined) {
      void cancel.respond(createResponse(request, 481, { toTag: cancel.toTag }));
      return;
    }
    void cancel.respond(createResponse(request, 200, { toTag: invite.toTag }));
    if (!invite.pending) return;
    if (this.#options.autoTerminate) {
      void invite.respond(createResponse(invite.request, 487, { toTag: invite.toTag }));
    }
    this.protect(() => invite.emit('cancel', request), invite);
  }
}
