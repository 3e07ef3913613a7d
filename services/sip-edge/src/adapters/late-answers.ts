// INVITEs that failed for their application while the callee may still answer: its connection was lost, or it rang on for
// longer than anybody waited. Kept so that a 2xx that comes late can be acknowledged and hung up.
import type { Clock, SipResponse } from '@sidestream/sip';
import type { OutgoingInvite } from './outgoing-invite.js';

/** A callee rings for no longer than proxies let it (RFC 3261 §16.6: Timer C, more than 3 minutes). */
const keptMs = 200_000;
/** More calls than can fail within that time on one machine; beyond it the oldest goes. */
const maxKept = 10_000;

export class LateAnswers {
  readonly #clock: Clock;
  /** By branch, oldest first. */
  readonly #invites = new Map<string, { readonly invite: OutgoingInvite; readonly until: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  expect(invite: OutgoingInvite): void {
    const now = this.#clock.now();
    for (const [branch, { until }] of this.#invites) {
      if (until > now && this.#invites.size < maxKept) break;
      this.#invites.delete(branch);
    }
    this.#invites.set(invite.transaction.branch, { invite, until: now + keptMs });
  }

  /** The INVITE that this 2xx answers too late. */
  find(response: SipResponse): OutgoingInvite | undefined {
    if (response.cseq.method !== 'INVITE' || response.status < 200 || response.status >= 300) return undefined;
    const kept = this.#invites.get(response.topVia.parameters.get('branch') ?? '');
    return kept !== undefined && kept.until > this.#clock.now() ? kept.invite : undefined;
  }
}
