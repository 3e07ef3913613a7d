// Records of calls as JSON lines in files that rotate by size: `calls.<instance>.jsonl` is the newest, `.1` the one before it. One write
// at a time, beside the work: a full disk is told once and harms nothing but the records that it takes.
import { appendFile, mkdir, rename, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { CallRecord } from '@sidestream/proto/records/v1';
import { type Logger, pause } from '@sidestream/service';
import { Counter, type Registry } from 'prom-client';

export interface RecordFilesOptions {
  readonly directory: string;
  readonly maxFiles: number;
  /** Of one file; a line is not divided. */
  readonly maxBytes: number;
}

/** Lines that wait for a slow disk. */
const maxWaiting = 10_000;

export class RecordFiles {
  readonly #options: RecordFilesOptions;
  readonly #file: string;
  readonly #log: Logger;
  readonly #lost: Counter;
  #waiting: string[] = [];
  #writing: Promise<void> | undefined;
  #failing = false;

  constructor(options: RecordFilesOptions, of: { instance: string; log: Logger; metrics: Registry }) {
    this.#options = options;
    this.#file = join(options.directory, `calls.${of.instance}.jsonl`);
    this.#log = of.log;
    this.#lost = new Counter({
      name: 'sidestream_call_record_lines_lost_total',
      help: 'Records of calls that could not be written to a file.',
      registers: [of.metrics],
    });
  }

  /** Returns at once, never throws. */
  write(record: CallRecord): void {
    if (this.#waiting.length >= maxWaiting) {
      this.#lost.inc();
      return;
    }
    this.#waiting.push(`${JSON.stringify(CallRecord.toJSON(record))}\n`);
    this.#writing ??= this.#drain();
  }

  /** Gives what waits so much time to be written. Never rejects. */
  async close(flushMs: number): Promise<void> {
    const stop = new AbortController();
    await Promise.race([this.#writing, pause(flushMs, stop.signal)]);
    stop.abort();
  }

  async #drain(): Promise<void> {
    for (let line = this.#waiting.shift(); line !== undefined; line = this.#waiting.shift()) {
      try {
        await this.#append(line);
        if (this.#failing) this.#log.info({ file: this.#file }, 'records of calls can be written again');
        this.#failing = false;
      } catch (error) {
        this.#lost.inc();
        if (!this.#failing) this.#log.error({ err: error, file: this.#file }, 'records of calls cannot be written');
        this.#failing = true;
      }
    }
    this.#writing = undefined;
  }

  async #append(line: string): Promise<void> {
    const { directory, maxBytes, maxFiles } = this.#options;
    await mkdir(directory, { recursive: true });
    const size = await sizeOf(this.#file);
    if (size > 0 && size + Buffer.byteLength(line) > maxBytes) await this.#rotate(maxFiles);
    const before = await sizeOf(this.#file);
    try {
      // Personal data: for the owner alone.
      await appendFile(this.#file, line, { mode: 0o600 });
    } catch (error) {
      // What of it was written would spoil the next line.
      await truncate(this.#file, before).catch(() => undefined);
      throw error;
    }
  }

  async #rotate(maxFiles: number): Promise<void> {
    for (let number = maxFiles - 1; number > 0; number--) {
      const from = number === 1 ? this.#file : `${this.#file}.${number - 1}`;
      if ((await sizeOf(from)) > 0) await rename(from, `${this.#file}.${number}`);
    }
    if (maxFiles === 1) await truncate(this.#file);
  }
}

/** 0 where there is none. */
async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch {
    return 0;
  }
}
