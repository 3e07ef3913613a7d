// One command after the other: the order in which a session's commands reach the engine is the order they were given in.
import { SidestreamError, spanOf, withSpan } from '@sidestream/service';

/** A re-INVITE, its answer and the forks' renewals wait together at most; more means that the engine does not keep up. */
const maxWaiting = 16;

export class CommandQueue {
  readonly #owner: string;
  #tail: Promise<unknown> = Promise.resolve();
  #size = 0;
  #ended = false;
  #running: AbortController | undefined;

  /** @param owner whose queue it is, for error messages: `session 4711`. */
  constructor(owner: string) {
    this.#owner = owner;
  }

  /**
   * Runs the task when all earlier ones have settled, unless its signal aborted meanwhile.
   *
   * @throws SidestreamError overloaded if too many wait; not-found if the queue ended before the task's turn.
   */
  async run<T>(signal: AbortSignal, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#ended) throw this.#over();
    if (this.#size >= maxWaiting) throw new SidestreamError('overloaded', `${this.#owner}: too many commands wait`);
    this.#size += 1;
    const result = this.#tail
      .then(() => this.#take(signal, task))
      .finally(() => {
        this.#size -= 1;
      });
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /**
   * Takes no more tasks, drops those that wait and resolves when the running one has settled; after `graceMs` its
   * signal is aborted.
   */
  async end(graceMs: number): Promise<void> {
    this.#ended = true;
    const timer = setTimeout(() => this.#running?.abort(this.#over()), graceMs);
    await this.#tail;
    clearTimeout(timer);
  }

  async #take<T>(signal: AbortSignal, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#ended) throw this.#over();
    signal.throwIfAborted();
    // Not AbortSignal.any: Node 20 collects what it returns, and its timeouts, while somebody waits for them.
    const running = new AbortController();
    const onAbort = () => running.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#running = running;
    try {
      return await task(withSpan(running.signal, spanOf(signal)));
    } finally {
      this.#running = undefined;
      signal.removeEventListener('abort', onAbort);
    }
  }

  #over(): SidestreamError {
    return new SidestreamError('not-found', `${this.#owner} has ended`);
  }
}
