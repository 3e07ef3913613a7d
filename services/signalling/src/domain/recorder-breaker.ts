// Whether a recorder is worth asking, as a pure function: (state, event) → state. One for each recorder and tenant identity. It knows
// no SIP and no timer; times are MonotonicClock milliseconds. Its numbers: docs/decisions/0014.

/**
 * closed: as if nothing had ever been wrong. open: others first; a probe goes out at `probeAtMs`. half-open: the probe was answered, but
 * what had failed was an INVITE, so one INVITE has to succeed.
 */
export type BreakerPhase = 'closed' | 'open' | 'half-open';

export interface BreakerState {
  readonly phase: BreakerPhase;
  /** Failures since the last success: of the way to the recorder (dial, TLS, OPTIONS), and of INVITEs. */
  readonly linkFailures: number;
  readonly inviteFailures: number;
  /** How often it has opened since it was closed. */
  readonly openings: number;
  /** When the next probe may go out. */
  readonly probeAtMs: number;
  /** Until when the recorder asked to be left alone (Retry-After). */
  readonly restUntilMs: number;
  /** INVITEs under way that began while it was not closed. */
  readonly trials: number;
}

/** What a failure proves: that the recorder cannot be reached, or that it does not take recordings. */
export type FailureProof = 'link' | 'invite';

export type BreakerEvent =
  /** `definite`: trying again will not help before someone mends it. */
  | { type: 'failed'; proof: FailureProof; definite: boolean; retryAfterMs?: number }
  /** The recorder answered OPTIONS. */
  | { type: 'alive' }
  /** The recorder accepted an INVITE. */
  | { type: 'accepted' }
  | { type: 'trial-begun' }
  | { type: 'trial-ended' };

export const breakerLimits = {
  /** Consecutive failures that open it. */
  failures: 3,
  firstBackoffMs: 1_000,
  maxBackoffMs: 30_000,
  /** What is granted to a Retry-After: a recording that waits is a recording that is lost. */
  maxRestMs: 30_000,
  /** INVITEs at a time while it is not closed, where there is no better recorder. */
  trials: 8,
} as const;

export const newBreaker: BreakerState = {
  phase: 'closed',
  linkFailures: 0,
  inviteFailures: 0,
  openings: 0,
  probeAtMs: 0,
  restUntilMs: 0,
  trials: 0,
};

/** Never throws. `random` in [0, 1) spreads the probes of many instances. */
export function stepBreaker(state: BreakerState, event: BreakerEvent, nowMs: number, random: number): BreakerState {
  switch (event.type) {
    case 'failed':
      return failed(state, event, nowMs, random);
    case 'alive':
      return alive(state, nowMs);
    case 'accepted':
      return { ...newBreaker, trials: state.trials };
    case 'trial-begun':
      return { ...state, trials: state.trials + 1 };
    case 'trial-ended':
      return { ...state, trials: Math.max(0, state.trials - 1) };
    default:
      return unreachable(event);
  }
}

/**
 * usable: ask it. doubtful: ask it if there is nobody better, a bounded number of times. resting: it asked not to be asked.
 */
export type Standing = 'usable' | 'doubtful' | 'resting';

export function standingOf(state: BreakerState, nowMs: number): Standing {
  if (state.phase === 'closed') return 'usable';
  if (state.restUntilMs > nowMs) return 'resting';
  return state.phase === 'half-open' && state.trials === 0 ? 'usable' : 'doubtful';
}

/** Whether an INVITE may go out now. */
export function admits(state: BreakerState, nowMs: number): boolean {
  if (state.phase === 'closed') return true;
  return state.restUntilMs <= nowMs && state.trials < breakerLimits.trials;
}

function failed(
  state: BreakerState,
  { proof, definite, retryAfterMs }: Extract<BreakerEvent, { type: 'failed' }>,
  nowMs: number,
  random: number,
): BreakerState {
  const count = definite ? breakerLimits.failures : 1;
  const counted = {
    ...state,
    linkFailures: state.linkFailures + (proof === 'link' ? count : 0),
    inviteFailures: state.inviteFailures + (proof === 'invite' ? count : 0),
  };
  const restUntilMs = Math.max(state.restUntilMs, nowMs + Math.min(retryAfterMs ?? 0, breakerLimits.maxRestMs));
  const rested = { ...counted, restUntilMs };
  const worst = Math.max(counted.linkFailures, counted.inviteFailures);
  if (state.phase === 'closed' && worst < breakerLimits.failures && retryAfterMs === undefined) return counted;
  // The INVITEs that were under way when it opened fail one after the other; they prove nothing new.
  if (state.phase === 'open' && nowMs < state.probeAtMs)
    return { ...rested, probeAtMs: Math.max(state.probeAtMs, restUntilMs) };
  const backoffMs = Math.min(
    breakerLimits.maxBackoffMs,
    breakerLimits.firstBackoffMs * 2 ** Math.min(state.openings, 10),
  );
  const probeAtMs = Math.max(restUntilMs, nowMs + backoffMs * (0.8 + 0.4 * random));
  return { ...rested, phase: 'open', openings: state.openings + 1, probeAtMs };
}

function alive(state: BreakerState, nowMs: number): BreakerState {
  const reached = { ...state, linkFailures: 0 };
  if (state.phase !== 'open' || nowMs < state.probeAtMs) return reached;
  // An answer to OPTIONS takes back what OPTIONS can find out, and no more.
  return state.inviteFailures > 0 ? { ...reached, phase: 'half-open' } : { ...newBreaker, trials: state.trials };
}

function unreachable(event: never): never {
  throw new TypeError(`unknown breaker event ${JSON.stringify(event)}`);
}
