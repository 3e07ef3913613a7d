// The tenants' policies from files: re-read when a file changes, the last good one kept, swapped as a whole.
import { unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Logger } from '@sidestream/service';
import type { PolicyTable } from '../domain/policy-table.js';
import { parsePolicy } from './policy-parser.js';

export interface PolicySource {
  readonly tenant: string;
  readonly file: string;
}

/** Editors and Kubernetes replace files rather than write them, so their state is polled. */
const pollMs = 1_000;

export class PolicyFiles {
  readonly #sources: readonly PolicySource[];
  readonly #table: Pick<PolicyTable, 'current' | 'swap'>;
  readonly #log: Logger;
  readonly #stops: (() => void)[] = [];
  readonly #closing = new AbortController();

  constructor(sources: readonly PolicySource[], table: Pick<PolicyTable, 'current' | 'swap'>, log: Logger) {
    this.#sources = sources;
    this.#table = table;
    this.#log = log;
  }

  /**
   * Reads every file and follows its changes until close(). Resolves once every file was read. A tenant without a usable file is
   * recorded by nobody, and says so.
   */
  async start(): Promise<void> {
    await Promise.all(this.#sources.map((source) => this.#follow(source)));
  }

  close(): void {
    this.#closing.abort();
    for (const stop of this.#stops.splice(0)) stop();
  }

  #follow(source: PolicySource): Promise<void> {
    // One reading after the other, so that the newest wins; of several changes during one, the last is read.
    let reading = this.#read(source);
    let waiting = false;
    const onChange = () => {
      if (waiting) return;
      waiting = true;
      reading = reading.then(async () => {
        waiting = false;
        await this.#read(source);
      });
    };
    watchFile(source.file, { interval: pollMs, persistent: false }, onChange);
    this.#stops.push(() => unwatchFile(source.file, onChange));
    return reading;
  }

  async #read({ tenant, file }: PolicySource): Promise<void> {
    const { signal } = this.#closing;
    const began = performance.now();
    try {
      const snapshot = await parsePolicy({ content: await readFile(file, { encoding: 'utf8', signal }), file }, signal);
      this.#table.swap(tenant, snapshot, performance.now() - began);
    } catch (error) {
      if (signal.aborted) return;
      const kept = this.#table.current.get(tenant)?.revision;
      this.#log.error({ err: error, tenant, kept }, 'a policy file is not usable; the last good policy stays');
    }
  }
}
