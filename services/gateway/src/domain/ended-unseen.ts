// Calls whose end nobody has told, because the event was dropped or lost with the stream: their own instance lists them no more. Nothing
// here looks at a clock or at a network.
import type { Call } from '@sidestream/proto/calls/v1';
import type { KnownCalls } from './known-calls.js';

/** What the instance has answered. */
export interface Listing {
  readonly instance: string;
  /** When its process began: calls from before it are not missing but lost. */
  readonly sinceMs: number;
  /** Empty: all. */
  readonly tenant: string;
  /** Ids of all its calls of the tenant. */
  readonly callIds: ReadonlySet<string>;
}

interface Missing {
  readonly atMs: number;
  readonly sinceMs: number;
}

export class EndedUnseen {
  readonly #known: Pick<KnownCalls, 'of' | 'call'>;
  readonly #graceMs: number;
  readonly #missing = new Map<string, Missing>();

  /** @param graceMs how long a call must be missing: it may be too new for the list, its end on its way, or the lease of a new process */
  constructor(known: Pick<KnownCalls, 'of' | 'call'>, { graceMs }: { readonly graceMs: number }) {
    this.#known = known;
    this.#graceMs = graceMs;
  }

  /** @returns the calls that have ended without a word */
  take({ instance, sinceMs, tenant, callIds }: Listing, nowMs: number): Call[] {
    for (const callId of this.#missing.keys()) if (this.#known.call(callId) === undefined) this.#missing.delete(callId);
    return this.#known.of(instance).filter((call) => {
      const { callId } = call;
      if (tenant !== '' && call.tenant !== tenant) return false;
      if (callIds.has(callId) || (call.startedAt?.getTime() ?? 0) < sinceMs) {
        this.#missing.delete(callId);
        return false;
      }
      const before = this.#missing.get(callId);
      if (before?.sinceMs === sinceMs) return nowMs - before.atMs >= this.#graceMs;
      this.#missing.set(callId, { atMs: nowMs, sinceMs });
      return false;
    });
  }
}
