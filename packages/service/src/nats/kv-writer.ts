// State written beside the work: the newest value of each key wins, nobody waits for it.
import type { Logger } from '../log.js';
import { pause } from '../pause.js';
import type { Bus, BusSession } from './bus.js';
import type { BucketName } from './layout.js';

/** Changes of so many milliseconds leave together; of one key only the last is written. */
const gatherMs = 20;
/** At most so many keys are on their way at once. */
const maxBatch = 128;

/** Writes and deletes keys in order of first change; bounded by the number of keys that wait. */
export class KvWriter {
  readonly #bus: Bus;
  readonly #log: Logger;
  readonly #capacity: number;
  readonly #waiting = new Map<string, { bucket: BucketName; key: string; value: string | undefined }>();
  readonly #stopping = new AbortController();
  #closing = false;
  #loop: Promise<void> | undefined;

  constructor(bus: Bus, options: { log: Logger; capacity?: number }) {
    this.#bus = bus;
    this.#log = options.log;
    this.#capacity = options.capacity ?? 10_000;
  }

  /** @param key letters, digits and `-/_=.` only, as NATS allows. */
  put(bucket: BucketName, key: string, value: object): void {
    this.#enqueue(bucket, key, JSON.stringify(value));
  }

  delete(bucket: BucketName, key: string): void {
    this.#enqueue(bucket, key, undefined);
  }

  async close(flushMs: number): Promise<void> {
    this.#closing = true;
    const timer = setTimeout(() => this.#stopping.abort(), this.#bus.connected ? flushMs : 0);
    await this.#loop;
    clearTimeout(timer);
    this.#stopping.abort();
  }

  #enqueue(bucket: BucketName, key: string, value: string | undefined): void {
    const id = `${bucket}/${key}`;
    if (!this.#waiting.has(id) && this.#waiting.size >= this.#capacity) {
      this.#log.warn({ bucket, key }, 'too many keys wait for NATS; this one is not written');
      return;
    }
    this.#waiting.set(id, { bucket, key, value });
    this.#start();
  }

  #start(): void {
    if (this.#loop !== undefined || this.#closing) return;
    this.#loop = this.#drain().finally(() => {
      this.#loop = undefined;
      // A change may have come in the very turn in which the loop ended.
      if (this.#waiting.size > 0) this.#start();
    });
  }

  async #drain(): Promise<void> {
    const { signal } = this.#stopping;
    while (this.#waiting.size > 0 && !signal.aborted) {
      await pause(gatherMs, signal);
      const session = this.#bus.session;
      if (session === undefined || !(await this.#write(session))) await pause(200, signal);
    }
  }

  /** Writes the keys that wait, at most maxBatch; false when one has to be tried again. */
  async #write(session: BusSession): Promise<boolean> {
    const outcomes = await Promise.all(
      [...this.#waiting].slice(0, maxBatch).map(async ([id, change]) => {
        try {
          const bucket = session.bucket(change.bucket);
          await (change.value === undefined ? bucket.delete(change.key) : bucket.put(change.key, change.value));
          if (this.#waiting.get(id) === change) this.#waiting.delete(id);
          return true;
        } catch (error) {
          this.#log.debug({ err: error, key: change.key }, 'key not written; retrying');
          return false;
        }
      }),
    );
    return outcomes.every((written) => written);
  }
}
