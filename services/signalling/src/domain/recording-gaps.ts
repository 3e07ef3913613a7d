// What is missing in a recording, in milliseconds of a monotonic clock: from the moment at which a recorder was lost until media flows
// again. What was paused meanwhile is not missing, whenever the pause was and whenever the loss was noticed.

interface Stretch {
  readonly fromMs: number;
  /** Infinity while it goes on. */
  readonly toMs: number;
}

/** Pauses that are remembered: a loss is noticed seconds after it, a call has few pauses in that time. */
const rememberedPauses = 64;

export class RecordingGaps {
  #pauses: Stretch[] = [];
  #gapSinceMs: number | undefined;
  /** End of the last gap: what was counted is not counted again. */
  #countedUntilMs = Number.NEGATIVE_INFINITY;
  #endedMs = 0;

  /** A gap began, now or some time ago; within one that goes on this is nothing new. */
  begin(sinceMs: number): void {
    this.#gapSinceMs ??= Math.max(sinceMs, this.#countedUntilMs);
  }

  /** Idempotent, as its end. */
  pause(atMs: number): void {
    if (this.#pauses.at(-1)?.toMs === Number.POSITIVE_INFINITY) return;
    this.#pauses = [...this.#pauses, { fromMs: atMs, toMs: Number.POSITIVE_INFINITY }].slice(-rememberedPauses);
  }

  resume(atMs: number): void {
    const last = this.#pauses.at(-1);
    if (last?.toMs === Number.POSITIVE_INFINITY) this.#pauses.splice(-1, 1, { fromMs: last.fromMs, toMs: atMs });
  }

  /** The gap is over. Returns its length; 0 if there was none. */
  end(atMs: number): number {
    const gapMs = this.open(atMs);
    if (this.#gapSinceMs !== undefined) this.#countedUntilMs = atMs;
    this.#gapSinceMs = undefined;
    this.#endedMs += gapMs;
    return gapMs;
  }

  /** All of them, the one that goes on included. */
  sum(atMs: number): number {
    return this.#endedMs + this.open(atMs);
  }

  /** The one that goes on, so far; 0 without one. */
  open(atMs: number): number {
    if (this.#gapSinceMs === undefined) return 0;
    const gap = { fromMs: this.#gapSinceMs, toMs: atMs };
    return this.#pauses.reduce((ms, pause) => ms - common(gap, pause), lengthOf(gap));
  }
}

function common(one: Stretch, other: Stretch): number {
  return lengthOf({ fromMs: Math.max(one.fromMs, other.fromMs), toMs: Math.min(one.toMs, other.toMs) });
}

function lengthOf({ fromMs, toMs }: Stretch): number {
  return Math.max(0, toMs - fromMs);
}
