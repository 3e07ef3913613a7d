// What one recording says to its recorder, message by message: offers with their versions, metadata, header fields. Pure text; it
// knows neither the relay nor a connection. It holds SDES keys: nothing of it is logged.
import { randomInt } from 'node:crypto';
import { SidestreamError } from '@sidestream/service';
import {
  type AnsweredStream,
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
  replaceParticipant,
  type Uuid,
  validateAnswer,
  writeRecordingAnswer,
  writeRecordingOffer,
} from '@sidestream/siprec';
import type { CallParties, Direction, Identity } from './parties.js';
import type { PartyFlows } from './party-flows.js';
import type { ForkStream, RecordingBody } from './ports.js';

export interface RecordingScriptOptions {
  readonly profile: RecorderProfile;
  readonly accountId: string;
  readonly direction: Direction;
  readonly parties: CallParties;
  readonly callStart: Date;
  readonly recordedSince: Date;
  /** Common to the recordings that one call has at the same time. */
  readonly groupId?: Uuid | undefined;
}

const both = { sends: true, receives: true };
const allFlows: PartyFlows = { customer: both, seller: both };

/** `inactive`: the recording is paused (RFC 7866 §7.1.1.1). */
export type StreamDirection = 'sendonly' | 'inactive';

/** A description of ours: its streams, and its text as version 0, by which two are compared. */
interface Description {
  readonly streams: readonly ForkStream[];
  readonly direction: StreamDirection;
  readonly text: string;
}

/** A description of the recorder that may reach the relay. It is agreed on once the relay has taken it. */
export interface RecorderDescription {
  /** As the relay may hear it. */
  readonly sdp: string;
  readonly streams: readonly AnsweredStream[];
  /** Ours that it fits. */
  readonly own: Description;
}

export class RecordingScript {
  readonly #options: RecordingScriptOptions;
  readonly #sessionId = String(randomInt(2 ** 40));
  #model: RecordingModel;
  /** What was said last, as version 0, and the version that it was said with. */
  #said = { text: '', version: 0 };
  /** The call as the recorder of this dialog was told of it in full, and as it was written for it last; updates are of the first. */
  #told: RecordingModel | undefined;
  #written: RecordingModel | undefined;
  /** What recorder and relay have agreed on, and what is offered now. */
  #agreed: Description | undefined;
  #proposed: Description | undefined;

