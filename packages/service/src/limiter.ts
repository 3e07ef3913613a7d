// At most so many at once; the others wait in order. Whoever uses it bounds how many wait.

export class Limiter {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(atOnce: number) {
    this.#free = atOnce;
  }

  /** Runs the work when its turn comes; passes on what it returns or throws. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#free -= 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      // The place goes to the next one, so that nobody can step in between.
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
