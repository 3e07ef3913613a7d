// What is known of a recorded call, in RFC 7865's terms and independent of XML. It is plain immutable data, so that the call
// can keep it, hand it to the next recorder with the same session id, and end it.
import type { Party } from '../recorder-profile.js';
import { cleanIdentity, type ParticipantIdentity } from './participant-identity.js';
import { newUuid, type Uuid } from './uuid.js';

/** From the seller's side: `inbound` = the customer called. */
export type CallDirection = 'inbound' | 'outbound';

/** When something belonged to something else (RFC 7865 §6.4, §6.6). */
export interface Association {
  readonly associateTime: Date;
  readonly disassociateTime?: Date;
}

export interface Participant extends ParticipantIdentity, Association {
  readonly id: Uuid;
}

/** The voice of one party; its label is the profile's, because it must equal the one in the SDP of the same message. */
export interface RecordedStream {
  readonly id: Uuid;
}

/** Whether a party sends media to the other one, and takes what that one sends: on hold it does neither or one of both. */
export interface PartyFlow {
  readonly sends: boolean;
  readonly receives: boolean;
}

export interface RecordingModel {
  /** The communication session that is recorded, the same for every recorder that it is sent to. */
  readonly sessionId: Uuid;
  /** Sessions that belong together, such as the parts of a transferred call. */
  readonly groupId?: Uuid;
  /** RFC 7989 session ids of the call, when it has one. */
  readonly sipSessionIds: readonly string[];
  readonly direction: CallDirection;
  readonly startTime: Date;
  readonly stopTime?: Date;
  /** When the call came to be recorded in this recording session. */
  readonly recorded: Association;
  readonly participants: Readonly<Record<Party, Participant>>;
  /** Who was in the call before, each disassociated when somebody took its place; the latest ones, in their order. */
  readonly former?: readonly Participant[];
  readonly streams: Readonly<Record<Party, RecordedStream>>;
  /** What flows at this moment (RFC 7865 §6.6); absent: everything. */
  readonly flows?: Readonly<Record<Party, PartyFlow>>;
}

export interface NewRecording {
  readonly direction: CallDirection;
  /** Start of the call. */
  readonly startTime: Date;
  /** Start of its recording; the start of the call when absent. */
  readonly recordedSince?: Date;
  readonly customer: ParticipantIdentity;
  readonly seller: ParticipantIdentity;
  readonly groupId?: Uuid;
  readonly sipSessionIds?: readonly string[];
  /** Where ids come from; random UUIDs unless a test says otherwise. */
  readonly newId?: () => Uuid;
}

/** The model of a call whose recording begins. Identities are cleaned; privacy is the caller's decision. */
export function newRecordingModel(recording: NewRecording): RecordingModel {
  const { direction, startTime, groupId, newId = newUuid } = recording;
  const participant = (identity: ParticipantIdentity): Participant => ({
    id: newId(),
    ...cleanIdentity(identity),
    associateTime: startTime,
  });
  return {
    sessionId: newId(),
    ...(groupId === undefined ? {} : { groupId }),
    sipSessionIds: recording.sipSessionIds ?? [],
    direction,
    startTime,
    recorded: { associateTime: recording.recordedSince ?? startTime },
    participants: { customer: participant(recording.customer), seller: participant(recording.seller) },
    streams: { customer: { id: newId() }, seller: { id: newId() } },
  };
}

/** Of one call's many parties the latest are told; the recorder has heard of the others. */
const maxFormer = 8;

/**
 * The same recording with somebody else in a party's place, such as after a transfer (RFC 8068 §3.2.3): the one before is
 * disassociated, the stream stays the party's. Given back as it is when the identity is the one that the party has.
 */
export function replaceParticipant(
  model: RecordingModel,
  party: Party,
  identity: ParticipantIdentity,
  at: Date,
  newId: () => Uuid = newUuid,
): RecordingModel {
  const before = model.participants[party];
  const now = cleanIdentity(identity);
  if (now.aor === before.aor && now.name === before.name) return model;
  return {
    ...model,
    participants: { ...model.participants, [party]: { id: newId(), ...now, associateTime: at } },
    former: [...(model.former ?? []), { ...before, disassociateTime: at }].slice(-maxFormer),
  };
}

/** The same recording, ended: stop time set, whatever was still associated disassociated. An ended one is returned as it is. */
export function endRecordingModel(model: RecordingModel, stopTime: Date): RecordingModel {
  if (model.stopTime !== undefined) return model;
  const end = <T extends Association>(association: T): T =>
    association.disassociateTime === undefined ? { ...association, disassociateTime: stopTime } : association;
  const { customer, seller } = model.participants;
  return {
    ...model,
    stopTime,
    recorded: end(model.recorded),
    participants: { customer: end(customer), seller: end(seller) },
  };
}
