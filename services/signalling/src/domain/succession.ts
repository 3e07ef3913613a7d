// Whose place in a call is being given to somebody else: one at a time. Whoever gives it up may leave before the other one has come, and
// the call waits.
import type { Side } from './offer-answer.js';
import type { Termination } from './termination.js';

/** A place that is being given up. */
export interface Vacancy {
  readonly side: Side;
  /** How the dialog of its holder ended meanwhile; undefined: it is still there. */
  readonly left: Termination | undefined;
  /** Somebody else is there, or nobody will be. Idempotent. */
  close(): void;
}

export class Succession {
  #pending: { side: Side; left: Termination | undefined } | undefined;

  get pending(): boolean {
    return this.#pending !== undefined;
  }

  /** The place of this side is to be given to somebody else. There must be none pending. */
  open(side: Side): Vacancy {
    const place: { side: Side; left: Termination | undefined } = { side, left: undefined };
    this.#pending = place;
    return {
      side,
      get left() {
        return place.left;
      },
      // The next one may be pending while who gave this one up is still hung up on.
      close: () => {
        if (this.#pending === place) this.#pending = undefined;
      },
    };
  }

  /** The dialog of this side is over. True: that is no end of the call, somebody else is awaited in its place. */
  left(side: Side, termination: Termination): boolean {
    if (this.#pending?.side !== side) return false;
    this.#pending.left = termination;
    return true;
  }
}
