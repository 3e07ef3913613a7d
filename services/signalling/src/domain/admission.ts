// May a new call come in now? If not, the answer names what is missing, in the response that the peer's operator reads.
import { SidestreamError } from '@sidestream/service';
import type { MediaRelays, Policies } from './ports.js';

export interface Admission {
  /** Why a new call of this tenant is refused with 503 now; undefined when it may come in. A call for help is never one too many. */
  problem(
    tenant: string,
    urgent?: boolean,
  ): { reason: 'draining' | 'overloaded' | 'not-ready'; text: string } | undefined;
}

export class CallAdmission implements Admission {
  readonly #calls: { readonly full: boolean; readonly maxCalls: number };
  readonly #relays: Pick<MediaRelays, 'unavailable'>;
  readonly #policies: Pick<Policies, 'missing'>;
  readonly #overload: { readonly problem: string | undefined };
  #draining = false;
  #stopping = false;

  constructor(
    calls: { readonly full: boolean; readonly maxCalls: number },
    relays: Pick<MediaRelays, 'unavailable'>,
    policies: Pick<Policies, 'missing'>,
    overload: { readonly problem: string | undefined },
  ) {
    this.#calls = calls;
    this.#relays = relays;
    this.#policies = policies;
    this.#overload = overload;
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

  problem(tenant: string, urgent = false): ReturnType<Admission['problem']> {
    if (this.#draining) return { reason: 'draining', text: 'draining' };
    const overload = this.#calls.full ? `${this.#calls.maxCalls} calls are up` : this.#overload.problem;
    if (overload !== undefined && !urgent) return { reason: 'overloaded', text: overload };
    const media = this.#relays.unavailable();
    if (media !== undefined)
      return { reason: media.full ? 'overloaded' : 'not-ready', text: `media relay: ${media.text}` };
    // Without any policy it is unknown who must be recorded; once there was one, the last good one holds.
    if (!this.#policies.missing.includes(tenant)) return undefined;
    return { reason: 'not-ready', text: `policy of tenant ${tenant}: none usable` };
  }
}

/** Bounds of Retry-After: whoever was refused together must not come back together. */
const retryAfterSeconds = { least: 5, most: 10 };

/** Header fields of a 503 that says why (RFC 3261 §20.33, §20.43; RFC 3326). `text` is for people. */
export function unavailableHeaders(text: string, random: () => number = Math.random): Record<string, string> {
  const { least, most } = retryAfterSeconds;
  const seconds = least + Math.floor(random() * (most - least + 1));
  return { 'Retry-After': String(seconds), ...explained(503, text) };
}

/** Warning and Reason of a response of ours: what exactly is wrong. */
export function explained(status: number, text: string): Record<string, string> {
  const quoted = `"${text
    .replace(/[\r\n]+/g, ' ')
    .replace(/["\\]/g, "'")
    .slice(0, 200)}"`;
  return { Warning: `399 sidestream ${quoted}`, Reason: `SIP;cause=${status};text=${quoted}` };
}
