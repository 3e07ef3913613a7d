// Connections that we opened, one per target and identity; whoever asks while a dial is on its way waits for that dial.
// A connection whose certificate was renewed, or that was asked to be replaced, is retired: those who hold it keep it.
import { SipError } from '../sip-error.js';
import type { Flow, Target } from './flow.js';

/** A connection that the pool may let go of. */
export interface PooledFlow extends Flow {
  /** Nobody new will use the connection: let it end once it is idle. */
  retire(): void;
}

type Dial = (target: Target, signal: AbortSignal) => Promise<PooledFlow>;

interface Open {
  readonly key: string;
  readonly flow: PooledFlow;
}

interface Dialling {
  readonly promise: Promise<PooledFlow>;
  readonly abort: AbortController;
  waiters: number;
}

/** Reuse of connections. An entry leaves with its connection, so the pool is never larger than what is open. */
export class ConnectionPool {
  readonly #dial: Dial;
  // By target and certificate files, whatever these held when the connection was opened.
  readonly #open = new Map<string, Open>();
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
    const { protocol, host, port, servername, identity, local } = target;
    const place = [protocol, host, port, servername, identity?.source, local?.host].join('|');
    // The identity's key changes with what is in its files.
    const key = `${place}|${identity?.key}`;
    const open = this.#open.get(place);
    if (open?.key === key && !open.flow.closed && target.fresh !== true) return open.flow;
    const dialling = this.#dialling.get(key) ?? this.#start(place, key, target);
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
    for (const [place, open] of this.#open) if (open.flow === flow) this.#open.delete(place);
  }

  /** Gives up what is being dialled; open connections are their owner's to close. */
  close(): void {
    for (const dialling of this.#dialling.values()) dialling.abort.abort();
    this.#dialling.clear();
    this.#open.clear();
  }

  #start(place: string, key: string, target: Target): Dialling {
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
        else if (!flow.closed) {
          this.#open.get(place)?.flow.retire();
          this.#open.set(place, { key, flow });
        }
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
