// A server transaction at work: runs the effects of its machine on the flow that the request came on. Knows no dialogs.
import { EventEmitter } from 'node:events';
import type { Clock } from '../clock.js';
import { guarded, type OnFault } from '../guarded.js';
import { createResponse } from '../message/create-response.js';
import { tagOf } from '../message/name-addr.js';
import { serialiseMessage } from '../message/serialise-message.js';
import type { SipRequest, SipResponse } from '../message/sip-message.js';
import { SipError } from '../sip-error.js';
import type { Flow } from '../transport/flow.js';
import { type Machine, runMachine } from './fsm.js';
import { newTag } from './identifiers.js';
import { initialInviteServerState, inviteServerStep } from './invite-server-fsm.js';
import { initialNonInviteServerState, nonInviteServerStep, tryingDelay } from './non-invite-server-fsm.js';
import type { ServerEffect, ServerEvent, ServerTimer } from './server-fsm.js';
import { TimerSet } from './timer-set.js';
import type { TimerValues } from './timer-values.js';
import { asTransportError } from './transport-error.js';

export interface ServerTransactionEvents {
  /** A final response is given, for the first time. */
  final: [status: number];
  /** A CANCEL for this INVITE has come and was answered 200; the owner sends the 487. */
  cancel: [cancel: SipRequest];
  /** The ACK of a final response other than 2xx. */
  ack: [ack: SipRequest];
  /** Timer H: no ACK for a final response other than 2xx. */
  timeout: [];
  /**
   * A response could not be sent, or the connection of an unanswered request is gone: over a stream that ends a transaction
   * which has no final response. Emitted once.
   */
  transportError: [error: SipError];
  /** The transaction is gone; always the last event. */
  terminated: [];
}

interface ServerTransactionInit {
  readonly request: SipRequest;
  readonly bytes: Buffer;
  readonly flow: Flow;
  /** Where responses go when that is not the flow of the request. */
  readonly responseFlow?: Promise<Flow> | undefined;
  readonly clock: Clock;
  readonly timers: TimerValues;
  readonly tryingDelayMs: number;
  /** See Reception. */
  readonly quiet: boolean;
  /** An ACK in Accepted, RFC 6026 §7.1. */
  readonly deliverAck: (ack: SipRequest, flow: Flow) => void;
  /** What a listener has thrown. */
  readonly onFault: OnFault;
}

/** One request of a peer and our answers. Made by TransactionLayer. */
export class ServerTransaction extends EventEmitter<ServerTransactionEvents> {
  /** The request with `received` and `rport` in its top Via. */
  readonly request: SipRequest;
  /** The request as it came. */
  readonly bytes: Buffer;
  readonly flow: Flow;
  readonly clock: Clock;
  readonly timers: TimerValues;
  readonly #init: ServerTransactionInit;
  readonly #machine: Machine<string, ServerEvent, ServerEffect>;
  readonly #running: TimerSet<ServerTimer>;
  #toTag: string | undefined;
  #next: Buffer | undefined;
  #last: Buffer | undefined;
  #sent: Promise<boolean> | undefined;
  #failed = false;
  #gone = false;

  constructor(init: ServerTransactionInit) {
    super();
    this.#init = init;
    this.request = init.request;
    this.bytes = init.bytes;
    this.flow = init.flow;
    this.clock = init.clock;
    this.timers = init.timers;
    const context = { timers: init.timers, reliable: init.flow.reliable, quiet: init.quiet };
    this.#machine =
      init.request.method === 'INVITE'
        ? runMachine(initialInviteServerState, inviteServerStep, context)
        : runMachine(initialNonInviteServerState, nonInviteServerStep, context);
    this.#running = new TimerSet(init.clock, (timer) => this.#dispatch({ type: 'timer', timer }));
  }

  /** State of the machine: trying, proceeding, completed, confirmed, accepted or terminated. */
  get state(): string {
    return this.#machine.name;
  }

  /** True while no final response has been given. */
  get pending(): boolean {
    return this.state === 'trying' || this.state === 'proceeding';
  }

