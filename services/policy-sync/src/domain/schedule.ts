// When a tenant's users are asked for next. Pure: the times and the dice are arguments.

export interface Pace {
  readonly pollIntervalMs: number;
  /** When the policy is stale. */
  readonly maxAgeMs: number;
}

export type AttemptOutcome =
  /** `maxAgeMs`: how long the provider says that its answer stays fresh. */
  | { readonly ok: true; readonly maxAgeMs?: number | undefined }
  | {
      readonly ok: false;
      /** Whether the same may succeed soon without anybody changing anything. */
      readonly retryable: boolean;
      readonly retryAfterMs?: number | undefined;
      /** Failures in a row, this one included. */
      readonly failures: number;
    };

export interface Attempt {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly outcome: AttemptOutcome;
}

/** What the other side asks for is heeded up to here: a slip of its pen must not end the syncing. */
const longestWaitMs = 3_600_000;
const firstRetryMs = 1_000;

/**
 * The time of the next attempt, epoch ms.
 *
 * After success: 75 to 95 % of the poll interval after the start, so that a change is seen within one interval; a longer max-age is
 * heeded up to a quarter of the policy's own. After failure: from 1 s doubling up to the poll interval; at once the whole interval
 * when trying again is of no use; in any case not before Retry-After is over.
 * @param random in [0, 1)
 */
export function nextAttemptAt({ startedAt, endedAt, outcome }: Attempt, pace: Pace, random: number): number {
  const { pollIntervalMs } = pace;
  const interval = pollIntervalMs * (0.75 + 0.2 * random);
  if (outcome.ok) {
    const polite = Math.min(outcome.maxAgeMs ?? 0, pace.maxAgeMs / 4, longestWaitMs);
    const pause = polite > pollIntervalMs ? polite : interval;
    // Work that takes as long as the interval must leave some time for everything else.
    const earliest = endedAt + pollIntervalMs / 10;
    // A clock that was set back meanwhile must not stop the asking: the start would lie in the future.
    return Math.min(Math.max(startedAt + pause, earliest), endedAt + pause);
  }
  const { retryable, retryAfterMs = 0, failures } = outcome;
  const backoff = retryable ? Math.min(interval, firstRetryMs * 2 ** Math.min(failures - 1, 20)) : interval;
  return endedAt + Math.max(backoff * (0.75 + 0.25 * random), Math.min(retryAfterMs, longestWaitMs));
}
