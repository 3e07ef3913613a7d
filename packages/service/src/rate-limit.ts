// How often something may happen, by key. A token bucket is one number here: the time at which it will be full again (GCRA). The table
// is bounded; whoever was heard longest ago is forgotten first, which makes his bucket full.

export interface RateLimitOptions {
  readonly perSecond: number;
  /** How many may come at once after a rest; at least 1. */
  readonly burst: number;
  /** Milliseconds; never goes back. */
  readonly clock: () => number;
  /** Default 10,000. */
  readonly maxKeys?: number;
}

/** Of a comparison of sums of fractions of a millisecond. */
const tolerance = 1e-6;

export class RateLimit {
  readonly #intervalMs: number;
  readonly #burstMs: number;
  readonly #clock: () => number;
  readonly #maxKeys: number;
  readonly #fullAt = new Map<string, number>();

  constructor({ perSecond, burst, clock, maxKeys = 10_000 }: RateLimitOptions) {
    this.#intervalMs = 1_000 / perSecond;
    this.#burstMs = Math.max(1, burst) * this.#intervalMs;
    this.#clock = clock;
    this.#maxKeys = maxKeys;
  }

  /** Keys that are remembered. */
  get keys(): number {
    return this.#fullAt.size;
  }

  /** Whether one more may come now; takes nothing. */
  allows(key: string): boolean {
    const now = this.#clock();
    return this.#next(key, now) - now <= this.#burstMs + tolerance;
  }

  /** Takes one if there is one. */
  take(key: string): boolean {
    const now = this.#clock();
    const next = this.#next(key, now);
    if (next - now > this.#burstMs + tolerance) return false;
    this.#set(key, next);
    return true;
  }

  /** Takes so many, there or not. @returns the milliseconds after which they would have been there, 0 where they were. */
  owe(key: string, count: number): number {
    const now = this.#clock();
    const next = this.#next(key, now) + (count - 1) * this.#intervalMs;
    this.#set(key, next);
    return Math.max(0, next - now - this.#burstMs);
  }

  #next(key: string, now: number): number {
    return Math.max(this.#fullAt.get(key) ?? now, now) + this.#intervalMs;
  }

  #set(key: string, fullAt: number): void {
    this.#fullAt.delete(key);
    if (this.#fullAt.size >= this.#maxKeys) {
      const [oldest] = this.#fullAt.keys();
      if (oldest !== undefined) this.#fullAt.delete(oldest);
    }
    this.#fullAt.set(key, fullAt);
  }
}
