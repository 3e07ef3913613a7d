// Blind transfer within a call (RFC 5589 §6): the peer of one leg refers the other party to a number; we call it ourselves, along the
// routes of the referring trunk, and put it into the place of who referred. One at a time; what fails leaves the call as it was.
import { type Candidate, requestUriAt, type Trunk } from '@sidestream/routing';
import { type Logger, pause } from '@sidestream/service';
import { parseReferTo, type ReferTarget } from '@sidestream/sip';
import { explained } from './admission.js';
import type { CallLegs } from './call-legs.js';
import { mediaTerms } from './call-media.js';
import { within } from './deadline.js';
import { dialWithin, isThere, mayTryNext } from './dialling.js';
import type { Side } from './offer-answer.js';
import type { IncomingReferral, Leg, Refusal, SipFields, Trunking } from './ports.js';
import { LegDescriptions } from './recording-awareness.js';
import { relayedStatus, statusOf, type Termination, terminationOf, terminationOfRefusal } from './termination.js';

export interface CallTransferOptions {
  readonly legs: CallLegs;
  readonly trunking: Trunking;
  /** Where the call of this side's peer to the target goes, best first; empty if nowhere. */
  readonly route: (from: Trunk, target: ReferTarget) => readonly Candidate[];
  /** Of the INVITE to the target, which stands for the party that stays. */
  readonly headers: (left: Side, to: Candidate, uri: string) => SipFields;
  readonly onTarget: (target: Candidate, answered: boolean) => void;
  /** The newcomer is in the call. */
  readonly onTransferred: (side: Side, target: ReferTarget, trunk: Trunk) => void;
  /** Who referred had left before, and nobody has come. */
  readonly onOver: (side: Side, termination: Termination) => void;
  /** Aborted when the call ends. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** How long the target may ring; the peer's subscription lasts as long. */
const ringSeconds = 180;
/** Who referred hangs up when it hears of the success (RFC 5589 §6.1); who does not is hung up on. */
const graceMs = 2_000;
const byeDeadlineMs = 5_000;

export class CallTransfer {
  readonly #options: CallTransferOptions;
  /** The transfer that goes on; who refers. */
  #pending: { readonly side: Side } | undefined;
  /** Why the pending one's referrer has left. */
  #left: Termination | undefined;

  constructor(options: CallTransferOptions) {
    this.#options = options;
  }

