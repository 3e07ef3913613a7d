/**
 * The ended calls that have been read: the newest ones, again and again, and older ones page by page as somebody asks for them. A record
 * that comes late, or is pushed out of the newest page, is kept in its place.
 */
import { type ReadonlySignal, signal } from '@preact/signals';
import { type ApiError, asApiError } from '../api/api-error.js';
import { recordsInPage } from '../api/gateway.js';
import type { CallRecord } from '../api/shapes.js';

export interface OlderState {
  /** `none`: there are no older ones. `full`: more would help nobody here. */
  readonly state: 'idle' | 'reading' | 'none' | 'full';
  readonly error: ApiError | undefined;
}

/** Records that a page keeps; for more there are exports. */
const mostRecords = 1_000;

export class RecordBook {
  readonly #readBefore: (time: Date) => Promise<readonly CallRecord[]>;
  readonly #older = signal<OlderState>({ state: 'idle', error: undefined });
  readonly #known = new Map<string, CallRecord>();

  constructor(readBefore: (time: Date) => Promise<readonly CallRecord[]>) {
    this.#readBefore = readBefore;
  }

  get older(): ReadonlySignal<OlderState> {
    return this.#older;
  }

  /**
   * The newest ones were read. Where they do not reach back to those that are known, these are forgotten: nobody knows what is between.
   * @returns all that are known, the newest first
   */
  take(newest: readonly CallRecord[]): readonly CallRecord[] {
    if (!newest.some(({ callId }) => this.#known.has(callId))) {
      this.#known.clear();
      this.#settle(newest.length);
    }
    this.#add(newest);
    return this.all();
  }

  /** Reads the page before the oldest one that is known. Never rejects. */
  async readOlder(): Promise<void> {
    const oldest = this.all().at(-1)?.endedAt;
    if (oldest === undefined || this.#older.value.state !== 'idle') return;
    this.#older.value = { state: 'reading', error: undefined };
    try {
      // Those of the same millisecond may be on either side of the page's end.
      const page = await this.#readBefore(new Date(Date.parse(oldest) + 1));
      const before = this.#known.size;
      this.#add(page);
      this.#settle(this.#known.size === before ? 0 : page.length);
    } catch (cause) {
      this.#older.value = { state: 'idle', error: asApiError(cause) };
    }
  }

  /** The newest first. */
  all(): readonly CallRecord[] {
    return [...this.#known.values()].sort((one, other) => endOf(other) - endOf(one));
  }

  #add(records: readonly CallRecord[]): void {
    for (const record of records) this.#known.set(record.callId, record);
    for (const { callId } of this.all().slice(mostRecords)) this.#known.delete(callId);
  }

  #settle(pageLength: number): void {
    const state = pageLength < recordsInPage ? 'none' : this.#known.size >= mostRecords ? 'full' : 'idle';
    this.#older.value = { state, error: undefined };
  }
}

function endOf({ endedAt }: CallRecord): number {
  return endedAt === undefined ? 0 : Date.parse(endedAt);
}
