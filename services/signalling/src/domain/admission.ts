// May a new call come in now? If not, the answer names what is missing, in the response that the peer's operator reads.
import { SidestreamError } from '@sidestream/service';
import type { MediaRelays, Policies } from './ports.js';

export interface Admission {
  /** Why a new call of this tenant is refused with 503 now; undefined when it may come in. */
  problem(tenant: string): { reason: 'draining' | 'overloaded' | 'not-ready'; text: string } | undefined;
}

export class CallAdmission implements Admission {
  readonly #calls: { readonly full: boolean; readonly maxCalls: number };
  readonly #relays: Pick<MediaRelays, 'unavailable'>;
  readonly #policies: Pick<Policies, 'missing'>;
  #draining = false;
  #stopping = false;

  constructor(
    calls: { readonly full: boolean; readonly maxCalls: number },
    relays: Pick<MediaRelays, 'unavailable'>,
    policies: Pick<Policies, 'missing'>,
  ) {
    this.#calls = calls;
    this.#relays = relays;
    this.#policies = policies;
  }

  /** From now on no new call comes in. */
  drain(): void {
    this.#draining = true;
  }

  /** New calls come in again. @throws SidestreamError `wrong-state` when the process stops: that is not undone. */
  undoDrain(): void {
    if (this.#stopping) throw new SidestreamError('wrong-state', 'this instance stops: its drain is not undone');
    this.#draining = false;
  }

  /** Drains for good. */
  stop(): void {
    this.#stopping = true;
    this.#draining = true;
  }

  get draining(): boolean {
    return this.#draining;
  }

  problem(tenant: string): ReturnType<Admission['problem']> {
    if (this.#draining) return { reason: 'draining', text: 'draining' };
    if (this.#calls.full) return { reason: 'overloaded', text: `${this.#calls.maxCalls} calls are up` };
    const media = this.#relays.unavailable();
    if (media !== undefined) return { reason: 'not-ready', text: `media relay: ${media}` };
    // Without any policy it is unknown who must be recorded; once there was one, the last good one holds.
    if (!this.#policies.missing.includes(tenant)) return undefined;
    return { reason: 'not-ready', text: `policy of tenant ${tenant}: none usable` };
  }
}

/** Header fields of a 503 that says why (RFC 3261 §20.33, §20.43; RFC 3326). `text` is for people. */
export function unavailableHeaders(text: string, retryAfterSeconds: number): Record<string, string> {
  return { 'Retry-After': String(retryAfterSeconds), ...explained(503, text) };
}

/** Warning and Reason of a response of ours: what exactly is wrong. */
export function explained(status: number, text: string): Record<string, string> {
  const quoted = `"${text
    .replace(/[\r\n]+/g, ' ')
    .replace(/["\\]/g, "'")
    .slice(0, 200)}"`;
  return { Warning: `399 sidestream ${quoted}`, Reason: `SIP;cause=${status};text=${quoted}` };
}
