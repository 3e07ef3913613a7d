// A client transaction at work: runs the effects of its machine on a flow. Knows nothing of dialogs.
import { EventEmitter } from 'node:events';
import type { Clock } from '../clock.js';
import { guarded, type OnFault } from '../guarded.js';
import type { Headers } from '../message/headers.js';
import { serialiseMessage } from '../message/serialise-message.js';
import type { SipRequest, SipResponse } from '../message/sip-message.js';
import { SipError } from '../sip-error.js';
import type { Flow } from '../transport/flow.js';
import type { ClientEffect, ClientEvent, ClientTimer } from './client-fsm.js';
import { type Machine, runMachine } from './fsm.js';
import { ackForFailure, cancelFor } from './hop-requests.js';
import { initialInviteClientState, inviteClientStep } from './invite-client-fsm.js';
import { initialNonInviteClientState, nonInviteClientStep } from './non-invite-client-fsm.js';
import { TimerSet } from './timer-set.js';
import type { TimerValues } from './timer-values.js';
import { asTransportError } from './transport-error.js';

export interface ClientTransactionEvents {
  provisional: [response: SipResponse, flow: Flow];
  /** A final response. A 2xx to an INVITE comes once per copy and per fork (RFC 6026 §7.2): each wants an ACK. */
  final: [response: SipResponse, flow: Flow];
  /** Timer B or F. */
  timeout: [];
  transportError: [error: SipError];
  /** The transaction is gone; always the last event. */
  terminated: [];
}

interface ClientTransactionInit {
  readonly request: SipRequest;
  readonly branch: string;
  readonly flow: Flow;
  readonly clock: Clock;
  readonly timers: TimerValues;
  /** Sends a CANCEL, which is a transaction of its own, RFC 3261 §9.1. */
  readonly sendCancel: (cancel: SipRequest, flow: Flow) => void;
  /** What a listener has thrown. */
  readonly onFault: OnFault;
}

/** One request of ours and what comes of it. Made by TransactionLayer.request. */
export class ClientTransaction extends EventEmitter<ClientTransactionEvents> {
  /** The request as sent, with our Via. */
  readonly request: SipRequest;
  readonly branch: string;
  readonly flow: Flow;
  readonly #bytes: Buffer;
  readonly #machine: Machine<string, ClientEvent, ClientEffect>;
  readonly #timers: TimerSet<ClientTimer>;
  readonly #sendCancel: ClientTransactionInit['sendCancel'];
  readonly #onFault: OnFault;
  #cancelHeaders: Headers | undefined;
  #cancelWanted = false;
  #cancelSent = false;
  #ack: Buffer | undefined;
  #gone = false;

  constructor(init: ClientTransactionInit) {
    super();
    this.request = init.request;
    this.branch = init.branch;
    this.flow = init.flow;
    this.#bytes = serialiseMessage(init.request);
    this.#sendCancel = init.sendCancel;
    this.#onFault = init.onFault;
    const context = { timers: init.timers, reliable: init.flow.reliable };
    this.#machine =
      init.request.method === 'INVITE'
        ? runMachine(initialInviteClientState, inviteClientStep, context)
        : runMachine(initialNonInviteClientState, nonInviteClientStep, context);
    this.#timers = new TimerSet(init.clock, (timer) => this.#dispatch({ type: 'timer', timer }));
  }

  /** State of the machine: calling, trying, proceeding, completed, accepted or terminated. */
  get state(): string {
    return this.#machine.name;
  }

  /** Sends the request; called once, by the layer. */
  start(): void {
    this.#dispatch({ type: 'start' });
  }

  /**
   * Cancels a pending INVITE: at once when a provisional response has come, else as soon as one does (RFC 3261 §9.1).
   * Without effect on anything else. The outcome is a final response (mostly 487, or a 2xx that crossed) or `timeout`.
   */
  cancel(headers?: Headers): void {
    if (this.request.method !== 'INVITE' || this.#cancelWanted) return;
    this.#cancelWanted = true;
    this.#cancelHeaders = headers;
    if (this.#machine.name === 'proceeding') this.#cancelNow();
  }

  /** A response that matches; for the layer. */
  receive(response: SipResponse, flow: Flow): void {
    this.#dispatch({ type: 'response', status: response.status }, { response, flow });
    if (this.#cancelWanted && !this.#cancelSent && this.#machine.name === 'proceeding') this.#cancelNow();
  }

  /** The connection of the request is gone, or the layer ends; for the layer. */
  fail(error: SipError): void {
    this.#dispatch({ type: 'transport-error' }, undefined, error);
  }

  /** Ends without a word to the peer; for the layer. */
  dispose(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#timers.stopAll();
    this.#tell(() => this.emit('terminated'));
  }

  #cancelNow(): void {
    this.#cancelSent = true;
    this.#sendCancel(cancelFor(this.request, this.#cancelHeaders), this.flow);
    this.#dispatch({ type: 'cancel-sent' });
  }

  #dispatch(event: ClientEvent, received?: { response: SipResponse; flow: Flow }, error?: SipError): void {
    if (this.#gone) return;
    for (const effect of this.#machine.dispatch(event)) this.#perform(effect, received, error);
    if (this.#machine.name === 'terminated') this.dispose();
  }

  #perform(effect: ClientEffect, received?: { response: SipResponse; flow: Flow }, error?: SipError): void {
    switch (effect.type) {
      case 'send-request':
        this.#send(this.#bytes);
        return;
      case 'send-ack':
        if (received === undefined) return;
        this.#ack ??= serialiseMessage(ackForFailure(this.request, received.response));
        this.#send(this.#ack);
        return;
      case 'deliver':
        if (received === undefined) return;
        this.#tell(() =>
          this.emit(received.response.status < 200 ? 'provisional' : 'final', received.response, received.flow),
        );
        return;
      case 'inform-timeout':
        this.#tell(() => this.emit('timeout'));
        return;
      case 'inform-transport-error':
        this.#tell(() =>
          this.emit('transportError', error ?? new SipError('transport-failed', 'the request could not be sent')),
        );
        return;
      case 'start-timer':
        this.#timers.start(effect.timer, effect.ms);
        return;
      case 'stop-timer':
        this.#timers.stop(effect.timer);
        return;
    }
  }

  // A listener that throws must not keep the machine from its next effect.
  #tell(emit: () => unknown): void {
    guarded(emit, this.#onFault);
  }

  #send(bytes: Buffer): void {
    this.flow.send(bytes).catch((error: unknown) => {
      // A send may fail before whoever made this transaction could listen, so it is told a turn later.
      setImmediate(() => this.fail(asTransportError(error)));
    });
  }
}
