// What is wrong with a policy, all of it at once.

export interface PolicyProblem {
  /** Place of the value, such as `users[2].numbers[0]`; empty for the whole text. */
  readonly path: string;
  readonly message: string;
}

/** Thrown for a policy that cannot be applied; nothing of it is. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
  readonly problems: readonly PolicyProblem[];
  /** How many there are, also of those that nobody has kept. */
  readonly count: number;

  /** @param options.shown so many of the problems are in the message */
  constructor(
    source: string,
    problems: readonly PolicyProblem[],
    { count = problems.length, shown = count }: { readonly count?: number; readonly shown?: number } = {},
  ) {
    const lines = problems.slice(0, shown).map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
    if (count > lines.length) lines.push(`and ${count - lines.length} more`);
    super([`policy ${source} is not usable`, ...lines].join('\n  '));
    this.problems = problems;
    this.count = count;
  }
}
