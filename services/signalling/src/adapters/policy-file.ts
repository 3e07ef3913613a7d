// The tenants' policies from files: re-read when a file changes, the last good one kept, swapped as a whole.
import { unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type Decision, decide, type PolicySnapshot } from '@sidestream/policy';
import type { Logger } from '@sidestream/service';
import type { Policies, PolicyFacts } from '../domain/ports.js';
import { parsePolicy } from './policy-parser.js';

export interface PolicySource {
  readonly tenant: string;
  readonly file: string;
  /** The tenant's recorders, in order. */
  readonly recorders: readonly string[];
}

/** Editors and Kubernetes replace files rather than write them, so their state is polled. */
const pollMs = 1_000;

export class PolicyFiles implements Policies {
  readonly #sources: ReadonlyMap<string, PolicySource>;
  readonly #snapshots = new Map<string, PolicySnapshot>();
  readonly #log: Logger;
  readonly #stops: (() => void)[] = [];
  readonly #closing = new AbortController();

  constructor(sources: readonly PolicySource[], log: Logger) {
    this.#sources = new Map(sources.map((source) => [source.tenant, source]));
    this.#log = log;
  }

  /**
   * Reads every file and follows its changes until close(), telling `onChanged` of each. Resolves once every file was read. A tenant
   * without a usable file is recorded by nobody, and says so.
   */
  async start(onChanged: () => void = () => {}): Promise<void> {
    await Promise.all([...this.#sources.values()].map((source) => this.#follow(source, onChanged)));
  }

  close(): void {
    this.#closing.abort();
    for (const stop of this.#stops.splice(0)) stop();
  }

  /** Tenants that have no policy at all. */
  get missing(): string[] {
    return [...this.#sources.keys()].filter((tenant) => !this.#snapshots.has(tenant));
  }

  /** Why no call can come in at all: every tenant lacks a policy. Undefined when one has one. */
  get problem(): string | undefined {
    const { missing } = this;
    return missing.length > 0 && missing.length === this.#sources.size
      ? `none usable of ${missing.join(', ')}`
      : undefined;
  }

  decide(tenant: string, { side, parties, at }: PolicyFacts): Decision {
    const candidates = (uris: readonly string[]) => uris.map((uri) => ({ uri }));
    const facts = {
      tenant,
      side,
      calling: candidates(parties.callingUris),
      called: candidates(parties.calledUris),
      at,
    };
    return decide(this.#snapshots.get(tenant), facts, this.#sources.get(tenant)?.recorders ?? []);
  }

  #follow(source: PolicySource, onChanged: () => void): Promise<void> {
    // One reading after the other, so that the newest wins; of several changes during one, the last is read.
    let reading = this.#read(source);
    let waiting = false;
    const onChange = () => {
      if (waiting) return;
      waiting = true;
      reading = reading.then(async () => {
        waiting = false;
        await this.#read(source);
        onChanged();
      });
    };
    watchFile(source.file, { interval: pollMs, persistent: false }, onChange);
    this.#stops.push(() => unwatchFile(source.file, onChange));
    return reading;
  }

  async #read({ tenant, file }: PolicySource): Promise<void> {
    const { signal } = this.#closing;
    try {
      const snapshot = await parsePolicy({ content: await readFile(file, { encoding: 'utf8', signal }), file }, signal);
      const before = this.#snapshots.get(tenant);
      this.#snapshots.set(tenant, snapshot);
      if (before?.revision === snapshot.revision) return;
      this.#log.info({ tenant, revision: snapshot.revision, sellers: snapshot.size }, 'a policy is applied');
    } catch (error) {
      if (signal.aborted) return;
      const kept = this.#snapshots.get(tenant)?.revision;
      this.#log.error({ err: error, tenant, kept }, 'a policy file is not usable; the last good policy stays');
    }
  }
}
