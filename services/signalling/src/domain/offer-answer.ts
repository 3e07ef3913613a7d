// Offers within a call: re-INVITE or UPDATE of either leg, relayed to the other one through the media relay (RFC 3264, RFC 3261 §14).
// One exchange at a time; a failed one leaves the call as it was. Knows nothing of how the call began or ends.
import { randomInt } from 'node:crypto';
import { type Logger, SidestreamError } from '@sidestream/service';
import { explained } from './admission.js';
import { within } from './deadline.js';
import type { Party } from './parties.js';
import type { IncomingOffer, Leg, MediaSession, MediaTerms, PartyTerms } from './ports.js';
import { type LegDescriptions, type RecordIndication, sameMedia, withoutHold } from './recording-awareness.js';
import { PartyRefusal, relayedStatus, statusOf } from './termination.js';

export type Side = 'near' | 'far';

/** What an established call has agreed on one leg. */
export interface AgreedLeg {
  readonly leg: Leg;
  readonly party: Party;
  /** The last SDP that the peer gave. */
  remote: string;
  /** The last SDP that we gave the peer, without what we add of recording. */
  local: string;
  readonly descriptions: LegDescriptions;
}

export interface OfferAnswerOptions {
  readonly media: MediaSession;
  /** As they are now: a transfer puts another one into its place. */
  readonly legs: Record<Side, AgreedLeg>;
  /** Something about the media changed: address, direction or codec. */
  readonly onChanged: () => void;
  /** A leg does not know the dialog any more, or does not answer (RFC 5057 §5.1). */
  readonly onLegGone: (side: Side, status: number) => void;
  /** A leg whose user agent is record-aware has described its media anew. */
  readonly onDescribed: (side: Side, sdp: string) => void;
  /** Whether the call is being recorded now. */
  readonly indication: () => RecordIndication;
  /** Aborted when the call ends. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** What the media of a place's trunk may be, when a newcomer from another one takes it. */
export interface TermsOfPlace {
  readonly newcomer: MediaTerms;
  readonly before: MediaTerms;
}

type Exchanged =
  | { readonly kind: 'agreed' }
  /** `why` is of our own making; the other leg's refusal goes without a word of ours. */
  | { readonly kind: 'refused'; readonly status: number; readonly why?: string };

/** Longer than the INVITE transaction's own 64*T1, so that the transaction speaks first. */
const answerDeadlineMs = 35_000;
const mediaDeadlineMs = 2_000;
/** How often an offer of ours is tried again when the peer is not ready for it. */
const maxAttempts = 6;

export class OfferAnswer {
  readonly #options: OfferAnswerOptions;
  /** Whose exchange is going on: a leg's, or one of our own. */
  #busy: Side | 'us' | undefined;
  #attempts = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(options: OfferAnswerOptions) {
    this.#options = options;
  }

