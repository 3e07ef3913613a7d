// Which targets of the trunks work, as far as calls and OPTIONS have shown. A target that does not is tried last, never left out: the
// knowledge may be old, and a call that nobody takes is lost.
import type { Candidate, Target } from '@sidestream/routing';
import type { MonotonicClock } from './ports.js';

/** How long a target that a call could not reach is tried last, unless something is heard of it. */
const avoidedMs = 30_000;

interface TargetState {
  /** By OPTIONS, where they are sent. */
  up: boolean;
  failures: number;
  avoidedUntilMs: number;
}

export class TargetStates {
  /** Never more than the configuration has targets. */
  readonly #states = new Map<string, TargetState>();
  readonly #clock: MonotonicClock;

  constructor(clock: MonotonicClock) {
    this.#clock = clock;
  }

  /** The same targets, those that work first; otherwise in their order. */
  order(candidates: readonly Candidate[]): readonly Candidate[] {
    const now = this.#clock();
    const works = (candidate: Candidate) => {
      const state = this.#states.get(nameOf(candidate));
      return state === undefined || (state.up && state.avoidedUntilMs <= now);
    };
    return [...candidates.filter(works), ...candidates.filter((candidate) => !works(candidate))];
  }

  isUp(target: Target): boolean {
    return this.#states.get(nameOf(target))?.up ?? true;
  }

  /** What the INVITE of a call has shown: an answer of whatever kind, or that nobody is there. */
  called(target: Target, answered: boolean): void {
    const state = this.#state(target);
    state.avoidedUntilMs = answered ? 0 : this.#clock() + avoidedMs;
  }

  /**
   * What OPTIONS have shown.
   *
   * @param tolerated how many in a row may fail before the target is down.
   * @returns whether it came up or went down by this.
   */
  probed(target: Target, answered: boolean, tolerated: number): boolean {
    const state = this.#state(target);
    const before = state.up;
    state.failures = answered ? 0 : state.failures + 1;
    if (answered) state.avoidedUntilMs = 0;
    state.up = answered || (before && state.failures < tolerated);
    return state.up !== before;
  }

  #state(target: Target): TargetState {
    const name = nameOf(target);
    const known = this.#states.get(name);
    if (known !== undefined) return known;
    const state = { up: true, failures: 0, avoidedUntilMs: 0 };
    this.#states.set(name, state);
    return state;
  }
}

/** Two trunks may have the same target: it works for both or for none. */
export function nameOf({ scheme, hostPort, protocol }: Target): string {
  return `${scheme}:${hostPort};transport=${protocol}`;
}
