/** Raises events in Dynamics 365, one after the other, each until it is taken or a bound is reached. Knows no gateway. */
import type { Cif } from './cif.js';
import type { DialerEvent } from './events.js';

export interface RaiserOptions {
  /** Events that come before it is there wait for it; if it rejects, none is raised. */
  readonly cif: Promise<Cif>;
  /** `object` as Microsoft's page for this feature shows, `json` as its reference says. */
  readonly payload: 'object' | 'json';
  /** Whether this call's start is known to have been raised, by this page or the one before it. */
  readonly isStarted: (callId: string) => boolean;
  /** Every event is done with, in order, whether there is anything to raise or not. */
  readonly onSettled: (event: DialerEvent, outcome: RaiseOutcome | undefined) => void;
  readonly onIdle: () => void;
  readonly timing?: Partial<RaiseTiming>;
}

/** No attempt was made where CIF is not there. */
export type RaiseOutcome =
  | { readonly raised: true; readonly attempts: number }
  | { readonly raised: false; readonly attempts: number; readonly reason: string };

export interface RaiseTiming {
  /** The library gives up after 10 s by itself; this is for one that does not. */
  readonly attemptMs: number;
  readonly retryMs: number;
}

const defaults: RaiseTiming = { attemptMs: 12_000, retryMs: 1_000 };
const maxAttempts = 3;

export class Raiser {
  readonly #options: RaiserOptions;
  readonly #timing: RaiseTiming;
  readonly #queue: DialerEvent[] = [];
  readonly #stopped = new AbortController();
  #busy = false;

  constructor(options: RaiserOptions) {
    this.#options = options;
    this.#timing = { ...defaults, ...options.timing };
    // Each event tells of it.
    options.cif.catch(() => undefined);
  }

  /** Events that wait. */
  get waiting(): number {
    return this.#queue.length;
  }

  push(event: DialerEvent): void {
    this.#queue.push(event);
    if (!this.#busy) void this.#work();
  }

  /** Nothing is raised or settled from now on. */
  stop(): void {
    this.#stopped.abort();
    this.#queue.length = 0;
  }

  async #work(): Promise<void> {
    const { signal } = this.#stopped;
    this.#busy = true;
    for (let event = this.#queue.shift(); event; event = this.#queue.shift()) {
      const outcome = event.name === 'CALL_NOT_RECORDED' ? undefined : await this.#raise(event);
      if (signal.aborted) return;
      this.#options.onSettled(event, outcome);
    }
    this.#busy = false;
    this.#options.onIdle();
  }

  async #raise(event: DialerEvent): Promise<RaiseOutcome> {
    const { attemptMs, retryMs } = this.#timing;
    const { signal } = this.#stopped;
    let payload: object = event.payload;
    if (event.name === 'WIDGET_CALL_ENDED' && !this.#options.isStarted(event.payload.callId))
      payload = { ...payload, isCallStarted: false };
    const input = this.#options.payload === 'json' ? JSON.stringify(payload) : payload;
    let attempts = 0;
    let reason = '';
    try {
      const cif = await this.#options.cif;
      while (attempts < maxAttempts && !signal.aborted) {
        attempts += 1;
        const refusal = await attempt(() => cif.raiseEvent(event.name, input, event.id), attemptMs, signal);
        if (refusal === undefined) return { raised: true, attempts };
        reason = refusal;
        if (attempts < maxAttempts) await pause(retryMs * attempts, signal);
      }
    } catch (error) {
      reason = String(error);
    }
    return { raised: false, attempts, reason };
  }
}

/** What speaks against its success, if anything. */
async function attempt(raise: () => Promise<boolean>, ms: number, signal: AbortSignal): Promise<string | undefined> {
  const over = new AbortController();
  const end = () => over.abort();
  signal.addEventListener('abort', end);
  const late = pause(ms, over.signal).then(() => `no answer within ${ms} ms`);
  try {
    const answer = await Promise.race([raise(), late]);
    return typeof answer === 'string' ? answer : answer === false ? 'refused' : undefined;
  } catch (error) {
    return String(error);
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
}

/** Resolves after the time, or at once when it is told to stop. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