  constructor(options: RecordingScriptOptions) {
    this.#options = options;
    const { direction, callStart, recordedSince, parties, groupId } = options;
    this.#model = newRecordingModel({
      direction,
      startTime: callStart,
      recordedSince,
      ...(groupId !== undefined && { groupId }),
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

  /**
   * Another recorder, or the same one in a new dialog, is to hear of the same session (RFC 7865 §6.3: the session is the call's, not the
   * recorder's). What was agreed on with the one before does not stand.
   */
  renew(recordedSince: Date): void {
    this.#agreed = undefined;
    this.#proposed = undefined;
    this.#told = undefined;
    this.#written = undefined;
    this.#model = { ...this.#model, recorded: { associateTime: recordedSince } };
  }

  /** Who takes part now. True if the metadata says something new by that. */
  involve(parties: CallParties, at: Date): boolean {
    const before = this.#model;
    for (const party of ['customer', 'seller'] as const)
      this.#model = replaceParticipant(this.#model, party, participant(parties[party]), at);
    return this.#model !== before;
  }

  /** Which way the parties' media flows now. True if the metadata says something new by that. */
  follow(flows: PartyFlows): boolean {
    const before = JSON.stringify(this.#model.flows ?? allFlows);
    if (JSON.stringify(flows) === before) return false;
    this.#model = { ...this.#model, flows };
    return true;
  }

  /** The description that stands, as an offer: what was agreed on, before that what is offered. */
  standing(): string {
    const description = this.#present(this.#agreed ?? this.#proposed);
    return this.#say((version) => this.#write(description, version));
  }

  /**
   * Proposes an offer for these streams, or for those that stand. False if it would say what is agreed on already, then there is nothing to offer; else it
   * stands once an answer to it was agreed on.
   * @throws SidestreamError('internal') when the relay's streams cannot be offered
   */
  propose(streams: readonly ForkStream[] | undefined, direction: StreamDirection): boolean {
    const said = { streams: streams ?? this.#present(this.#agreed ?? this.#proposed).streams, direction };
    const text = this.#write(said, 0);
    this.#proposed = text === this.#agreed?.text ? undefined : { ...said, text };
    return this.#proposed !== undefined;
  }

  /** The recorder did not take the proposal: what was agreed on before still holds (RFC 3261 §14.1). */
  withdraw(): void {
    this.#proposed = undefined;
    this.#written = this.#told;
  }

  /**
   * The body of INVITE and re-INVITE: what is proposed, or else what stands, and the metadata.
   * @param news `flows`: the recorder needs to hear only which way media flows, if nothing else has changed and the profile lets it
   */
  inviteBody(news: 'all' | 'flows' = 'all'): RecordingBody {
    const description = this.#present(this.#proposed ?? this.#agreed);
    const offerSdp = this.#say((version) => this.#write(description, version));
    const { partialUpdates } = this.#options.profile;
    const flowsAlone =
      partialUpdates && news === 'flows' && this.#told !== undefined && sameButFlows(this.#told, this.#model);
    if (!flowsAlone) this.#written = this.#model;
    return initialBody({ model: this.#model, profile: this.#options.profile, offerSdp, flowsAlone });
  }

  /** The body of BYE: stop time, no labels (RFC 8068 §3.2.4). */
  byeBody(stopTime: Date): RecordingBody {
    return byeBody({ model: this.#model, profile: this.#options.profile, stopTime });
  }

  /**
   * Checks the recorder's answer, or offer, against what is proposed, or else what stands. Changes nothing.
   * @throws SidestreamError('recorder-answer-unusable'): plain RTP, another suite, missing streams …
   */
  check({ contentType, body }: RecordingBody): RecorderDescription {
    const own = this.#present(this.#proposed ?? this.#agreed);
    try {
      return { ...validateAnswer(own.text, contentType, body, { inactiveAsPortZero: true }), own };
    } catch (error) {
      throw new SidestreamError('recorder-answer-unusable', message(error), { cause: error });
    }
  }

  /** The relay has taken the recorder's description: both stand from now on. */
  agree({ own }: RecorderDescription): void {
    this.#agreed = own;
    this.#proposed = undefined;
    this.#told = this.#written;
  }

  /** Our answer to an offer of the recorder (RFC 3264 §6, RFC 7866 §7.2). */
  answer({ own, streams }: RecorderDescription): string {
    return this.#say((version) => {
      const description = this.#write(own, version);
      return writeRecordingAnswer({ description, streams });
    });
  }

  /** RFC 3264 §8: what differs from what was said last has the next version, what is the same has the same. */
  #say(write: (version: number) => string): string {
    const text = write(0);
    if (text !== this.#said.text) this.#said = { text, version: this.#said.version + 1 };
    return write(this.#said.version);
  }

  #present(description: Description | undefined): Description {
    if (description === undefined) throw new SidestreamError('internal', 'the recording has nothing to offer yet');
    return description;
  }

  #write({ streams, direction }: Omit<Description, 'text'>, version: number): string {
    const { profile } = this.#options;
    const address = streams[0]?.address ?? '';
    try {
      return writeRecordingOffer({
        streams,
        sessionId: this.#sessionId,
        version,
        address,
        direction,
        profile,
      });
    } catch (error) {
      throw new SidestreamError('internal', `the relay's fork cannot be offered: ${message(error)}`, { cause: error });
    }
  }
}

function sameButFlows({ flows: _before, ...one }: RecordingModel, { flows: _now, ...other }: RecordingModel): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function participant(identity: Identity): ParticipantIdentity {
  if (identity.anonymous) return anonymousParticipant();
  return identity.name === '' ? { aor: identity.uri } : { aor: identity.uri, name: identity.name };
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
