// The two dialogs of a call: what the peer of one does reaches the other, and the end of either is told.
import type { Logger } from '@sidestream/service';
import type { RecordingsOfCall } from './call-recording.js';
import { within } from './deadline.js';
import { type AgreedLeg, OfferAnswer, opposite, type Side } from './offer-answer.js';
import { flowsBothWays, type PartyFlows, partyFlows } from './party-flows.js';
import type { IdentityClaim, IncomingInfo, IncomingReferral, Leg, MediaSession, OfferingLeg } from './ports.js';
import { statusOf, type Termination, terminated } from './termination.js';

export interface CallLegsOptions {
  readonly recordings: RecordingsOfCall;
  readonly onOver: (side: Side, termination: Termination) => void;
  readonly onIdentity: (side: Side, claim: IdentityClaim) => void;
  readonly onReferral: (side: Side, referral: IncomingReferral) => void;
  /** Aborted when the call ends. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

const infoDeadlineMs = 10_000;
const byeDeadlineMs = 5_000;

export class CallLegs {
  readonly #options: CallLegsOptions;
  #near: Leg | undefined;
  #far: Leg | undefined;
  #offering: OfferingLeg | undefined;
  #offerAnswer: OfferAnswer | undefined;
  #flows: (() => PartyFlows) | undefined;
  #agreed: Record<Side, AgreedLeg> | undefined;
  /** Legs whose place another one has taken, with what is to be told of their end. */
  readonly #replaced = new Map<Leg, AbortController>();

  constructor(options: CallLegsOptions) {
    this.#options = options;
  }

  get near(): Leg | undefined {
    return this.#near;
  }

  get far(): Leg | undefined {
    return this.#far;
  }

  of(side: Side): Leg | undefined {
    return side === 'near' ? this.#near : this.#far;
  }

  /** A party has said that media does not flow both ways now. */
  get held(): boolean {
    return this.#flows !== undefined && !flowsBothWays(this.#flows());
  }

  /** What there is of the far side, answered by us or not. */
  get farHeld(): Pick<Leg, 'bye'> | undefined {
    return this.#far ?? this.#offering;
  }

  /** The far side has answered with an offer of its own. */
  takeOffering(leg: OfferingLeg): void {
    this.#offering = leg;
  }

  /** Answers the far side's offer. Rejects as the edge does. */
  async answerFar(sdp: string): Promise<void> {
    if (this.#offering === undefined) return;
    const leg = await this.#offering.answer(sdp);
    this.take('far', leg);
    this.listen('far', leg);
  }

  /** A dialog has been made. */
  take(side: Side, leg: Leg): void {
    if (side === 'near') this.#near = leg;
    else this.#far = leg;
  }

  /** From now on what the peer does counts. */
  listen(side: Side, leg: Leg): void {
    // One that another has replaced has no say any more, though its dialog may last a little longer.
    const speaks = () => this.of(side) === leg;
    leg.listen({
      offer: (offer) => {
        if (this.#offerAnswer === undefined || this.#options.signal.aborted || !speaks()) return offer.refuse(491);
        void this.#offerAnswer.handle(side, offer);
      },
      info: (info) => (speaks() ? void this.#relayInfo(side, info) : info.respond(481)),
      identified: (claim) => {
        if (speaks()) this.#options.onIdentity(side, claim);
      },
      refer: (referral) => (speaks() ? this.#options.onReferral(side, referral) : referral.refuse(481)),
      ended: (cause, detail) => {
        const replaced = this.#replaced.get(leg);
        if (replaced !== undefined) return replaced.abort();
        this.#options.onOver(side, legTermination(cause, `${side} side: ${detail}`));
      },
    });
  }

  /** Both have agreed on this: later offers of either pass from now on. */
  agreed(media: MediaSession, legs: Record<Side, AgreedLeg>): void {
    const { recordings, onOver, signal, log } = this.#options;
    this.#agreed = legs;
    const flows = () => {
      const [customer, seller] = legs.far.party === 'seller' ? [legs.near, legs.far] : [legs.far, legs.near];
      return partyFlows({ customer: customer.remote, seller: seller.remote });
    };
    this.#flows = flows;
    this.#offerAnswer = new OfferAnswer({
      media,
      legs,
      onChanged: () => recordings.refresh(flows()),
      onDescribed: (side, sdp) => recordings.prefer(side, sdp),
      indication: () => recordings.indication,
      onLegGone: (side, status) => {
        // RFC 3261 §12.2.1.2: a BYE, though it will not be understood, so that the edge does not keep the dialog.
        void legs[side].leg.bye(undefined, AbortSignal.timeout(byeDeadlineMs));
        onOver(side, terminated('far-side-failed', `${side} leg answered ${status} to an offer`));
      },
      signal,
      log,
    });
    this.#offerAnswer.indicate();
    if (!flowsBothWays(flows())) recordings.refresh(flows());
  }

  /** Tells record-aware legs what has become of the recording. */
  indicate(): void {
    this.#offerAnswer?.indicate();
  }

  /** Offers within the call; undefined before it is up. */
  get offers(): OfferAnswer | undefined {
    return this.#offerAnswer;
  }

  /** What has been agreed on with this side. */
  agreedWith(side: Side): AgreedLeg | undefined {
    return this.#agreed?.[side];
  }

  /** What the leg of this side has agreed on is this from now on. */
  agree(side: Side, leg: AgreedLeg): void {
    if (this.#agreed !== undefined) this.#agreed[side] = leg;
  }

  /** The peer has left while another one is awaited in its place, or goes on in another call. */
  drop(side: Side): void {
    if (side === 'near') this.#near = undefined;
    else this.#far = undefined;
  }

  /**
   * Another leg, which the other party has agreed to, is in this one's place from now on.
   * @returns aborted when the replaced one is over
   */
  succeed(side: Side, leg: Leg): AbortSignal {
    const before = this.of(side);
    const gone = new AbortController();
    if (before === undefined) gone.abort();
    else this.#replaced.set(before, gone);
    this.take(side, leg);
    this.listen(side, leg);
    return gone.signal;
  }

  async #relayInfo(side: Side, info: IncomingInfo): Promise<void> {
    const { signal, onOver } = this.#options;
    const otherSide = opposite(side);
    const other = this.of(otherSide);
    if (other === undefined) return info.respond(480);
    try {
      const status = await other.info(info.contentType, info.body, within(signal, infoDeadlineMs));
      info.respond(status);
      // RFC 5057 §5.1: it does not know the dialog any more.
      if (status === 481) onOver(otherSide, terminated('far-side-failed', `${otherSide} leg answered 481 to INFO`));
    } catch (error) {
      info.respond(statusOf(error));
    }
  }
}

function legTermination(cause: 'hangup' | 'ack-timeout' | 'session-expired', detail: string): Termination {
  switch (cause) {
    case 'hangup':
      return terminated('hangup', detail);
    case 'ack-timeout':
      return terminated('no-ack', detail);
    case 'session-expired':
      return terminated('session-expired', detail);
    default:
      return unknownCause(cause);
  }
}

function unknownCause(cause: never): never {
  throw new TypeError(`unknown cause ${JSON.stringify(cause)}`);
}
