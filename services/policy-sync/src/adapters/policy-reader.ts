// The policies for those who ask about them: read when asked for, so that an instance that stands by says the same as the active one.
import { type Freshness, type PolicySnapshot, receiveSnapshot } from '@sidestream/policy';
import { type Bus, SidestreamError } from '@sidestream/service';
import type { PolicyStore, StoredPolicy } from '../domain/ports.js';
import { SyncError } from '../domain/sync-error.js';

/** Of a whole snapshot; whoever asked may give up earlier. */
const downloadDeadlineMs = 60_000;

export interface CurrentPolicy {
  readonly stored: StoredPolicy;
  readonly snapshot: PolicySnapshot;
}

export class PolicyReader {
  readonly #bus: Bus;
  readonly #store: PolicyStore;
  /** The last content of each tenant, or its way here: two who ask at once cause one download. */
  readonly #contents = new Map<string, { readonly sha256: string; readonly snapshot: Promise<PolicySnapshot> }>();

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
    const known = this.#contents.get(tenant);
    if (known?.sha256 === pointer.sha256) return known.snapshot;
    const snapshot = this.#download(tenant, pointer, AbortSignal.timeout(downloadDeadlineMs));
    this.#contents.set(tenant, { sha256: pointer.sha256, snapshot });
    snapshot.catch(() => {
      if (this.#contents.get(tenant)?.snapshot === snapshot) this.#contents.delete(tenant);
    });
    return snapshot;
  }

  async #download(tenant: string, pointer: StoredPolicy['pointer'], signal: AbortSignal): Promise<PolicySnapshot> {
    const { session } = this.#bus;
    if (session === undefined) throw new SyncError('store-unavailable', 'NATS is away.');
    const object = await (await session.objectStore('policy-snapshots')).get(pointer.object);
    if (object === null) throw new SyncError('store-unavailable', `The snapshot ${pointer.object} is gone.`);
    // Both fail together; whoever reads the data hears of it.
    object.error.catch(() => undefined);
    return await receiveSnapshot(readAll(object.data, signal), pointer, { source: tenant }, signal);
  }
}

/** The chunks of a stream; ends its reading when the signal aborts, since a lost server is noticed only after a minute. */
async function* readAll(data: ReadableStream<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = data.getReader();
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  aborted.catch(() => undefined);
  try {
    while (true) {
      const { done, value } = await Promise.race([reader.read(), aborted]);
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