  /** Takes an offer of one leg and answers it, whatever comes of it. Never rejects. */
  async handle(side: Side, offer: IncomingOffer): Promise<void> {
    if (this.#busy !== undefined) return refuseOverlap(offer, this.#busy === side);
    this.#busy = side;
    try {
      if (offer.sdp === '') await this.#lateOffer(side, offer);
      else await this.#relay(side, offer);
    } catch (error) {
      // The leg or the edge went away in the middle: the call's own events end it.
      this.#options.log.debug({ err: error, side }, 'an offer within the call came to nothing');
      offer.refuse(statusOf(error));
    } finally {
      this.#done();
    }
  }

  /**
   * What a newcomer may be offered who is to take this leg's place: what the other one described last, as if nobody held.
   * @throws SidestreamError
   */
  offerFor(side: Side, terms: MediaTerms): Promise<string> {
    return this.alone(() => this.#offerFor(side, terms));
  }

  #offerFor(side: Side, terms: MediaTerms): Promise<string> {
    const { media, legs, signal } = this.#options;
    const other = legs[opposite(side)];
    const party = legs[side].party;
    return media.update(other.party, withoutHold(other.remote), within(signal, mediaDeadlineMs), { [party]: terms });
  }

  /** The newcomer has not come: the relay hears again what the leg and the other one have agreed on. Never rejects. */
  async restore(side: Side, terms: MediaTerms): Promise<void> {
    const { legs } = this.#options;
    await this.alone(() => this.#rollBack(legs[side], legs[opposite(side)], { [legs[side].party]: terms }));
  }

  /**
   * Puts a newcomer, who has answered an offer, into this leg's place: the other one is offered its media. What fails leaves the call as it
   * was.
   * @throws SidestreamError when the other one does not agree
   */
  async replace(side: Side, newcomer: AgreedLeg): Promise<void> {
    await this.alone(() => this.#seat(side, newcomer));
  }

  /**
   * The same with one who has a dialog with us already, or an INVITE without an offer: it is offered the other one's media first.
   * @param meet makes the newcomer that offer; resolves with what it has agreed to
   * @param there aborted when the newcomer is gone
   * @throws SidestreamError, and what `meet` throws
   */
  adopt(
    side: Side,
    terms: TermsOfPlace,
    meet: (offer: string) => Promise<AgreedLeg>,
    there: AbortSignal,
  ): Promise<AgreedLeg> {
    return this.#replacing(side, terms.before, async (onSeated) => {
      const newcomer = await meet(await this.#offerFor(side, terms.newcomer));
      there.throwIfAborted();
      if (newcomer.remote === '')
        throw new SidestreamError('not-acceptable-here', 'the newcomer has not answered the offer');
      await this.#seat(side, newcomer);
      onSeated();
      there.throwIfAborted();
      return newcomer;
    });
  }

  /**
   * The same with one who makes an offer: the other one is offered its media, then it is answered.
   * @param newcomer `remote`: its offer
   * @param accept sends it the answer; resolves with its leg
   * @throws SidestreamError, and what `accept` throws
   */
  admit(
    side: Side,
    terms: TermsOfPlace,
    newcomer: Omit<AgreedLeg, 'leg' | 'local'>,
    accept: (answer: string) => Promise<Leg>,
  ): Promise<Leg> {
    const { legs } = this.#options;
    return this.#replacing(side, terms.before, async (onSeated) => {
      // Nothing is sent to the leg in whose place it is before it has one of its own.
      const seated: AgreedLeg = { ...newcomer, leg: legs[side].leg, local: '' };
      await this.#seat(side, seated, { [newcomer.party]: terms.newcomer });
      onSeated();
      const leg = await accept(seated.local);
      legs[side] = { ...seated, leg };
      this.#described(side, newcomer.remote);
      return leg;
    });
  }

