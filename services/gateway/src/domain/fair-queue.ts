// Work that is dear, shared among users: so much at once, so much that waits, each user in turn. Who asks for more than their share waits
// for themselves, and nobody else.

export interface FairQueueOptions {
  /** Pieces of work at once, in all and for one user. */
  readonly atOnce: number;
  readonly atOncePerUser: number;
  /** That wait, in all and of one user. */
  readonly waiting: number;
  readonly waitingPerUser: number;
  /** How long one may wait. */
  readonly waitMs: number;
}

/** `share`: this user has enough that waits; `full`: all have; `late`: its turn did not come in time. */
export type Denial = 'share' | 'full' | 'late';

export class QueueDenied extends Error {
  override readonly name = 'QueueDenied';
  readonly reason: Denial;

  constructor(reason: Denial) {
    super(`not served: ${reason}`);
    this.reason = reason;
  }
}

export class FairQueue {
  readonly #options: FairQueueOptions;
  /** Who waits, by user; the user whose turn is next comes first. */
  readonly #waiting = new Map<string, (() => void)[]>();
  readonly #running = new Map<string, number>();
  #atOnce = 0;
  #waits = 0;

  constructor(options: FairQueueOptions) {
    this.#options = options;
  }

  /**
   * Does the work when it is this user's turn.
   *
   * @param signal the user has gone: what waits is dropped
   * @throws QueueDenied; the signal's reason; what the work throws
   */
  async run<T>(user: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#turn(user, signal);
    try {
      return await work();
    } finally {
      this.#count(user, -1);
      this.#next();
    }
  }

  /** Resolves when there is a place, which is taken then. */
  #turn(user: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const mine = this.#waiting.get(user) ?? [];
    if (mine.length === 0 && this.#hasPlace(user)) return Promise.resolve(this.#count(user, 1));
    const { waiting, waitingPerUser, waitMs } = this.#options;
    if (mine.length >= waitingPerUser) return Promise.reject(new QueueDenied('share'));
    if (this.#waits >= waiting) return Promise.reject(new QueueDenied('full'));
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', gone);
        this.#waits -= 1;
        const left = (this.#waiting.get(user) ?? []).filter((one) => one !== start);
        if (left.length === 0) this.#waiting.delete(user);
        else this.#waiting.set(user, left);
      };
      const start = () => {
        leave();
        this.#count(user, 1);
        resolve();
      };
      const gone = () => {
        leave();
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        leave();
        reject(new QueueDenied('late'));
      }, waitMs);
      signal.addEventListener('abort', gone, { once: true });
      this.#waits += 1;
      this.#waiting.set(user, [...mine, start]);
    });
  }

  #hasPlace(user: string): boolean {
    const { atOnce, atOncePerUser } = this.#options;
    return this.#atOnce < atOnce && (this.#running.get(user) ?? 0) < atOncePerUser;
  }

  #next(): void {
    for (const [user, [start]] of this.#waiting) {
      if (start === undefined || !this.#hasPlace(user)) continue;
      start();
      // Whose turn it was is last now.
      const left = this.#waiting.get(user);
      if (left === undefined) return;
      this.#waiting.delete(user);
      this.#waiting.set(user, left);
      return;
    }
  }

  #count(user: string, more: number): void {
    this.#atOnce += more;
    const now = (this.#running.get(user) ?? 0) + more;
    if (now === 0) this.#running.delete(user);
    else this.#running.set(user, now);
  }
}
