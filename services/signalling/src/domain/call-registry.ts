// The live calls of this instance: who they are, how many there may be. One owner of the count.
import type { CallId } from './identifiers.js';

/** What the registry needs of a call. */
export interface RegisteredCall {
  readonly id: CallId;
}

export class CallRegistry<C extends RegisteredCall> {
  readonly #calls = new Map<CallId, C>();
  readonly #idle = new Set<() => void>();
  readonly maxCalls: number;

  constructor(maxCalls: number) {
    this.maxCalls = maxCalls;
  }

  get size(): number {
    return this.#calls.size;
  }

  get full(): boolean {
    return this.#calls.size >= this.maxCalls;
  }

  get(id: CallId): C | undefined {
    return this.#calls.get(id);
  }

  /** Adds a call that was let in, be it one too many. */
  add(call: C): void {
    this.#calls.set(call.id, call);
  }

  remove(id: CallId): void {
    this.#calls.delete(id);
    if (this.#calls.size === 0) for (const wake of [...this.#idle]) wake();
  }

  /** The calls at this moment. */
  all(): C[] {
    return [...this.#calls.values()];
  }

  /** Resolves with true when no call is left, with false when the signal aborts first. */
  whenIdle(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.#calls.size === 0) return resolve(true);
      const done = () => {
        this.#idle.delete(done);
        signal.removeEventListener('abort', done);
        resolve(this.#calls.size === 0);
      };
      if (signal.aborted) return done();
      this.#idle.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
