// How many calls a trunk has and how many come, counted for calls from it and calls to it together. A call holds a seat on the trunk that
// it comes from and one on the trunk that it is sent to, or of who is in their place; seats are given back once, whatever becomes of the call.
import { RateLimit, type TrunkLimitsConfig } from '@sidestream/service';
import type { Side } from './offer-answer.js';
import type { MonotonicClock } from './ports.js';

export interface TrunkProblem {
  readonly reason: 'trunk-full' | 'trunk-rate';
  readonly text: string;
}

interface Entry {
  readonly limits: TrunkLimitsConfig;
  readonly rate: RateLimit | undefined;
  calls: number;
}

export class TrunkLimits {
  readonly #entries = new Map<string, Entry>();

  constructor(
    trunks: Readonly<Record<string, { readonly limits?: TrunkLimitsConfig | undefined }>>,
    clock: MonotonicClock,
  ) {
    for (const [name, { limits = { maxDurationMs: undefined } }] of Object.entries(trunks)) {
      const perSecond = limits.callsPerSecond;
      // What a second may bring may come at once.
      const rate = perSecond && new RateLimit({ perSecond, burst: Math.ceil(perSecond), clock, maxKeys: 1 });
      this.#entries.set(name, { limits, rate: rate || undefined, calls: 0 });
    }
  }

  /** Calls by trunk, for everybody who looks. */
  get calls(): ReadonlyMap<string, number> {
    return new Map([...this.#entries].map(([name, { calls }]) => [name, calls]));
  }

  /** Why the trunk takes no call now; undefined when it does. Takes nothing. */
  problem(trunk: string): TrunkProblem | undefined {
    const entry = this.#entries.get(trunk);
    const { calls: most, callsPerSecond } = entry?.limits ?? {};
    if (entry === undefined) return undefined;
    if (most !== undefined && entry.calls >= most)
      return { reason: 'trunk-full', text: `trunk ${trunk}: ${most} calls are up` };
    if (entry.rate?.allows(trunk) === false)
      return { reason: 'trunk-rate', text: `trunk ${trunk}: more than ${callsPerSecond} calls a second` };
    return undefined;
  }

  /** The shortest time that calls between these trunks may last. */
  maxDurationMs(trunks: readonly string[]): number | undefined {
    const all = trunks.flatMap((trunk) => this.#entries.get(trunk)?.limits.maxDurationMs ?? []);
    return all.length === 0 ? undefined : Math.min(...all);
  }

  /** A place on the trunk, there or not, for a call that was let in. @returns how it is given back */
  sit(trunk: string): () => void {
    const entry = this.#entries.get(trunk);
    if (entry === undefined) return () => {};
    entry.calls += 1;
    entry.rate?.owe(trunk, 1);
    let seated = true;
    return () => {
      if (seated) entry.calls -= 1;
      seated = false;
    };
  }
}

/** The seats of one call. */
export class CallSeats {
  readonly #limits: TrunkLimits;
  /** A call for help is counted and never held back. */
  readonly urgent: boolean;
  #from: Seat;
  #to: Seat | undefined;

  constructor(limits: TrunkLimits, from: string, urgent: boolean) {
    this.#limits = limits;
    this.urgent = urgent;
    this.#from = this.#sit(from);
  }

  /** The call is sent to this trunk from now on, and to no other. @returns why it can not be */
  moveTo(trunk: string): TrunkProblem | undefined {
    this.#to?.leave();
    this.#to = undefined;
    const problem = this.urgent ? undefined : this.#limits.problem(trunk);
    if (problem === undefined) this.#to = this.#sit(trunk);
    return problem;
  }

  /** The party on this side is behind this trunk from now on: it was let in before. */
  succeed(side: Side, trunk: string): void {
    const before = side === 'near' ? this.#from : this.#to;
    if (before?.trunk === trunk) return;
    before?.leave();
    if (side === 'near') this.#from = this.#sit(trunk);
    else this.#to = this.#sit(trunk);
  }

  /** How long the call may last once it is answered; undefined without a bound. */
  get maxDurationMs(): number | undefined {
    if (this.urgent) return undefined;
    return this.#limits.maxDurationMs([this.#from, this.#to].flatMap((seat) => seat?.trunk ?? []));
  }

  /** Idempotent. */
  release(): void {
    this.#from.leave();
    this.#to?.leave();
  }

  #sit(trunk: string): Seat {
    return { trunk, leave: this.#limits.sit(trunk) };
  }
}

interface Seat {
  readonly trunk: string;
  readonly leave: () => void;
}
