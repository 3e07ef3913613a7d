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

  constructor(source: string, problems: readonly PolicyProblem[]) {
    const lines = problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
    super([`policy ${source} is not usable`, ...lines].join('\n  '));
    this.problems = problems;
  }
}
