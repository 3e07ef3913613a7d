// The provider as the domain sees it: everything heavy is done in one thread of its own, which is started again when it dies.
import { type ResourceLimits, Worker } from 'node:worker_threads';
import type { ProviderExchange } from '@sidestream/conversation-intelligence';
import type { Logger } from '@sidestream/service';
import type { Basis, FetchedPolicy, Unchanged, UserSource } from '../domain/ports.js';
import { SyncError } from '../domain/sync-error.js';
import {
  type FetchExchange,
  type FetchNote,
  type FetchReply,
  type FetchRequest,
  type FetchThreadData,
  fromFailure,
} from './fetch-messages.js';

interface Waiting {
  resolve(fetched: FetchedPolicy | Unchanged): void;
  reject(error: unknown): void;
}

export class FetchThread implements UserSource {
  readonly #data: FetchThreadData;
  readonly #log: Logger;
  readonly #onExchange: (exchange: ProviderExchange) => void;
  readonly #limits: ResourceLimits;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #lastId = 0;

  /** @param limits of the thread's memory; without them those of the process */
  constructor(
    data: FetchThreadData,
    log: Logger,
    onExchange: (exchange: ProviderExchange) => void,
    limits: ResourceLimits = {},
  ) {
    this.#data = data;
    this.#log = log;
    this.#onExchange = onExchange;
    this.#limits = limits;
  }

  fetch(tenant: string, basis: Basis | undefined, signal: AbortSignal): Promise<FetchedPolicy | Unchanged> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      this.#lastId += 1;
      const id = this.#lastId;
      const worker = this.#start();
      const send = (request: FetchRequest) => worker.postMessage(request);
      const onAbort = () => {
        send({ kind: 'abort', id });
        settle(() => reject(signal.reason));
      };
      const settle = (finish: () => void) => {
        this.#waiting.delete(id);
        signal.removeEventListener('abort', onAbort);
        finish();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.set(id, {
        resolve: (fetched) => settle(() => resolve(fetched)),
        reject: (error) => settle(() => reject(error)),
      });
      send({ kind: 'fetch', id, tenant, basis });
    });
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(new URL('./fetch-worker.js', import.meta.url), {
      workerData: this.#data,
      resourceLimits: this.#limits,
    });
    this.#worker = worker;
    let why = 'it ended';
    worker.on('message', (said: FetchReply | FetchNote | FetchExchange) => {
      if ('id' in said) this.#settle(said);
      else if ('exchange' in said) this.#onExchange(said.exchange);
      else this.#log[said.level](said.fields, said.message);
    });
    // Out of memory is an error, too: a list that is too large ends the thread and not the process.
    worker.on('error', (error: Error) => {
      why = error.message;
      this.#log.error({ err: error }, 'the fetching thread failed');
    });
    worker.on('exit', () => {
      this.#worker = undefined;
      for (const waiting of [...this.#waiting.values()]) {
        waiting.reject(new SyncError('fetch-failed', `The fetching thread is gone: ${why}.`));
      }
    });
    return worker;
  }

  #settle(reply: FetchReply): void {
    const waiting = this.#waiting.get(reply.id);
    if ('fetched' in reply) waiting?.resolve(reply.fetched);
    else waiting?.reject(fromFailure(reply.failure));
  }
}
