// What one recording says to its recorder, message by message: offers with their versions, metadata, header fields. Pure text; it
// knows neither the relay nor a connection. It holds SDES keys: nothing of it is logged.
import { randomInt } from 'node:crypto';
import { SidestreamError } from '@sidestream/service';
import {
  anonymousParticipant,
  byeBody,
  byeHeaders,
  type HeaderField,
  initialBody,
  inviteHeaders,
  newRecordingModel,
  type ParticipantIdentity,
  type RecorderProfile,
  type RecordingModel,
  validateAnswer,
  writeRecordingOffer,
} from '@sidestream/siprec';
import type { CallParties, Direction, Identity } from './parties.js';
import type { ForkStream, RecordingBody } from './ports.js';

export interface RecordingScriptOptions {
  readonly profile: RecorderProfile;
  readonly accountId: string;
  readonly direction: Direction;
  readonly parties: CallParties;
  readonly callStart: Date;
  readonly recordedSince: Date;
}

interface Offer {
  readonly media: string;
  readonly sdp: string;
}

export class RecordingScript {
  readonly #options: RecordingScriptOptions;
  readonly #sessionId = String(randomInt(2 ** 40));
  readonly #model: RecordingModel;
  #version = 0;
  /** What recorder and relay have agreed on, and what is offered now; `media` is the offer without its version. */
  #agreed: Offer | undefined;
  #proposed: Offer | undefined;

  constructor(options: RecordingScriptOptions) {
    this.#options = options;
    const { direction, callStart, recordedSince, parties } = options;
    this.#model = newRecordingModel({
      direction,
      startTime: callStart,
      recordedSince,
      customer: participant(parties.customer),
      seller: participant(parties.seller),
    });
  }

  /** Header fields of INVITE and re-INVITE. */
  get inviteHeaders(): HeaderField[] {
    return inviteHeaders(this.#options.profile, this.#options);
  }

  get byeHeaders(): HeaderField[] {
    return byeHeaders(this.#options.profile, this.#options);
  }

  /** The description that stands: what was agreed on, before that what is offered; empty before the first offer. */
  get standing(): string {
    return (this.#agreed ?? this.#proposed)?.sdp ?? '';
  }

  /**
   * Proposes an offer for these streams. False if it would say what is agreed on already, then there is nothing to offer; else it
   * has a new version (RFC 3264 §8) and stands once an answer to it was accepted.
   * @throws SidestreamError('internal') when the relay's streams cannot be offered
   */
  propose(streams: readonly ForkStream[]): boolean {
    const media = this.#write(streams, 0);
    if (media === this.#agreed?.media) return false;
    this.#version += 1;
    this.#proposed = { media, sdp: this.#write(streams, this.#version) };
    return true;
  }

  /** The recorder did not take the proposal: what was agreed on before still holds (RFC 3261 §14.1). */
  withdraw(): void {
    this.#proposed = undefined;
  }

  /** The body of INVITE and re-INVITE: the offer and the full metadata. */
  inviteBody(): RecordingBody {
    return initialBody({ model: this.#model, profile: this.#options.profile, offerSdp: this.#offer });
  }

  /** The body of BYE: stop time, no labels (RFC 8068 §3.2.4). */
  byeBody(stopTime: Date): RecordingBody {
    return byeBody({ model: this.#model, profile: this.#options.profile, stopTime });
  }

  /**
   * The recorder's description, as the relay may hear it; a proposal is agreed on by it.
   * @throws SidestreamError('recorder-answer-unusable'): plain RTP, another suite, missing streams …
   */
  accept({ contentType, body }: RecordingBody): string {
    try {
      const { sdp } = validateAnswer(this.#offer, contentType, body, { inactiveAsPortZero: true });
      this.#agreed = this.#proposed ?? this.#agreed;
      this.#proposed = undefined;
      return sdp;
    } catch (error) {
      throw new SidestreamError('recorder-answer-unusable', message(error), { cause: error });
    }
  }

  get #offer(): string {
    return (this.#proposed ?? this.#agreed)?.sdp ?? '';
  }

  #write(streams: readonly ForkStream[], version: number): string {
    const { profile } = this.#options;
    const address = streams[0]?.address ?? '';
    try {
      return writeRecordingOffer({
        streams,
        sessionId: this.#sessionId,
        version,
        address,
        direction: 'sendonly',
        profile,
      });
    } catch (error) {
      throw new SidestreamError('internal', `the relay's fork cannot be offered: ${message(error)}`, { cause: error });
    }
  }
}

function participant(identity: Identity): ParticipantIdentity {
  if (identity.anonymous) return anonymousParticipant();
  return identity.name === '' ? { aor: identity.uri } : { aor: identity.uri, name: identity.name };
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