  /** The To tag of our responses: that of the request, else of the last response that had one, else a new one. */
  get toTag(): string {
    this.#toTag ??= tagOf(this.request.to) ?? newTag();
    return this.#toTag;
  }

  /** Answers 100 after its delay; called once, by the layer. */
  start(): void {
    const { tryingDelayMs, timers } = this.#init;
    const delay = this.request.method === 'INVITE' ? tryingDelayMs : tryingDelay(timers);
    this.#dispatch({ type: 'start', tryingDelayMs: delay });
  }

  /**
   * Answers. A 2xx to an INVITE may be given again until its ACK comes: see retransmit2xx.
   * @returns whether the response was handed to the network. False when the state did not allow it (a final response is out
   * already, or RFC 4320 forbids it) and when the flow failed, which is also a `transportError` event. Never rejects.
   */
  respond(response: SipResponse): Promise<boolean> {
    this.#toTag = toTagIn(response) ?? this.#toTag;
    this.#next = serialiseMessage(response);
    this.#sent = undefined;
    const isFirst = this.pending && response.status >= 200;
    this.#dispatch({ type: 'respond', status: response.status });
    if (isFirst && this.#sent !== undefined) this.#tell(() => this.emit('final', response.status));
    return this.#sent ?? Promise.resolve(false);
  }

  /** The request again, or an ACK with its branch; for the layer. */
  receive(request: SipRequest, flow: Flow): void {
    this.#dispatch({ type: request.method === 'ACK' ? 'ack' : 'retransmit' }, request, flow);
  }

  /** The connection of the request is gone; for the layer. */
  fail(error: SipError): void {
    this.#dispatch({ type: 'transport-error' }, undefined, undefined, error);
  }

  /** Ends without a word to the peer; for the layer. */
  dispose(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#running.stopAll();
    this.#tell(() => this.emit('terminated'));
  }

  #dispatch(event: ServerEvent, received?: SipRequest, flow?: Flow, error?: SipError): void {
    if (this.#gone) return;
    for (const effect of this.#machine.dispatch(event)) this.#perform(effect, received, flow, error);
    if (this.#machine.name === 'terminated') this.dispose();
  }

  #perform(effect: ServerEffect, received?: SipRequest, flow?: Flow, error?: SipError): void {
    switch (effect.type) {
      case 'send-trying':
        this.#last = serialiseMessage(createResponse(this.request, 100));
        void this.#send(this.#last);
        return;
      case 'send-response':
        this.#last = this.#next;
        if (this.#last !== undefined) this.#sent = this.#send(this.#last);
        return;
      case 'resend-response':
        if (this.#last !== undefined) void this.#send(this.#last);
        return;
      case 'confirm':
        if (received !== undefined) this.#tell(() => this.emit('ack', received));
        return;
      case 'deliver-ack':
        if (received !== undefined) this.#tell(() => this.#init.deliverAck(received, flow ?? this.flow));
        return;
      case 'inform-timeout':
        this.#tell(() => this.emit('timeout'));
        return;
      case 'inform-transport-error':
        if (this.#failed) return;
        this.#failed = true;
        this.#tell(() =>
          this.emit('transportError', error ?? new SipError('transport-failed', 'the response could not be sent')),
        );
        return;
      case 'start-timer':
        this.#running.start(effect.timer, effect.ms);
        return;
      case 'stop-timer':
        this.#running.stop(effect.timer);
        return;
    }
  }

  // A listener that throws must not keep the machine from its next effect.
  #tell(emit: () => unknown): void {
    guarded(emit, this.#init.onFault);
  }

  async #send(bytes: Buffer): Promise<boolean> {
    const { flow, responseFlow } = this.#init;
    try {
      await (responseFlow === undefined ? flow : await responseFlow).send(bytes);
      return true;
    } catch (error) {
      this.fail(asTransportError(error));
      return false;
    }
  }
}

// A response may carry a To that its owner wrote; one that cannot be read tells no tag, and is no reason to throw here.
function toTagIn(response: SipResponse): string | undefined {
  try {
    return tagOf(response.to);
  } catch {
    return undefined;
  }
}