  /** Answers a REFER; what follows from it runs until the promise resolves, which never rejects. */
  async take(side: Side, from: Trunk, referral: IncomingReferral): Promise<void> {
    const { legs, route } = this.#options;
    const refuse = (status: number, text: string) => referral.refuse(status, explained(status, text));
    if (from.config.refer === 'refuse') return refuse(603, `trunk ${from.name} may not transfer calls`);
    if (legs.offers === undefined || this.#pending !== undefined) return refuse(491, 'a transfer goes on already');
    let target: ReferTarget;
    try {
      target = parseReferTo(referral.header('refer-to') ?? '');
    } catch {
      return refuse(400, 'Refer-To can not be read');
    }
    if (target.method !== 'INVITE') return refuse(603, `a reference to ${target.method} is not followed`);
    if (target.replaces !== undefined) return refuse(603, 'attended transfer is not supported');
    const candidates = route(from, target);
    if (candidates.length === 0) return refuse(404, 'no route takes the call to the transfer target');
    const pending = { side };
    this.#pending = pending;
    this.#left = undefined;
    referral.accept(ringSeconds);
    void referral.notify(100);
    try {
      await this.#transfer(side, from, target, candidates, referral);
    } finally {
      // Another one may have begun while who referred here was still hung up on.
      if (this.#pending === pending) this.#pending = undefined;
    }
  }

  /** The dialog of this side is over. True: its peer has referred the other party, for whom the call goes on. */
  left(side: Side, termination: Termination): boolean {
    if (this.#pending?.side !== side || this.#options.signal.aborted) return false;
    this.#left = termination;
    this.#options.legs.drop(side);
    return true;
  }

  async #transfer(
    side: Side,
    from: Trunk,
    target: ReferTarget,
    candidates: readonly Candidate[],
    referral: IncomingReferral,
  ): Promise<void> {
    const { legs, signal, log, onTransferred, onOver } = this.#options;
    try {
      const reached = await this.#dial(side, candidates, (status) => void referral.notify(status));
      if ('kind' in reached) {
        log.info({ status: reached.status }, 'the transfer target refuses the call');
        await legs.offers?.restore(side, mediaTerms(from));
        void referral.notify(relayedStatus(reached.status));
        if (this.#left) onOver(side, terminationOfRefusal(reached.status, reached.reason, true));
        return;
      }
      const before = side === 'near' ? legs.near : legs.far;
      await this.#join(side, reached);
      const gone = legs.succeed(side, reached.leg);
      this.#pending = undefined;
      onTransferred(side, target, reached.candidate.trunk);
      await referral.notify(200);
      if (before !== undefined) await this.#dismiss(before, gone);
    } catch (error) {
      log.warn({ err: error, side }, 'a transfer failed; the call stays as it was');
      if (!signal.aborted) await legs.offers?.restore(side, mediaTerms(from));
      void referral.notify(statusOf(error));
      if (this.#left) onOver(side, terminationOf(error));
    }
  }

  /** The other party agrees to the newcomer's media, or the newcomer is sent away. */
  async #join(side: Side, { leg, sdp, offered }: Reached): Promise<void> {
    const { legs, signal } = this.#options;
    try {
      signal.throwIfAborted();
      const replaced = legs.agreedWith(side);
      if (replaced === undefined) throw new Error('the call is not up');
      const descriptions = new LegDescriptions(leg.recordAware, offered);
      await legs.offers?.replace(side, { leg, party: replaced.party, remote: sdp, local: offered, descriptions });
      signal.throwIfAborted();
    } catch (error) {
      await leg.bye(undefined, within(undefined, byeDeadlineMs));
      throw error;
    }
  }

  async #dial(
    side: Side,
    candidates: readonly Candidate[],
    onProgress: (status: number) => void,
  ): Promise<Reached | Refusal> {
    const { legs, trunking, headers, onTarget, signal, log } = this.#options;
    let refused: Refusal = { kind: 'refused', status: 480, reason: 'no target' };
    for (const [index, candidate] of candidates.entries()) {
      const offered = (await legs.offers?.offerFor(side, mediaTerms(candidate.trunk))) ?? '';
      const uri = requestUriAt(candidate, candidate.user);
      const last = index + 1 === candidates.length;
      let rang = false;
      let early = '';
      const outcome = await dialWithin(
        trunking,
        {
          trunk: candidate.trunk.name,
          uri,
          protocol: candidate.protocol,
          headers: headers(side, candidate, uri.replace(/;.*$/, '')),
          sdp: offered,
          onSent: () => {},
          onProgress: (status, sdp) => {
            rang = true;
            if (sdp !== '') early = sdp;
            onProgress(status);
          },
        },
        {
          answerMs: ringSeconds * 1_000,
          responseMs: last ? undefined : candidate.trunk.config.failover.timeoutMs,
        },
        signal,
      );
      if (outcome.kind === 'offered') throw new Error('an offer to our offer');
      onTarget(candidate, outcome.kind === 'accepted' || isThere(outcome.status));
      if (outcome.kind === 'accepted')
        return { leg: outcome.leg, sdp: outcome.sdp === '' ? early : outcome.sdp, offered, candidate };
      log.info({ trunk: candidate.trunk.name, status: outcome.status }, 'a transfer target refuses');
      refused = outcome;
      if (rang || !mayTryNext(candidate, outcome.status)) break;
    }
    return refused;
  }

  async #dismiss(leg: Leg, gone: AbortSignal): Promise<void> {
    await pause(graceMs, AbortSignal.any([gone, this.#options.signal]));
    await leg.bye(undefined, within(undefined, byeDeadlineMs));
  }
}

/** A target that has answered. */
interface Reached {
  readonly leg: Leg;
  readonly sdp: string;
  readonly offered: string;
  readonly candidate: Candidate;
}
