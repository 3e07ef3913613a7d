// The media of a call until both sides have agreed: the session at the relay, and the descriptions that go through it in their order.
import type { Logger } from '@sidestream/service';
import type { RecordingsOfCall } from './call-recording.js';
import { within } from './deadline.js';
import type { CallId } from './identifiers.js';
import type { Party } from './parties.js';
import type { MediaRelays, MediaSession } from './ports.js';
import type { LegDescriptions } from './recording-awareness.js';

export interface CallMediaOptions {
  readonly relays: MediaRelays;
  readonly callId: CallId;
  readonly nearParty: Party;
  /** What the caller offered. */
  readonly offer: string;
  readonly nearDescriptions: LegDescriptions;
  readonly recordings: RecordingsOfCall;
  /** Its media died by itself. */
  readonly onLost: (reason: string) => void;
  /** Aborted when the call ends. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

const mediaDeadlineMs = 2_000;

export class CallMedia {
  readonly #options: CallMediaOptions;
  readonly #farParty: Party;
  #session: MediaSession | undefined;
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

  /** Opens the session with the caller's offer. @throws SidestreamError */
  async open(): Promise<void> {
    const { relays, callId, nearParty, offer, onLost, signal } = this.#options;
    const opened = await relays.open(callId, nearParty, offer, onLost, within(signal, 2 * mediaDeadlineMs));
    this.#session = opened.media;
    this.#sdp.toFar = opened.sdp;
  }

  /** Of several descriptions of the far side the last one that came holds, however long the relay takes for those before it. */
  hear(sdp: string): void {
    if (sdp !== '') this.#sdp.fromFar = sdp;
  }

  /** Hands the caller's view of an early description over, undefined where there is none, behind those before it. */
  relayEarly(sdp: string, handOver: (sdp: string | undefined) => Promise<void>): void {
    this.#after(async () => handOver(await this.#early(sdp)));
  }

  /** The far side has answered with what was heard last. False when the call has ended meanwhile. @throws SidestreamError */
  async answer(): Promise<boolean> {
    await this.#order;
    if (this.#session === undefined || this.#options.signal.aborted) return false;
    await this.#answer(this.#session, this.#sdp.fromFar);
    return true;
  }

  /** Behind the media of the response that it starts with: ringing must not wait for a recorder. */
  beginRecording(): void {
    this.#after(async () => {
      if (this.#session !== undefined) this.#options.recordings.beginPlanned(this.#session);
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
    const { recordings, nearDescriptions, signal } = this.#options;
    this.#sdp.toNear = await session.answer(this.#farParty, sdp, within(signal, mediaDeadlineMs));
    recordings.refresh();
    this.#sdp.nearAnswer = nearDescriptions.describe(this.#sdp.toNear, recordings.indication);
    return this.#sdp.nearAnswer;
  }
}
