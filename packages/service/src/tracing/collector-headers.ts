// The header fields that a collector of traces wants, from a file that may be written anew while the process runs: tokens expire.
import { readFileSync, statSync } from 'node:fs';
import type { Logger } from '../log.js';

const key = 'telemetry.traces.headersFile';

export class CollectorHeaders {
  readonly #file: string;
  readonly #log: Logger;
  #version: string;
  #fields: Record<string, string>;
  #broken = false;

  /** @throws Error for a file that can't be read or is not a list of `Name: value` */
  constructor(file: string, log: Logger) {
    this.#file = file;
    this.#log = log;
    this.#version = this.#look();
    this.#fields = readCollectorHeaders(file);
  }

  /** As the file is now. One that has become unusable changes nothing, and is told once. Never throws. */
  read(): Record<string, string> {
    try {
      const version = this.#look();
      if (version !== this.#version || this.#broken) {
        this.#fields = readCollectorHeaders(this.#file);
        this.#version = version;
        if (this.#broken) this.#log.info({ key }, "the header fields for the traces' collector can be read again");
        this.#broken = false;
      }
    } catch (error) {
      if (!this.#broken)
        this.#log.warn(
          { err: error, key },
          "the header fields for the traces' collector can not be read; the last ones stay",
        );
      this.#broken = true;
    }
    return this.#fields;
  }

  #look(): string {
    const { ino, size, mtimeMs, ctimeMs } = statSync(this.#file);
    return `${ino}:${size}:${mtimeMs}:${ctimeMs}`;
  }
}

/** Reads a file of `Name: value`, a line each. @throws Error for one that can't be read or has another line, which is not quoted */
export function readCollectorHeaders(file: string): Record<string, string> {
  const lines = readFileSync(file, 'utf8').split(/\r?\n/);
  return Object.fromEntries(
    lines.flatMap((line, index) => {
      if (line.trim() === '') return [];
      const [, field = '', value = ''] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*?)\s*$/.exec(line) ?? [];
      // The line may hold a secret.
      if (field === '') throw new Error(`${key}: line ${index + 1} is not 'Name: value'`);
      return [[field, value]];
    }),
  );
}
