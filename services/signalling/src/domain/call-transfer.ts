// Transfers of a call: the peer of one leg refers the other party to somebody else. To a number (RFC 5589 §6): we call it ourselves, along
// the routes of the referring trunk, and put it into the place of who referred. To a party that it talks to in another call of ours (§7):
// the two calls are joined. One transfer at a time; what fails leaves the call as it was.
import { type Candidate, requestUriAt, type Trunk } from '@sidestream/routing';
import { type Logger, pause } from '@sidestream/service';
import { formatReplaces, parseReferTo, type ReferTarget } from '@sidestream/sip';
import { explained } from './admission.js';
import { joinCalls } from './call-join.js';
import type { CallLegs } from './call-legs.js';
import { mediaTerms } from './call-media.js';
import type { CallMembers } from './call-members.js';
import { passReferral } from './call-passing.js';
import type { NamedTarget } from './call-redirections.js';
import type { Referrals } from './call-referrals.js';
import { within } from './deadline.js';
import { dialWithin, isThere, mayTryNext } from './dialling.js';
import type { Side } from './offer-answer.js';
import type { IncomingReferral, Leg, Refusal, SipFields, Trunking } from './ports.js';
import { LegDescriptions, type RecordIndication } from './recording-awareness.js';
import type { Succession, Vacancy } from './succession.js';
import { relayedStatus, statusOf, type Termination, terminationOf, terminationOfRefusal } from './termination.js';

/** A call as transfers see and change it. */
export interface TransferableCall {
  readonly legs: CallLegs;
  readonly members: CallMembers;
  readonly succession: Succession;
  /** The trunk, by name, from which a party of the other side may take this side's place, as its holder has asked. */
  readonly admitted: Map<Side, string>;
  /** A recording of it goes on. */
  readonly recorded: boolean;
  readonly indication: RecordIndication;
  /** Aborted when the call ends. */
  readonly signal: AbortSignal;
  /** This one, behind this trunk, is in the place of the party on this side. */
  succeeded(side: Side, newcomer: NamedTarget, trunk: Trunk): void;
  /** The dialog of this side is over, and nobody comes in its place. */
  over(side: Side, termination: Termination): void;
  close(termination: Termination): void;
}

export interface CallTransferOptions {
  readonly call: TransferableCall;
  readonly trunking: Trunking;
  readonly referrals: Referrals;
  readonly onTarget: (target: Candidate, answered: boolean) => void;
  readonly log: Logger;
}

/** How long the target may ring; the peer's subscription lasts as long. */
const ringSeconds = 180;
/** Who referred hangs up when it hears of the success (RFC 5589 §6.1); who does not is hung up on. */
const graceMs = 2_000;
const byeDeadlineMs = 5_000;

export class CallTransfer {
  readonly #options: CallTransferOptions;

  constructor(options: CallTransferOptions) {
    this.#options = options;
  }

  /** Answers a REFER; what follows from it runs until the promise resolves, which never rejects. */
  async take(side: Side, from: Trunk, referral: IncomingReferral): Promise<void> {
    const { call, referrals, log } = this.#options;
    const refuse = (status: number, text: string) => referral.refuse(status, explained(status, text));
    if (from.config.refer === 'refuse') return refuse(603, `trunk ${from.name} may not transfer calls`);
    if (call.legs.offers === undefined || call.succession.pending) return refuse(491, 'a transfer goes on already');
    let target: ReferTarget;
    try {
      target = parseReferTo(referral.header('refer-to') ?? '');
    } catch {
      return refuse(400, 'Refer-To can not be read');
    }
    if (target.method !== 'INVITE') return refuse(603, `a reference to ${target.method} is not followed`);
    if (from.config.refer === 'pass') {
      const { trunking } = this.#options;
      return passReferral({ call, side }, target, referral, { trunking, referrals, lastsSeconds: ringSeconds });
    }
    const accept = () => {
      referral.accept(ringSeconds);
      void referral.notify(100);
    };
    const named = target.replaces && referrals.legNamed(target.replaces, from);
    if (named !== undefined) {
      if ('call' in named && named.call.succession.pending) return refuse(491, 'a transfer goes on in the other call');
      accept();
      if (!('call' in named)) return void referral.notify(named.refused);
      // Both dialogs are of one call: nobody would be left in it.
      if (named.call === call) return void referral.notify(481);
      return joinCalls({ call, side }, named, referral, referrals, log);
    }
    const candidates = this.#candidates(from, target);
    if (candidates.length === 0) return refuse(404, 'no route takes the call to the transfer target');
    accept();
    const vacancy = call.succession.open(side);
    try {
      await this.#transfer(vacancy, from, target, candidates, referral);
    } finally {
      vacancy.close();
    }
  }

