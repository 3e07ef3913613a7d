// What is wrong with a configuration, for people: every problem with the path of its key.

export interface ConfigProblem {
  /** Path of the key, e.g. `trunks.carrier.peers.0`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

/** The configuration can't be used. `message` lists every problem, one a line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(source: string, problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ path, message }) => `  ${path ? `${path}: ` : ''}${message}`);
    super(`${source}: ${problems.length} problem${problems.length === 1 ? '' : 's'}\n${lines.join('\n')}`);
    this.problems = problems;
  }
}
