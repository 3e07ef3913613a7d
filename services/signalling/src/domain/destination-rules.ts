// Which numbers may be called from a trunk, and through it: what keeps a stolen password or a broken PBX from calling the dear ones.
import { normaliseNumber } from '@sidestream/policy';
import type { DestinationsConfig } from '@sidestream/service';

export class DestinationRules {
  readonly #verdicts = new Map<string, boolean>();
  readonly #longest: number;
  readonly #otherwise: boolean;

  /** The longest prefix counts. Without one a number may be called unless some others are allowed by name. */
  constructor({ allow, deny }: DestinationsConfig) {
    for (const prefix of allow) this.#verdicts.set(prefix, true);
    for (const prefix of deny) this.#verdicts.set(prefix, false);
    this.#longest = Math.max(0, ...[...this.#verdicts.keys()].map(({ length }) => length));
    this.#otherwise = allow.length === 0;
  }

  /**
   * Why this number may not be called, undefined when it may. What is no international number after the trunk's number plan could lead
   * anywhere, so that it may not.
   */
  problem(called: string): string | undefined {
    const number = normaliseNumber(called);
    if (number === undefined) return 'the called number is no E.164 number';
    for (let length = Math.min(number.length, this.#longest); length > 1; length -= 1) {
      const prefix = number.slice(0, length);
      const allowed = this.#verdicts.get(prefix);
      if (allowed !== undefined) return allowed ? undefined : `numbers that begin with ${prefix} may not be called`;
    }
    return this.#otherwise ? undefined : 'this number is not among those that may be called';
  }
}
