// Tells the end of a call: with the time and length that it had when the first end came, and soon after it, also when somebody who is
// to give something back says nothing for seconds. A call that is given back at once is told after the ends of its recordings.
import type { CallEvents, CallFacts, CallSteps } from './ports.js';
import type { Termination } from './termination.js';

/** A BYE has its answer by then, or the one who should send it is not there. */
const tellWithinMs = 500;

export interface CallEndOptions {
  readonly events: Pick<CallEvents & CallSteps, 'callEnded' | 'callReleased'>;
  readonly facts: CallFacts;
  readonly termination: Termination;
  /** Since the answer; 0 without one. */
  readonly durationMs: number;
}

/** Made by the first end. */
export class CallEnd {
  readonly #options: CallEndOptions;
  readonly #at = new Date();
  readonly #timer: NodeJS.Timeout;
  #told = false;

  constructor(options: CallEndOptions) {
    this.#options = options;
    this.#timer = setTimeout(() => this.#tell(), tellWithinMs);
  }

  /** Everything that the call held is given back. */
  released(): void {
    this.#tell();
    this.#options.events.callReleased(this.#options.facts);
  }

  #tell(): void {
    clearTimeout(this.#timer);
    if (this.#told) return;
    this.#told = true;
    const { events, facts, termination, durationMs } = this.#options;
    events.callEnded(facts, termination, { durationMs, endedAt: this.#at });
  }
}
