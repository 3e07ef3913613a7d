// So that many small works that fall due at once do not become a storm.

/** Runs works in order of arrival, a bounded number at a time. */
export class Pacer {
  readonly #atOnce: number;
  readonly #waiting: (() => Promise<void>)[] = [];
  #running = 0;

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** `work` must not reject and must end by itself. */
  run(work: () => Promise<void>): void {
    this.#waiting.push(work);
    this.#next();
  }

  #next(): void {
    if (this.#running >= this.#atOnce) return;
    const work = this.#waiting.shift();
    if (work === undefined) return;
    this.#running += 1;
    void work().finally(() => {
      this.#running -= 1;
      this.#next();
    });
  }
}

/** One work that is done again and again, when it is wanted, never twice at a time; it waits its turn at the pacer. */
export class PacedWork {
  readonly #pacer: Pacer;
  readonly #work: () => Promise<number>;
  readonly #closing: AbortSignal;
  #timer: NodeJS.Timeout | undefined;
  #dueAtMs = Number.POSITIVE_INFINITY;
  #busy = false;
  #again = false;

  /** @param work must not reject; resolves with the milliseconds until it is wanted again */
  constructor(pacer: Pacer, work: () => Promise<number>, closing: AbortSignal) {
    this.#pacer = pacer;
    this.#work = work;
    this.#closing = closing;
    closing.addEventListener('abort', () => clearTimeout(this.#timer), { once: true });
  }

  /** Wants it within so many milliseconds: this may bring it forward, not put it off. */
  within(ms: number): void {
    const dueAtMs = performance.now() + ms;
    if (this.#closing.aborted || dueAtMs >= this.#dueAtMs) return;
    clearTimeout(this.#timer);
    this.#dueAtMs = dueAtMs;
    this.#timer = setTimeout(() => {
      this.#dueAtMs = Number.POSITIVE_INFINITY;
      if (this.#busy) this.#again = true;
      else this.#begin();
    }, ms).unref();
  }

  #begin(): void {
    this.#busy = true;
    this.#pacer.run(async () => {
      const nextMs = this.#closing.aborted ? 0 : await this.#work();
      this.#busy = false;
      this.within(this.#again ? 0 : nextMs);
      this.#again = false;
    });
  }
}
