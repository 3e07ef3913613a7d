// Reliable provisional responses to one INVITE: runs the rules of sending.ts on its server transaction.
import { randomInt } from 'node:crypto';
import { hasOptionTag } from '../message/option-tags.js';
import type { SipRequest, SipResponse } from '../message/sip-message.js';
import { SipError } from '../sip-error.js';
import type { ServerTransaction } from '../transaction/server-transaction.js';
import { TimerSet } from '../transaction/timer-set.js';
import { rackIn } from './rack.js';
import {
  initialReliableState,
  maySendReliable,
  type ReliableEvent,
  type ReliableState,
  type ReliableTimer,
  reliableStep,
} from './sending.js';

export interface ReliableResponsesOptions {
  /** No PRACK came in 64*T1: the INVITE is to be rejected with a 5xx (RFC 3262 §3). */
  readonly onGaveUp: () => void;
}

interface Outgoing {
  readonly response: SipResponse;
  readonly onSent: () => void;
}

/** All responses to an INVITE go through it from the first reliable one on. */
export class ReliableResponses {
  readonly #transaction: ServerTransaction;
  readonly #options: ReliableResponsesOptions;
  readonly #timers: TimerSet<ReliableTimer>;
  #state: ReliableState<Outgoing>;

  constructor(transaction: ServerTransaction, options: ReliableResponsesOptions) {
    this.#transaction = transaction;
    this.#options = options;
    this.#timers = new TimerSet(transaction.clock, (timer) => this.#dispatch({ type: 'timer', timer }));
    this.#state = initialReliableState(transaction.request.cseq.number, randomInt(1, 2 ** 31));
    transaction.once('terminated', () => this.stop());
  }

  /**
   * Sends a 101-199 reliably, as soon as the one before it has been acknowledged. It gets RSeq and `Require: 100rel`.
   *
   * @returns the response as it goes on the wire.
   * @throws SipError `not-possible` after a final response, and when too many wait already.
   */
  send(response: SipResponse): SipResponse {
    if (!maySendReliable(this.#state)) throw new SipError('not-possible', 'no reliable response can be given now');
    const numbered = response.clone();
    numbered.headers.set('RSeq', String(this.#state.nextRSeq));
    if (!hasOptionTag(numbered, 'Require', '100rel')) numbered.headers.append('Require', '100rel');
    const hasSession = numbered.body.length > 0;
    this.#dispatch({ type: 'send', response: { response: numbered, onSent: () => undefined }, hasSession });
    return numbered;
  }

  /** Sends the final response, a 2xx perhaps not before a PRACK has come. `onSent` is called when it is out. */
  final(response: SipResponse, onSent: () => void = () => undefined): void {
    this.#dispatch({ type: 'final', status: response.status, response: { response, onSent } });
  }

  /**
   * Takes a PRACK. `onAccepted` is called before anything is sent that has waited for it.
   *
   * @returns true when it is to be answered 2xx, false for 481.
   * @throws SipError `malformed` for a RAck that is missing or bad (400).
   */
  acknowledge(prack: SipRequest, onAccepted: () => void = () => undefined): boolean {
    let accepted = false;
    this.#dispatch({ type: 'prack', rack: rackIn(prack) }, () => {
      accepted = true;
      onAccepted();
    });
    return accepted;
  }

  /** Ends the repeats. Idempotent. */
  stop(): void {
    this.#timers.stopAll();
  }

  #dispatch(event: ReliableEvent<Outgoing>, onPrackAccepted: () => void = () => undefined): void {
    const { state, effects } = reliableStep(this.#state, event, this.#transaction.timers);
    this.#state = state;
    for (const effect of effects) {
      switch (effect.type) {
        case 'send-provisional':
        case 'send-final':
          void this.#transaction.respond(effect.response.response);
          effect.response.onSent();
          break;
        case 'accept-prack':
          onPrackAccepted();
          break;
        case 'refuse-prack':
          break;
        case 'give-up':
          this.#options.onGaveUp();
          break;
        case 'start-timer':
          this.#timers.start(effect.timer, effect.ms);
          break;
        case 'stop-timer':
          this.#timers.stop(effect.timer);
          break;
      }
    }
  }
}
