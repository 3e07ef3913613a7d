/** A stretch of network: what goes in comes out later, in the same order. It knows neither sockets nor messages. */

/** Holds work back by a time that may change; without any it is done at once. */
export class DelayLine {
  readonly #delayMs: () => number;
  readonly #timers = new Set<NodeJS.Timeout>();
  #lastDueAt = 0;

  /** @param delayMs asked anew for each piece of work */
  constructor(delayMs: () => number) {
    this.#delayMs = delayMs;
  }

  /** Does the work once the delay is over, and never before what was pushed earlier. */
  push(work: () => void): void {
    const now = performance.now();
    const dueAt = Math.max(now + this.#delayMs(), this.#lastDueAt);
    if (dueAt <= now && this.#timers.size === 0) {
      work();
      return;
    }
    this.#lastDueAt = dueAt;
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        work();
      },
      Math.max(1, Math.ceil(dueAt - now)),
    );
    this.#timers.add(timer);
  }

  /** Forgets what is still under way. */
  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
