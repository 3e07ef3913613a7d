// The parser of `sidestream` with its commands taken out: it reads words, and nothing happens.
import { Command, type CommanderError } from 'commander';
import { cliMain } from '../e2e/run-cli.js';

export class CommandLine {
  readonly #program: Command;

  private constructor(program: Command) {
    this.#program = program;
  }

  /** Takes the program as its main file has made it, when it is about to read the words of this process. */
  static async read(): Promise<CommandLine> {
    let program: Command | undefined;
    const { parseAsync } = Command.prototype;
    Command.prototype.parseAsync = async function () {
      program = this;
      return await Promise.resolve(this);
    };
    try {
      await import(cliMain);
    } finally {
      Command.prototype.parseAsync = parseAsync;
    }
    if (program === undefined) throw new Error(`${cliMain} reads no words`);
    tame(program);
    return new CommandLine(program);
  }

  /** What the parser says against these words; undefined: it takes them. */
  async refusal(words: readonly string[]): Promise<string | undefined> {
    try {
      await this.#program.parseAsync(words, { from: 'user' });
      return undefined;
    } catch (error) {
      return `${words.join(' ')}: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
}

function tame(command: Command): void {
  command.exitOverride((error: CommanderError) => {
    throw error;
  });
  command.configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
  if (command.commands.length === 0) command.action(() => undefined);
  for (const one of command.commands) tame(one);
}
