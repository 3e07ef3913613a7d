// The policies for those who ask about them: read when asked for, so that an instance that stands by says the same as the active one.
import { type Freshness, type PolicySnapshot, receiveSnapshot } from '@sidestream/policy';
import { type Bus, readObject, SidestreamError } from '@sidestream/service';
import type { PolicyStore, StoredPolicy } from '../domain/ports.js';
import { SyncError } from '../domain/sync-error.js';

/** Of a whole snapshot; whoever asked may give up earlier. */
const downloadDeadlineMs = 60_000;
/** Contents are kept up to here, those asked for last; one is kept in any case. */
const maxKeptBytes = 512 * 1024 * 1024;

export interface CurrentPolicy {
  readonly stored: StoredPolicy;
  readonly snapshot: PolicySnapshot;
}

interface Content {
  readonly sha256: string;
  readonly bytes: number;
  readonly snapshot: Promise<PolicySnapshot>;
}

export class PolicyReader {
  readonly #bus: Bus;
  readonly #store: PolicyStore;
  /** The last content of each tenant, or its way here: two who ask at once cause one download. */
  readonly #contents = new Map<string, Content>();

  constructor(bus: Bus, store: PolicyStore) {
    this.#bus = bus;
    this.#store = store;
  }

  /** How the tenant's policy is stored. @throws SidestreamError `policy-unavailable` when nobody can know */
  async stored(tenant: string, signal: AbortSignal): Promise<StoredPolicy | undefined> {
    try {
      return await this.#store.read(tenant, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw new SidestreamError('policy-unavailable', messageOf(error), { cause: error });
    }
  }

  /**
   * The tenant's policy with its content; undefined when there is none.
   * @throws SidestreamError `policy-unavailable`
   */
  async current(
    tenant: string,
    freshness: Omit<Freshness, 'checkedAt'>,
    signal: AbortSignal,
  ): Promise<CurrentPolicy | undefined> {
    let failure: unknown;
    // A content that was replaced while it came here is read again, by the new pointer.
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const stored = await this.stored(tenant, signal);
      if (stored === undefined) return undefined;
      try {
        const content = await this.#content(tenant, stored);
        const checkedAt = new Date(stored.pointer.checkedAt);
        return { stored, snapshot: content.confirmed({ ...freshness, checkedAt }) };
      } catch (error) {
        signal.throwIfAborted();
        failure = error;
      }
    }
    throw new SidestreamError('policy-unavailable', `${tenant}: ${messageOf(failure)}`, { cause: failure });
  }

  #content(tenant: string, { pointer }: StoredPolicy): Promise<PolicySnapshot> {
    const { sha256, bytes } = pointer;
    const known = this.#contents.get(tenant);
    this.#contents.delete(tenant);
    const content =
      known?.sha256 === sha256
        ? known
        : { sha256, bytes, snapshot: this.#download(tenant, pointer, AbortSignal.timeout(downloadDeadlineMs)) };
    this.#contents.set(tenant, content);
    this.#forgetOldest();
    content.snapshot.catch(() => {
      if (this.#contents.get(tenant) === content) this.#contents.delete(tenant);
    });
    return content.snapshot;
  }

  #forgetOldest(): void {
    let kept = [...this.#contents.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    for (const [tenant, { bytes }] of this.#contents) {
      if (kept <= maxKeptBytes || this.#contents.size === 1) return;
      this.#contents.delete(tenant);
      kept -= bytes;
    }
  }

  async #download(tenant: string, pointer: StoredPolicy['pointer'], signal: AbortSignal): Promise<PolicySnapshot> {
    const { session } = this.#bus;
    if (session === undefined) throw new SyncError('store-unavailable', 'NATS is away.');
    return await receiveSnapshot(
      readObject(session, 'policy-snapshots', pointer.object, signal),
      pointer,
      { source: tenant },
      signal,
    );
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