  /** What fails leaves the call as it was. */
  #replacing<T>(side: Side, terms: MediaTerms, work: (onSeated: () => void) => Promise<T>): Promise<T> {
    const { legs, signal } = this.#options;
    return this.alone(async () => {
      const before = legs[side];
      let seated = false;
      try {
        return await work(() => {
          seated = true;
        });
      } catch (error) {
        legs[side] = before;
        await this.#rollBack(before, legs[opposite(side)], { [before.party]: terms });
        // The newcomer has gone after the other one had agreed to it: that one is offered again what it had.
        if (seated && !signal.aborted) await this.#exchange(side, before.remote);
        throw error;
      }
    });
  }

  async #seat(side: Side, newcomer: AgreedLeg, terms?: PartyTerms): Promise<void> {
    const { legs } = this.#options;
    const before = legs[side];
    legs[side] = newcomer;
    const outcome = await this.#exchange(side, newcomer.remote, terms);
    if (outcome.kind === 'agreed') return;
    legs[side] = before;
    throw new PartyRefusal(outcome.status, 'the other party');
  }

  /** Runs it once no exchange is going on, each of which is bounded; meanwhile offers are refused as during any other. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    while (this.#busy !== undefined) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#busy = 'us';
    try {
      return await work();
    } finally {
      this.#done();
    }
  }

  /** Whoever waits comes first; then the legs may be told of the recording. */
  #done(): void {
    this.#busy = undefined;
    const next = this.#waiting.shift();
    if (next === undefined) this.indicate();
    else next();
  }

  /** Tells each leg whose user agent is record-aware what it does not know yet (RFC 7866 §6.2). Returns at once, never throws. */
  indicate(): void {
    const { legs, signal, indication } = this.#options;
    // Whoever is busy calls again when it is done.
    if (this.#busy !== undefined || signal.aborted) return;
    const side = (['near', 'far'] as const).find((one) => legs[one].descriptions.owes(indication()));
    if (side === undefined) return;
    this.#busy = 'us';
    void this.#indicateTo(side).then((againMs) => {
      if (againMs === 0) return this.#done();
      setTimeout(() => this.indicate(), againMs).unref();
      this.#busy = undefined;
      this.#waiting.shift()?.();
    });
  }

  /** Resolves with the time after which to try again; 0: not at all. Never rejects. */
  async #indicateTo(side: Side): Promise<number> {
    const { legs, signal, log, indication, onLegGone } = this.#options;
    const own = legs[side];
    const now = indication();
    let status = 0;
    try {
      const response = await own.leg.reinvite(
        own.descriptions.describe(own.local, now),
        within(signal, answerDeadlineMs),
      );
      status = response.status;
      if (status < 300) {
        this.#attempts = 0;
        const moved = !sameMedia(response.sdp, own.remote);
        own.remote = moved ? own.remote : response.sdp;
        if (!moved) this.#described(side, response.sdp);
        else await this.#exchange(side, response.sdp);
        return 0;
      }
    } catch (error) {
      log.debug({ err: error, side }, 'a leg could not be told of the recording');
    }
    if (status === 481 || status === 408) onLegGone(side, status);
    this.#attempts += 1;
    // 491, or 500 with a request of its own in progress (RFC 3261 §14.1, §14.2): later.
    if ((status === 491 || status === 500) && this.#attempts < maxAttempts) {
      own.descriptions.forget();
      return side === 'far' ? randomInt(2_100, 4_000) : randomInt(10, 2_000);
    }
    this.#attempts = 0;
    log.warn({ side, status }, 'a record-aware leg did not take what it was told of the recording');
    return 0;
  }

  /** RFC 3264 §5: an offer without SDP asks for ours; the ACK answers it. */
  async #lateOffer(side: Side, offer: IncomingOffer): Promise<void> {
    const own = this.#options.legs[side];
    const answer = await offer.answer(this.#describe(own));
    if (answer === '' || answer === own.remote) return;
    // The peer answered with something new: it is relayed as its offer would be, and a refusal leaves the other leg as it is.
    const outcome = await this.#exchange(side, answer);
    if (outcome.kind === 'refused')
      this.#options.log.warn({ side, status: outcome.status }, 'the answer in an ACK could not be relayed');
  }

  async #relay(side: Side, offer: IncomingOffer): Promise<void> {
    const own = this.#options.legs[side];
    // Byte for byte the same description: a session refresh (RFC 4028 §7.4), which is no business of the other leg.
    if (offer.sdp === own.remote) {
      await offer.answer(this.#describe(own));
      return;
    }
    const outcome = await this.#exchange(side, offer.sdp);
    if (outcome.kind === 'agreed') await offer.answer(this.#describe(own));
    else offer.refuse(outcome.status, outcome.why === undefined ? {} : explained(outcome.status, outcome.why));
  }

  async #exchange(side: Side, sdp: string, terms?: PartyTerms): Promise<Exchanged> {
    const { media, legs, signal, log, onChanged, onLegGone } = this.#options;
    const otherSide = opposite(side);
    const own = legs[side];
    const other = legs[otherSide];
    try {
      const offered = await media.update(own.party, sdp, within(signal, mediaDeadlineMs), terms);
      const response = await other.leg.reinvite(this.#describe(other, offered), within(signal, answerDeadlineMs));
      if (response.status >= 300) {
        await this.#rollBack(own, other);
        // Whoever offered hears the refusal before the end.
        if (response.status === 481 || response.status === 408)
          setImmediate(() => onLegGone(otherSide, response.status));
        return { kind: 'refused', status: relayedStatus(response.status) };
      }
      const answer = await media.answer(other.party, response.sdp, within(signal, mediaDeadlineMs));
      own.remote = sdp;
      own.local = answer;
      other.remote = response.sdp;
      other.local = offered;
      onChanged();
      this.#described(side, sdp);
      this.#described(otherSide, response.sdp);
      return { kind: 'agreed' };
    } catch (error) {
      log.warn({ err: error, side }, 'an offer within the call failed; the session stays as it was');
      await this.#rollBack(own, other);
      return { kind: 'refused', status: statusOf(error), why: SidestreamError.from(error).message };
    }
  }

  #described(side: Side, sdp: string): void {
    const { legs, onDescribed } = this.#options;
    if (legs[side].leg.recordAware) onDescribed(side, sdp);
  }

  #describe({ descriptions, local }: AgreedLeg, sdp = local): string {
    return descriptions.describe(sdp, this.#options.indication());
  }

  /** The relay heard an offer that came to nothing: hearing the last good pair again puts it back. */
  async #rollBack(own: AgreedLeg, other: AgreedLeg, terms?: PartyTerms): Promise<void> {
    const { media, signal, log } = this.#options;
    if (signal.aborted) return;
    try {
      await media.update(own.party, own.remote, within(signal, mediaDeadlineMs), terms);
      await media.answer(other.party, other.remote, within(signal, mediaDeadlineMs));
    } catch (error) {
      log.error({ err: error }, 'the media session could not be put back after a failed offer');
    }
  }
}

export function opposite(side: Side): Side {
  return side === 'near' ? 'far' : 'near';
}

/** RFC 3261 §14.2: our own offer is pending → 491; a second offer of the same peer before the first is answered → 500. */
function refuseOverlap(offer: IncomingOffer, samePeer: boolean): void {
  if (samePeer) offer.refuse(500, { 'Retry-After': String(randomInt(0, 11)) });
  else offer.refuse(491);
}
