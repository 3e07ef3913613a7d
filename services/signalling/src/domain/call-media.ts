// The media of a call until both sides have agreed: the session at the relay, and the descriptions that go through it in their order.
import { isDeepStrictEqual } from 'node:util';
import type { Trunk } from '@sidestream/routing';
import { type Logger, SidestreamError } from '@sidestream/service';
import type { RecordingsOfCall } from './call-recording.js';
import { within } from './deadline.js';
import type { CallId } from './identifiers.js';
import type { Party } from './parties.js';
import type { MediaRelays, MediaSession, MediaTerms, MediaWatcher } from './ports.js';
import type { LegDescriptions } from './recording-awareness.js';

/** What the media of a trunk's calls may be. */
export function mediaTerms({ config: { codecs, srtp } }: Trunk): MediaTerms {
  return { codecs, srtp };
}

export interface CallMediaOptions {
  readonly relays: MediaRelays;
  readonly callId: CallId;
  readonly nearParty: Party;
  /** What the caller offered; empty for a late offer. */
  readonly offer: string;
  /** Of the trunk that the call came from. */
  readonly nearTerms: MediaTerms;
  readonly nearDescriptions: LegDescriptions;
  readonly recordings: RecordingsOfCall;
  readonly watcher: MediaWatcher;
  /** Aborted when the call ends. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

const mediaDeadlineMs = 2_000;
/** More phones ring at a time for nobody. */
const maxBranches = 32;

export class CallMedia {
  readonly #options: CallMediaOptions;
  readonly #farParty: Party;
  #session: MediaSession | undefined;
  #farTerms: MediaTerms | undefined;
  /** What each branch of a forked INVITE has described. */
  readonly #branches = new Map<string, string>();
  /** The relay hears the far side's descriptions in their order. */
  #order: Promise<void> = Promise.resolve();
  /** `nearAnswer` is `toNear` with what the caller is told of recording. */
  #sdp = { toFar: '', fromFar: '', toNear: '', nearAnswer: '' };

  constructor(options: CallMediaOptions) {
    this.#options = options;
    this.#farParty = options.nearParty === 'customer' ? 'seller' : 'customer';
  }

  get session(): MediaSession | undefined {
    return this.#session;
  }

  get sdp(): Readonly<Record<'toFar' | 'fromFar' | 'toNear' | 'nearAnswer', string>> {
    return this.#sdp;
  }

  /** Resolves when everything has gone through that was given so far; never rejects. */
  get settled(): Promise<void> {
    return this.#order;
  }

  /** Opens the session with the caller's offer, or with the far side's where the caller made none. @throws SidestreamError */
  async open(farTerms: MediaTerms): Promise<void> {
    const { nearParty, offer } = this.#options;
    this.#farTerms = farTerms;
    if (offer !== '') {
      this.#sdp.toFar = await this.#open(nearParty, offer);
      return;
    }
    await this.#order;
    if (this.#sdp.fromFar === '') throw new SidestreamError('not-acceptable-here', 'neither side has made an offer');
    this.#tellNear(await this.#open(this.#farParty, this.#sdp.fromFar));
  }

  /** Another target is tried: what it is offered obeys the terms of its trunk. @throws SidestreamError */
  async offerTo(farTerms: MediaTerms): Promise<void> {
    const { nearParty, offer, signal } = this.#options;
    if (this.#session === undefined || isDeepStrictEqual(farTerms, this.#farTerms)) return;
    this.#farTerms = farTerms;
    const terms = { [this.#farParty]: farTerms };
    this.#sdp.toFar = await this.#session.update(nearParty, offer, within(signal, mediaDeadlineMs), terms);
  }

  async #open(offerer: Party, sdp: string): Promise<string> {
    const { relays, callId, watcher, signal, nearParty, nearTerms } = this.#options;
    const terms = { [nearParty]: nearTerms, [this.#farParty]: this.#farTerms };
    const opened = await relays.open(callId, offerer, sdp, watcher, within(signal, 2 * mediaDeadlineMs), terms);
    this.#session = opened.media;
    return opened.sdp;
  }

  /** The caller has answered the far side's offer; returns what answers it there. @throws SidestreamError */
  async answerOffer(sdp: string): Promise<string> {
    const { nearParty, recordings, signal } = this.#options;
    if (this.#session === undefined || sdp === '')
      throw new SidestreamError('not-acceptable-here', 'the ACK has no answer to the offer');
    this.#sdp.toFar = await this.#session.answer(nearParty, sdp, within(signal, mediaDeadlineMs));
    recordings.refresh();
    return this.#sdp.toFar;
  }

  /** Of several descriptions of the far side the last one that came holds, however long the relay takes for those before it. */
  hear(sdp: string, branch: string): void {
    if (sdp === '') return;
    this.#sdp.fromFar = sdp;
    if (this.#branches.size < maxBranches || this.#branches.has(branch)) this.#branches.set(branch, sdp);
  }

  /** One branch has answered: its own description holds, whatever the others have said after it. */
  heardAnswer(sdp: string, branch: string): void {
    this.#sdp.fromFar = sdp === '' ? (this.#branches.get(branch) ?? '') : sdp;
  }

  /** Hands the caller's view of an early description over, undefined where there is none, behind those before it. */
  relayEarly(sdp: string, handOver: (sdp: string | undefined) => Promise<void>): void {
    this.#after(async () => handOver(await this.#early(sdp)));
  }

  /** The far side has answered with what was heard last. False when the call has ended meanwhile. @throws SidestreamError */
  async answer(): Promise<boolean> {
    await this.#order;
    if (this.#session === undefined || this.#options.signal.aborted) return false;
    if (this.#sdp.fromFar === '')
      throw new SidestreamError('not-acceptable-here', 'the far side has answered without a description of its media');
    await this.#answer(this.#session, this.#sdp.fromFar);
    return true;
  }

  /** Behind the media of the response that it starts with: ringing must not wait for a recorder. */
  beginRecording(): void {
    const { recordings } = this.#options;
    const { planned } = recordings;
    this.#after(async () => {
      if (this.#session !== undefined) recordings.beginPlanned(this.#session, planned);
    });
  }

  #after(work: () => Promise<void>): void {
    this.#order = this.#order.then(() => (this.#options.signal.aborted ? undefined : work()));
  }

  /** Early media that the relay refuses is left out; ringing without it harms nothing. */
  async #early(sdp: string): Promise<string | undefined> {
    if (sdp === '' || this.#session === undefined) return undefined;
    try {
      return await this.#answer(this.#session, sdp);
    } catch (error) {
      this.#options.log.warn({ err: error }, 'early media could not be relayed');
      return undefined;
    }
  }

  /** The relay hears a description of the far side; returns the caller's. */
  async #answer(session: MediaSession, sdp: string): Promise<string> {
    const { recordings, signal } = this.#options;
    const toNear = await session.answer(this.#farParty, sdp, within(signal, mediaDeadlineMs));
    recordings.refresh();
    return this.#tellNear(toNear);
  }

  #tellNear(sdp: string): string {
    const { recordings, nearDescriptions } = this.#options;
    this.#sdp.toNear = sdp;
    this.#sdp.nearAnswer = nearDescriptions.describe(sdp, recordings.indication);
    return this.#sdp.nearAnswer;
  }
}
