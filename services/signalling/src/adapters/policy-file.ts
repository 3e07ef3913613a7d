// The tenants' policies from files: re-read when a file changes, the last good one kept, swapped as a whole.
import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { type CallFacts, type Decision, decide, type PolicySnapshot, parsePolicyFile } from '@sidestream/policy';
import type { Logger } from '@sidestream/service';
import type { CallParties, Direction } from '../domain/parties.js';
import type { Policies } from '../domain/ports.js';

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

  constructor(sources: readonly PolicySource[], log: Logger) {
    this.#sources = new Map(sources.map((source) => [source.tenant, source]));
    this.#log = log;
  }

  /** Reads every file and follows its changes until close(), telling `onChanged` of each. A tenant without a usable file is recorded by nobody, and says so. */
  start(onChanged: () => void = () => {}): void {
    for (const source of this.#sources.values()) {
      this.#read(source);
      const onChange = () => {
        this.#read(source);
        onChanged();
      };
      watchFile(source.file, { interval: pollMs, persistent: false }, onChange);
      this.#stops.push(() => unwatchFile(source.file, onChange));
    }
  }

  close(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  /** Tenants that have no policy at all, for health. */
  get missing(): string[] {
    return [...this.#sources.keys()].filter((tenant) => !this.#snapshots.has(tenant));
  }

  decide(tenant: string, { direction, parties }: { direction: Direction; parties: CallParties }): Decision {
    const facts: CallFacts = { tenant, direction, sellerParty: parties.sellerUris.map((uri) => ({ uri })) };
    return decide(this.#snapshots.get(tenant), facts, this.#sources.get(tenant)?.recorders ?? []);
  }

  #read({ tenant, file }: PolicySource): void {
    try {
      const snapshot = parsePolicyFile(readFileSync(file, 'utf8'), file);
      const before = this.#snapshots.get(tenant);
      this.#snapshots.set(tenant, snapshot);
      if (before?.revision === snapshot.revision) return;
      this.#log.info({ tenant, revision: snapshot.revision, sellers: snapshot.size }, 'a policy is applied');
    } catch (error) {
      const kept = this.#snapshots.get(tenant)?.revision;
      this.#log.error({ err: error, tenant, kept }, 'a policy file is not usable; the last good policy stays');
    }
  }
}
