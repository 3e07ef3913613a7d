/** A stretch of network: what goes in comes out later, in the same order. It knows neither sockets nor messages. */

/** Holds work back by a time that may change; without any it is done at once. */
export class DelayLine {
  readonly #delayMs: () => number;
  /** One timer for all: two of different lengths that end together would go off in any order. */
  readonly #waiting: { readonly dueAt: number; readonly work: () => void }[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param delayMs asked anew for each piece of work */
  constructor(delayMs: () => number) {
    this.#delayMs = delayMs;
  }

  /** Does the work once the delay is over, and never before what was pushed earlier. */
  push(work: () => void): void {
    const delayMs = this.#delayMs();
    if (delayMs <= 0 && this.#waiting.length === 0) {
      work();
      return;
    }
    const dueAt = Math.max(performance.now() + delayMs, this.#waiting.at(-1)?.dueAt ?? 0);
    this.#waiting.push({ dueAt, work });
    this.#timer ??= this.#wait(dueAt);
  }

  /** Forgets what is still under way. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting.length = 0;
  }

  #wait(dueAt: number): NodeJS.Timeout {
    return setTimeout(() => this.#release(), Math.max(1, Math.ceil(dueAt - performance.now())));
  }

  #release(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (let [first] = this.#waiting; first !== undefined && first.dueAt <= now; [first] = this.#waiting) {
      first.work();
      if (this.#waiting[0] === first) this.#waiting.shift();
    }
    const [next] = this.#waiting;
    if (next !== undefined) this.#timer ??= this.#wait(next.dueAt);
  }
}
