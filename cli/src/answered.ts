// How every command ends: what it prints, and the exit code that tells a wrong command line from what could not be done.
import { ConfigError, readConfig, readsFile, type SidestreamConfig, SidestreamError } from '@sidestream/service';
import type { Command } from 'commander';

/**
 * Reads sidestream.yaml for a command that asks services. Files must be there by which NATS and services are reached: a tenant's keys
 * needn't be where calls are listed.
 *
 * @throws ConfigError
 */
export function readCliConfig(file: string): SidestreamConfig {
  return readConfig(file, (path) => readsFile('cli', path));
}

/**
 * Runs a command on the configuration.
 *
 * @param file sidestream.yaml
 * @returns the command's exit code; of an error, which is told on stderr, that of `failed`
 */
export async function answered(file: string, command: (config: SidestreamConfig) => Promise<number>): Promise<number> {
  try {
    return await command(readCliConfig(file));
  } catch (error) {
    return failed(error);
  }
}

/** Tells an error on stderr. @returns the exit code: 2 for a wrong configuration or command line, else 1 */
export function failed(error: unknown): number {
  const isConfig = error instanceof ConfigError;
  const { code, message } = SidestreamError.from(error);
  process.stderr.write(isConfig ? `${message}\n` : `sidestream: ${message}\n`);
  return isConfig || code === 'bad-request' ? 2 : 1;
}

/** Makes a wrong command line end with 2, at this command and those that are added to it: it is no failure of what was asked. */
export function strict(command: Command): Command {
  return command.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
