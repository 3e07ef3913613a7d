// Problems of a source with many entries: all are counted, the first ones kept.
import { PolicyError, type PolicyProblem } from './policy-error.js';

const maxKept = 10_000;
/** In the text of an error. */
const maxShown = 100;

/** What was wrong, in the order in which it was found. Plain data: it may go to another thread. */
export interface Problems {
  readonly count: number;
  /** At most the first 10,000. */
  readonly first: readonly PolicyProblem[];
}

export class ProblemList {
  #count = 0;
  readonly #first: PolicyProblem[] = [];

  add(path: string, message: string): void {
    this.#count += 1;
    if (this.#first.length < maxKept) this.#first.push({ path, message });
  }

  get problems(): Problems {
    return { count: this.#count, first: [...this.#first] };
  }

  /** @throws PolicyError with the problems, if there are any */
  throwIfAny(source: string): void {
    if (this.#count === 0) return;
    throw new PolicyError(source, [...this.#first], { count: this.#count, shown: maxShown });
  }
}
