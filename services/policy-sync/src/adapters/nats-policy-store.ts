// The policies as every instance finds them: the content in the object store, in one of two slots per tenant, and in KV a pointer to
// it. A new content goes into the slot that the pointer does not name, so that who reads the one before can finish.
import { JetStreamApiError } from '@nats-io/jetstream';
import type { ObjectInfo, ObjectStore } from '@nats-io/obj';
import { type PolicyPointer, policyPointer } from '@sidestream/policy';
import type { Bus, BusSession } from '@sidestream/service';
import { z } from 'zod';
import type { FetchedPolicy, PolicyDetails, PolicyStore, StoredPolicy } from '../domain/ports.js';
import { SyncError } from '../domain/sync-error.js';
import { sweepChunks } from './object-sweep.js';

/** One message of an object: it is in flight alone, so that a lease's renewal never waits behind a whole snapshot. */
const chunkBytes = 128 * 1024;
const storeName = 'policy-snapshots';
/** "maximum bytes exceeded", "insufficient resources" and "no room" as JetStream numbers them. */
const fullCodes: readonly number[] = [10_023, 10_028, 10_047, 10_077];

const problem = z.object({ path: z.string(), message: z.string() });
const detailsSchema = z.object({
  basis: z.object({
    validators: z.partialRecord(z.enum(['etag', 'lastModified']), z.string()),
    recipe: z.string(),
    users: z.string(),
  }),
  unmatched: z.int().min(0),
  problems: z.object({ count: z.int().min(0), first: z.array(problem) }),
});
/** What we say in a pointer besides what it must say; other readers ignore it. */
const storedPointer = policyPointer.extend({ details: detailsSchema.optional().catch(undefined) });

export class NatsPolicyStore implements PolicyStore {
  readonly #bus: Bus;
  /** Pointers that a later version or somebody's hand wrote, by tenant: they count as none and are written over. */
  readonly #unreadable = new Map<string, number>();

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  async tidy(signal: AbortSignal): Promise<void> {
    await this.#with(signal, (session) => sweepChunks(session, storeName));
  }

  async read(tenant: string, signal: AbortSignal): Promise<StoredPolicy | undefined> {
    return await this.#with(signal, async (session) => {
      const entry = await session.bucket('policies').get(tenant);
      if (entry?.operation !== 'PUT') return undefined;
      const parsed = parsePointer(entry.string());
      if (parsed === undefined) {
        this.#unreadable.set(tenant, entry.revision);
        return undefined;
      }
      const { pointer, details } = parsed;
      const info = await (await session.objectStore(storeName)).info(pointer.object);
      return { pointer, details, complete: isObjectOf(info, pointer), sequence: entry.revision };
    });
  }

  async replace(
    tenant: string,
    before: StoredPolicy | undefined,
    { bytes, sha256, revision, users, details }: FetchedPolicy,
    at: Date,
    signal: AbortSignal,
  ): Promise<StoredPolicy> {
    const object = before?.pointer.object === slot(tenant, 0) ? slot(tenant, 1) : slot(tenant, 0);
    await this.#with(signal, async (session) => {
      await put(await session.objectStore(storeName), object, bytes, signal);
    });
    signal.throwIfAborted();
    const [fetchedAt, checkedAt] = [at.toISOString(), at.toISOString()];
    const size = { bytes: bytes.length, sha256, users };
    return await this.#point(
      tenant,
      { version: 1, revision, object, ...size, fetchedAt, checkedAt },
      details,
      before,
      signal,
    );
  }

  async confirm(
    tenant: string,
    before: StoredPolicy,
    details: PolicyDetails | undefined,
    at: Date,
    signal: AbortSignal,
  ): Promise<StoredPolicy> {
    const { pointer } = before;
    await this.#with(signal, async (session) => {
      const info = await (await session.objectStore(storeName)).info(pointer.object);
      if (isObjectOf(info, pointer)) return;
      throw new SyncError(
        'store-unavailable',
        `The snapshot ${pointer.object} is gone; it is going to be stored again.`,
      );
    });
    return await this.#point(tenant, { ...pointer, checkedAt: at.toISOString() }, details, before, signal);
  }

  async #point(
    tenant: string,
    pointer: PolicyPointer,
    details: PolicyDetails | undefined,
    before: StoredPolicy | undefined,
    signal: AbortSignal,
  ): Promise<StoredPolicy> {
    const value = JSON.stringify({ ...pointer, details });
    const sequence = await this.#with(signal, async (session) => {
      const bucket = session.bucket('policies');
      const sequence = before?.sequence ?? this.#unreadable.get(tenant);
      this.#unreadable.delete(tenant);
      return sequence === undefined ? await bucket.create(tenant, value) : await bucket.update(tenant, value, sequence);
    });
    return { pointer, details, complete: true, sequence };
  }

  async #with<T>(signal: AbortSignal, work: (session: BusSession) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const { session } = this.#bus;
    if (session === undefined) throw new SyncError('store-unavailable', 'NATS is away.');
    try {
      return await work(session);
    } catch (error) {
      signal.throwIfAborted();
      throw toSyncError(error);
    }
  }
}

/** The name of one of a tenant's two objects. */
function slot(tenant: string, index: 0 | 1): string {
  return `${tenant}/${index}`;
}

function parsePointer(text: string): { pointer: PolicyPointer; details: PolicyDetails | undefined } | undefined {
  try {
    const { details, ...pointer } = storedPointer.parse(JSON.parse(text));
    return { pointer, details };
  } catch {
    return undefined;
  }
}

function isObjectOf(info: ObjectInfo | null, { bytes, sha256 }: PolicyPointer): boolean {
  if (info === null || info.deleted || info.size !== bytes) return false;
  return Buffer.from(info.digest.replace(/^SHA-256=/, ''), 'base64url').toString('hex') === sha256;
}

async function put(store: ObjectStore, name: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  let sent = 0;
  const chunks = new ReadableStream<Uint8Array>({
    pull(controller) {
      // An error here takes back what was sent.
      if (signal.aborted) return controller.error(signal.reason);
      if (sent >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(sent, sent + chunkBytes));
      sent += chunkBytes;
    },
  });
  await store.put({ name, options: { max_chunk_size: chunkBytes } }, chunks);
}

function toSyncError(error: unknown): SyncError {
  if (error instanceof SyncError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof JetStreamApiError && fullCodes.includes(error.code)) {
    return new SyncError(
      'store-full',
      `There is no room for the snapshot in the object store ${storeName}: ${message}.`,
    );
  }
  return new SyncError('store-unavailable', `The policy could not be stored in NATS: ${message}.`, { cause: error });
}
