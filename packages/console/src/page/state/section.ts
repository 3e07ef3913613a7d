/**
 * One list of the page and the reading of it: one read at a time with a rest after it, one more if something changed meanwhile, and what
 * is shown stays when a read fails.
 */
import { type ReadonlySignal, signal } from '@preact/signals';
import { type ApiError, asApiError } from '../api/api-error.js';
import { pause } from './pause.js';

export interface SectionState<Value> {
  /** What was read last; undefined before the first answer. */
  readonly value: Value | undefined;
  /** Why the last read failed; undefined when it did not. */
  readonly error: ApiError | undefined;
  /** When `value` was read, Unix milliseconds. */
  readonly readAt: number | undefined;
}

export interface SectionRests {
  /** Between two reads: so a burst of events costs few. */
  readonly restMs: number;
  /** After one that failed; a gateway that is asked too often is not asked more often for that. */
  readonly faultRestMs: number;
}

export class Section<Value> {
  readonly #state = signal<SectionState<Value>>({ value: undefined, error: undefined, readAt: undefined });
  readonly #read: () => Promise<Value>;
  readonly #onError: (error: ApiError) => void;
  readonly #rests: SectionRests;
  #restUntil = 0;
  #hurried = new AbortController();
  #reading: Promise<void> | undefined;
  #again = false;

  /** @param onError told of every failed read, for what concerns the whole page */
  constructor(read: () => Promise<Value>, onError: (error: ApiError) => void, rests: SectionRests) {
    this.#read = read;
    this.#onError = onError;
    this.#rests = rests;
  }

  get state(): ReadonlySignal<SectionState<Value>> {
    return this.#state;
  }

  /** Resolves when what is shown is not older than this moment, or the read failed. Never rejects. */
  refresh(): Promise<void> {
    if (this.#reading !== undefined) this.#again = true;
    this.#reading ??= this.#readAll();
    return this.#reading;
  }

  /** Does without the rest this time: somebody is impatient. */
  hurry(): void {
    this.#restUntil = 0;
    this.#hurried.abort();
    this.#hurried = new AbortController();
  }

  async #readAll(): Promise<void> {
    do {
      const restMs = this.#restUntil - performance.now();
      if (restMs > 0) await pause(restMs, this.#hurried.signal);
      this.#again = false;
      await this.#readOnce();
      const { error } = this.#state.value;
      this.#restUntil = performance.now() + (error === undefined ? this.#rests.restMs : this.#rests.faultRestMs);
    } while (this.#again);
    // In the same turn: who asks after this begins another read.
    this.#reading = undefined;
  }

  async #readOnce(): Promise<void> {
    try {
      this.#state.value = { value: await this.#read(), error: undefined, readAt: Date.now() };
    } catch (cause) {
      const error = asApiError(cause);
      this.#state.value = { ...this.#state.value, error };
      this.#onError(error);
    }
  }
}
