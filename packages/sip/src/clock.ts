// Time as an argument. Owns the only calls to Node's timers below the transport layer, so that the timers of RFC 3261 can
// be tested without waiting for them.

/** A source of time and of one-shot timers. */
export interface Clock {
  /** Milliseconds since an arbitrary origin; never goes back. */
  now(): number;
  /** Calls `fn` once, `ms` milliseconds from now. The handle is for `clearTimeout` alone. */
  setTimeout(fn: () => void, ms: number): unknown;
  /** Forgets a timer; harmless for one that has fired. */
  clearTimeout(handle: unknown): void;
}

class SystemTimer {
  readonly timeout: NodeJS.Timeout;

  constructor(fn: () => void, ms: number) {
    this.timeout = setTimeout(fn, ms);
    this.timeout.unref();
  }
}

/** The clock of the machine. Its timers are unref'd: a pending transaction alone never keeps a process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout: (fn, ms) => new SystemTimer(fn, ms),
  clearTimeout(handle) {
    if (handle instanceof SystemTimer) clearTimeout(handle.timeout);
  },
};

interface ManualTimer {
  readonly at: number;
  readonly order: number;
  readonly fn: () => void;
}

/** A clock that moves only when told to; for tests. */
export class ManualClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #timers = new Set<ManualTimer>();

  now(): number {
    return this.#now;
  }

  setTimeout(fn: () => void, ms: number): unknown {
    const timer = { at: this.#now + Math.max(0, ms), order: this.#order++, fn };
    this.#timers.add(timer);
    return timer;
  }

  clearTimeout(handle: unknown): void {
    for (const timer of this.#timers) if (timer === handle) this.#timers.delete(timer);
  }

  /** Number of timers that wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves the time on by `ms` and fires, in order of time, every timer that falls due, those started meanwhile included. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      this.#timers.delete(timer);
      this.#now = timer.at;
      timer.fn();
    }
    this.#now = end;
  }

  #next(end: number): ManualTimer | undefined {
    let first: ManualTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.at > end) continue;
      if (first === undefined || timer.at < first.at || (timer.at === first.at && timer.order < first.order))
        first = timer;
    }
    return first;
  }
}