  /** A dialog that is not ours is one between parties on the side of who refers: nobody else is to have it replaced. */
  #candidates(from: Trunk, target: ReferTarget): readonly Candidate[] {
    const { call, referrals } = this.#options;
    const candidates = referrals.route(from, call.members.facts, target);
    if (target.replaces === undefined) return candidates;
    return candidates.filter(({ trunk }) => trunk.tenant === from.tenant && trunk.side === from.side);
  }

  async #transfer(
    vacancy: Vacancy,
    from: Trunk,
    target: ReferTarget,
    candidates: readonly Candidate[],
    referral: IncomingReferral,
  ): Promise<void> {
    const { call, log } = this.#options;
    const { legs, members, signal } = call;
    const { side } = vacancy;
    try {
      const reached = await this.#dial(side, target, candidates, (status) => void referral.notify(status));
      if ('kind' in reached) {
        log.info({ status: reached.status }, 'the transfer target refuses the call');
        await legs.offers?.restore(side, mediaTerms(from));
        void referral.notify(relayedStatus(reached.status));
        if (vacancy.left) call.over(side, terminationOfRefusal(reached.status, reached.reason, true));
        return;
      }
      const before = legs.of(side);
      await this.#join(side, reached);
      const gone = legs.succeed(side, reached.leg);
      vacancy.close();
      call.succeeded(side, { uri: target.uri, by: members.trunkOf(side) }, reached.candidate.trunk);
      await referral.notify(200);
      if (before !== undefined) await this.#dismiss(before, gone);
    } catch (error) {
      log.warn({ err: error, side }, 'a transfer failed; the call stays as it was');
      if (!signal.aborted) await legs.offers?.restore(side, mediaTerms(from));
      void referral.notify(statusOf(error));
      if (vacancy.left) call.over(side, terminationOf(error));
    }
  }

  /** The other party agrees to the newcomer's media, or the newcomer is sent away. */
  async #join(side: Side, { leg, sdp, offered }: Reached): Promise<void> {
    const { legs, signal } = this.#options.call;
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
    target: ReferTarget,
    candidates: readonly Candidate[],
    onProgress: (status: number) => void,
  ): Promise<Reached | Refusal> {
    const { call, trunking, onTarget, log } = this.#options;
    const { legs, members, signal } = call;
    const more: SipFields = target.replaces ? { Replaces: formatReplaces(target.replaces), Require: 'replaces' } : {};
    let refused: Refusal = { kind: 'refused', status: 480, reason: 'no target' };
    for (const [index, candidate] of candidates.entries()) {
      const offered = (await legs.offers?.offerFor(side, mediaTerms(candidate.trunk))) ?? '';
      const uri = requestUriAt(candidate, candidate.user);
      const own = trunking.ownAddress(candidate.protocol);
      const last = index + 1 === candidates.length;
      let rang = false;
      let early = '';
      const outcome = await dialWithin(
        trunking,
        {
          trunk: candidate.trunk.name,
          uri,
          protocol: candidate.protocol,
          headers: { ...members.headersFor(side, candidate, uri.replace(/;.*$/, ''), own), ...more },
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
    await pause(graceMs, AbortSignal.any([gone, this.#options.call.signal]));
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
