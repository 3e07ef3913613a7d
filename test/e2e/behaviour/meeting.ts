// Several tests that run at the same time and wait for each other at one point.

/** See the module's head. */
export class Meeting {
  #expected: number;
  #allThere: () => void = () => undefined;
  readonly #all = new Promise<void>((resolve) => {
    this.#allThere = resolve;
  });

  /** @param expected how many take part */
  constructor(expected: number) {
    this.#expected = expected;
  }

  /** Resolves with the work's result, or rejects with its error, once the work of all is over, whatever came of it. */
  async afterAll<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } finally {
      this.#expected -= 1;
      if (this.#expected === 0) this.#allThere();
      await this.#all;
    }
  }
}
