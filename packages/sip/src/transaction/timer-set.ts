// The running timers of one transaction, by name.
import type { Clock } from '../clock.js';

/** Named one-shot timers; starting one that runs restarts it. */
export class TimerSet<Name extends string> {
  readonly #clock: Clock;
  readonly #onFire: (name: Name) => void;
  readonly #running = new Map<Name, unknown>();

  constructor(clock: Clock, onFire: (name: Name) => void) {
    this.#clock = clock;
    this.#onFire = onFire;
  }

  start(name: Name, ms: number): void {
    this.stop(name);
    this.#running.set(
      name,
      this.#clock.setTimeout(() => {
        this.#running.delete(name);
        this.#onFire(name);
      }, ms),
    );
  }

  stop(name: Name): void {
    this.#clock.clearTimeout(this.#running.get(name));
    this.#running.delete(name);
  }

  stopAll(): void {
    for (const handle of this.#running.values()) this.#clock.clearTimeout(handle);
    this.#running.clear();
  }
}
