// Connections that we opened, one per target and identity; whoever asks while a dial is on its way waits for that dial.
import { SipError } from '../sip-error.js';
import type { Flow, Target } from './flow.js';

type Dial = (target: Target, signal: AbortSignal) => Promise<Flow>;

interface Dialling {
  readonly promise: Promise<Flow>;
  readonly abort: AbortController;
  waiters: number;
}

/** Reuse of connections. An entry leaves with its connection, so the pool is never larger than what is open. */
export class ConnectionPool {
  readonly #dial: Dial;
  readonly #open = new Map<string, Flow>();
  readonly #dialling = new Map<string, Dialling>();

  constructor(dial: Dial) {
    this.#dial = dial;
  }

  /** Connections open or being opened. */
  get size(): number {
    return this.#open.size + this.#dialling.size;
  }

  /**
   * The open connection to a target, or a new one. The dial is given up when nobody waits for it any more.
   * @throws SipError `cancelled` on the signal, else what the dial throws
   */
  async flow(target: Target, signal?: AbortSignal): Promise<Flow> {
    if (signal?.aborted) throw cancelled(target);
    // The identity's key changes with its files: then the old connection stays with those who hold it.
    const key = [
      target.protocol,
      target.host,
      target.port,
      target.servername,
      target.identity?.key,
      target.local?.host,
    ].join('|');
    const open = this.#open.get(key);
    if (open !== undefined && !open.closed) return open;
    const dialling = this.#dialling.get(key) ?? this.#start(key, target);
    dialling.waiters += 1;
    try {
      return await withSignal(dialling.promise, target, signal);
    } finally {
      dialling.waiters -= 1;
      if (dialling.waiters === 0 && this.#dialling.get(key) === dialling) {
        this.#dialling.delete(key);
        dialling.abort.abort();
      }
    }
  }

  /** Forgets a connection that has closed. */
  remove(flow: Flow): void {
    for (const [key, open] of this.#open) if (open === flow) this.#open.delete(key);
  }

  /** Gives up what is being dialled; open connections are their owner's to close. */
  close(): void {
    for (const dialling of this.#dialling.values()) dialling.abort.abort();
    this.#dialling.clear();
    this.#open.clear();
  }

  #start(key: string, target: Target): Dialling {
    const abort = new AbortController();
    const promise = this.#dial(target, abort.signal).finally(() => {
      if (this.#dialling.get(key) === dialling) this.#dialling.delete(key);
    });
    const dialling: Dialling = { promise, abort, waiters: 0 };
    this.#dialling.set(key, dialling);
    promise.then(
      (flow) => {
        // Given up at the very moment of success: nobody would ever use or close it.
        if (abort.signal.aborted) flow.close();
        else if (!flow.closed) this.#open.set(key, flow);
      },
      () => undefined,
    );
    return dialling;
  }
}

function withSignal(promise: Promise<Flow>, target: Target, signal: AbortSignal | undefined): Promise<Flow> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(cancelled(target));
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function cancelled(target: Target): SipError {
  return new SipError('cancelled', `${target.host}:${target.port}: connecting was cancelled`);
}
