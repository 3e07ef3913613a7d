// Whom a recording asks next. Of all its recorders each one is asked once in a round, the best first, as they are at that moment.

/** Whom to ask; `last`: there is nobody after it in this round. */
export interface RecorderTurn {
  readonly recorder: string;
  readonly last: boolean;
}

export class RecorderRound {
  readonly #order: () => readonly string[];
  readonly #asked = new Set<string>();

  /** @param order the recorders in the order in which to try them now */
  constructor(order: () => readonly string[]) {
    this.#order = order;
  }

  /** Undefined when each one has been asked. */
  next(): RecorderTurn | undefined {
    const [recorder, ...others] = this.#order().filter((one) => !this.#asked.has(one));
    if (recorder === undefined) return undefined;
    this.#asked.add(recorder);
    return { recorder, last: others.length === 0 };
  }

  /** @param sound one that needs not be asked again first; absent: all may be asked */
  begin(sound?: string): void {
    this.#asked.clear();
    if (sound !== undefined) this.#asked.add(sound);
  }
}
