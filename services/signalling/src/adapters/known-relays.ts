// The relays that there are: as their leases say, and until NATS has told those of it, as they said last, before this process began.
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { LeaseBook, Logger } from '@sidestream/service';
import { z } from 'zod';
import type { RelayLease } from '../domain/relay-choice.js';
import { relayLease } from './leases.js';
import { writeWhole } from './write-whole.js';

export interface KnownRelaysOptions {
  readonly book: Pick<LeaseBook<RelayLease>, 'current' | 'onRefresh'>;
  /** Where they are kept: JSON, an array of leases. */
  readonly file: string;
  readonly log: Logger;
}

export class KnownRelays {
  readonly #options: KnownRelaysOptions;
  /** Undefined once the leases were read. */
  #kept: readonly RelayLease[] | undefined = [];
  #written = '';
  #writing: Promise<void> | undefined;

  constructor(options: KnownRelaysOptions) {
    this.#options = options;
    options.book.onRefresh(() => {
      this.#kept = undefined;
      this.#keep();
    });
  }

  /** Reads what is kept; a file that can't be read is said, and there are none then. Never rejects. */
  async start(): Promise<void> {
    const { file, log } = this.#options;
    try {
      const kept = z.array(relayLease).parse(JSON.parse(await readFile(file, 'utf8')));
      if (this.#kept !== undefined) this.#kept = kept;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      log.warn({ err: error, file }, 'the relays known last can not be read; those that NATS tells of are used');
    }
  }

  /** None while none is known. */
  values(): Iterable<RelayLease> {
    return this.#kept ?? this.#options.book.current.values();
  }

  /** Once what was read is on disk. */
  async whenKept(): Promise<void> {
    await this.#writing;
  }

  /** Where they are; how full they are is old in a second. With none there is nothing that a start could use. */
  #keep(): void {
    const relays = [...this.#options.book.current.values()].map((lease) => ({
      ...lease,
      sessions: 0,
      draining: false,
    }));
    const text = JSON.stringify(relays.sort((one, other) => one.address.localeCompare(other.address)));
    if (relays.length === 0 || text === this.#written || this.#writing !== undefined) return;
    this.#writing = this.#write(text).finally(() => {
      this.#writing = undefined;
    });
  }

  async #write(text: string): Promise<void> {
    const { file, log } = this.#options;
    // Also when it fails: it is tried again with the next change, and said once for each.
    this.#written = text;
    try {
      await mkdir(dirname(file), { recursive: true });
      await writeWhole(file, text);
    } catch (error) {
      log.warn(
        { err: error, file },
        'the relays that are known can not be kept: a start without NATS will know older ones',
      );
    }
  }
}
