// The records in the KV bucket `registrations`: one writer at a time by their revisions.
import { type Bus, pause, SidestreamError } from '@sidestream/service';
import { type RegistrationRecord, registrationRecordSchema } from '@sidestream/tenant-registration';
import type { RecordStore, StoredRecord } from '../domain/ports.js';

/** A write is tried so often: NATS elects a new leader within a few seconds. */
const attempts = 5;
const againMs = 1_000;

export class KvRecordStore implements RecordStore {
  readonly #bus: Bus;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  async read(tenant: string): Promise<StoredRecord> {
    const entry = await this.#bucket().get(tenant);
    if (entry === null) return { record: {}, revision: undefined };
    // What a person deleted begins anew; so does what nobody can read, which is overwritten.
    if (entry.operation !== 'PUT') return { record: {}, revision: entry.revision };
    return { record: parsed(entry.string()) ?? {}, revision: entry.revision };
  }

  async write(tenant: string, record: RegistrationRecord, revision: number | undefined): Promise<number> {
    const text = JSON.stringify(record);
    for (let attempt = 1; ; attempt += 1) {
      try {
        const bucket = this.#bucket();
        return await (revision === undefined ? bucket.create(tenant, text) : bucket.update(tenant, text, revision));
      } catch (error) {
        const written = await this.#revisionOf(tenant, text);
        if (written !== undefined) return written;
        if (attempt === attempts || isConflict(error)) throw error;
      }
      await pause(againMs, new AbortController().signal);
    }
  }

  /** A write whose acknowledgement was lost has happened all the same. */
  async #revisionOf(tenant: string, text: string): Promise<number | undefined> {
    try {
      const entry = await this.#bucket().get(tenant);
      return entry?.operation === 'PUT' && entry.string() === text ? entry.revision : undefined;
    } catch {
      return undefined;
    }
  }

  #bucket() {
    const session = this.#bus.session;
    if (session === undefined) throw new SidestreamError('not-ready', 'NATS is away: the registrations are kept there');
    return session.bucket('registrations');
  }
}

function parsed(text: string): RegistrationRecord | undefined {
  try {
    return registrationRecordSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Another instance has written since: JetStream's code for a wrong last sequence. */
function isConflict(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 10_071;
}
