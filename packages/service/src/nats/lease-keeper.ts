// One instance's lease: "I am here, this is where, this is my load". It ends by itself when the instance does.
import type { Logger } from '../log.js';
import { pause } from '../pause.js';
import type { Bus } from './bus.js';
import { leaseTtlMs } from './layout.js';

/** Writes a lease every third of its life while NATS is there; a failed write is retried, never awaited by anyone. */
export class LeaseKeeper<T extends object> {
  readonly #bus: Bus;
  readonly #key: string;
  readonly #value: () => T;
  readonly #log: Logger;
  readonly #stopping = new AbortController();
  #wake = new AbortController();
  #loop: Promise<void> | undefined;

  /** @param options.key `relay.<id>` or `signalling.<id>`; @param options.value read at each write; expiresAt is added for people who look. */
  constructor(bus: Bus, options: { key: string; value: () => T; log: Logger }) {
    this.#bus = bus;
    this.#key = options.key;
    this.#value = options.value;
    this.#log = options.log;
  }

  start(): void {
    this.#loop ??= this.#keep();
  }

  /** The value changed (draining, load): write it now. */
  refresh(): void {
    this.#wake.abort();
  }

  /** Deletes the lease, so that others need not wait for its end. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake.abort();
    await this.#loop;
    try {
      await this.#bus.session?.bucket('leases').delete(this.#key);
    } catch (error) {
      this.#log.warn({ err: error, lease: this.#key }, 'the lease could not be deleted; it expires by itself');
    }
  }

  async #keep(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const expiresAt = new Date(Date.now() + leaseTtlMs).toISOString();
      try {
        await this.#bus.session?.bucket('leases').put(this.#key, JSON.stringify({ ...this.#value(), expiresAt }));
      } catch (error) {
        this.#log.debug({ err: error, lease: this.#key }, 'lease not written; retrying');
      }
      await pause(this.#bus.connected ? leaseTtlMs / 3 : 200, this.#wake.signal);
    }
  }
}
