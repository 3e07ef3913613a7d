// What a trunk's `limits` and `destinations` say of a new call: of the trunk that it comes from and of those it may go to. Whoever calls for
// help is counted and let through.

import type { Candidate, Trunk } from '@sidestream/routing';
import type { DestinationsConfig, TrunkLimitsConfig } from '@sidestream/service';
import { DestinationRules } from './destination-rules.js';
import type { MonotonicClock } from './ports.js';
import { CallSeats, TrunkLimits, type TrunkProblem } from './trunk-limits.js';

export interface GuardedTrunk {
  readonly limits?: TrunkLimitsConfig | undefined;
  readonly destinations?: DestinationsConfig | undefined;
}

export type GuardProblem = TrunkProblem | { readonly reason: 'destination'; readonly text: string };

export interface GuardedCall {
  readonly from: Trunk;
  /** Where its routes lead, best first; at least one. */
  readonly candidates: readonly Candidate[];
  /** The called number after the trunk's number plan. */
  readonly called: string;
  readonly urgent: boolean;
}

/** A call that is let in. */
export interface GuardedPass {
  /** Those that it may be sent to now. */
  readonly candidates: readonly Candidate[];
  /** To be released when the call is over. */
  readonly seats: CallSeats;
}

export class CallGuard {
  readonly #limits: TrunkLimits;
  readonly #destinations: ReadonlyMap<string, DestinationRules>;

  constructor(trunks: Readonly<Record<string, GuardedTrunk>>, clock: MonotonicClock) {
    this.#limits = new TrunkLimits(trunks, clock);
    this.#destinations = new Map(
      Object.entries(trunks).flatMap(([name, { destinations }]) =>
        destinations === undefined ? [] : [[name, new DestinationRules(destinations)] as const],
      ),
    );
  }

  /** Live calls by trunk. */
  get calls(): ReadonlyMap<string, number> {
    return this.#limits.calls;
  }

  /** Why this trunk takes no other party of a call that is up; undefined when it does. Takes nothing. */
  full(trunk: string): TrunkProblem | undefined {
    return this.#limits.problem(trunk);
  }

  /** Lets the call in, or says of the first thing in its way. */
  admit({ from, candidates, called, urgent }: GuardedCall): GuardedPass | GuardProblem {
    if (urgent) return { candidates, seats: new CallSeats(this.#limits, from.name, true) };
    const wayOut = this.#destination(from.name, called) ?? this.#limits.problem(from.name);
    if (wayOut !== undefined) return wayOut;
    const wayIn = candidates.map(
      ({ trunk: { name } }) => this.#destination(name, called) ?? this.#limits.problem(name),
    );
    const open = candidates.filter((_, index) => wayIn[index] === undefined);
    const [first] = wayIn;
    if (open.length === 0 && first !== undefined) return first;
    return { candidates: open, seats: new CallSeats(this.#limits, from.name, false) };
  }

  /**
   * Where a call that is up may be sent on to: by the destinations of all, and the limits of trunks in which it holds no place. Takes nothing.
   *
   * @param held the trunk whose place in the call the newcomer would take
   */
  onward({ from, candidates, called, urgent }: GuardedCall, held: string): readonly Candidate[] {
    if (urgent) return candidates;
    if (this.#destination(from.name, called) !== undefined) return [];
    return candidates.filter(
      ({ trunk: { name } }) =>
        this.#destination(name, called) === undefined && (name === held || this.#limits.problem(name) === undefined),
    );
  }

  #destination(trunk: string, called: string): GuardProblem | undefined {
    const problem = this.#destinations.get(trunk)?.problem(called);
    return problem === undefined ? undefined : { reason: 'destination', text: `trunk ${trunk}: ${problem}` };
  }
}
