// SIPREC without I/O: what is written to a recorder, what is read from one, and what is wrong with either (RFC 7865, 7866, 8068;
// SDES of RFC 4568).
// It must not know how SIP is sent, who is recorded, or how media is steered.

export type { LintFinding, LintFindingName, Place, Severity } from './lint/finding.js';
export { type LintResult, lint } from './lint/lint.js';
export type { LintOptions, MessageKind, RequestKind } from './lint/lint-options.js';
export { parseMetadata } from './metadata/parse-metadata.js';
export type { ParsedMetadata, ParsedSession, ParsedTimes } from './metadata/parsed-metadata.js';
export { anonymousParticipant, type ParticipantIdentity } from './metadata/participant-identity.js';
export {
  type Association,
  type CallDirection,
  endRecordingModel,
  type NewRecording,
  newRecordingModel,
  type Participant,
  type PartyFlow,
  type RecordedStream,
  type RecordingModel,
  replaceParticipant,
} from './metadata/recording-model.js';
export { newUuid, toUuid, type Uuid, uuidFromWire, uuidToWire } from './metadata/uuid.js';
export { type MetadataForm, metadataNamespace, writeMetadata } from './metadata/write-metadata.js';
export { type MediaType, parseMediaType } from './mime/media-type.js';
export { bodyParts, type Part, parseMultipart } from './mime/parse-multipart.js';
export { type MultipartBody, type PartToWrite, writeMultipart } from './mime/write-multipart.js';
export {
  type RecorderAddress,
  type RecorderEndpoint,
  recorderEndpoints,
  resolveRecorder,
} from './recorder-endpoints.js';
export {
  dynamics365,
  type OfferedCodec,
  type Party,
  type RecorderProfile,
  type RecorderProfileName,
  recorderProfiles,
  rfc7866,
  type SecureUri,
} from './recorder-profile.js';
export { type RecordingAnswer, writeRecordingAnswer } from './recording-answer.js';
export { type ByeBodyInput, byeBody, type InitialBodyInput, initialBody } from './recording-body.js';
export {
  byeHeaders,
  type HeaderField,
  inviteHeaders,
  newRecordingCallId,
  type RecordingAccount,
  recordingContact,
} from './recording-headers.js';
export { type AnswerOptions, type RecorderAnswer, validateAnswer } from './sdp/answer-validation.js';
export { type ForkStream, type RecordingOffer, writeRecordingOffer } from './sdp/recording-offer.js';
export type { AcceptedStream, AnsweredStream, RefusedStream } from './sdp/relay-answer.js';
export { SiprecError, type SiprecErrorCode } from './siprec-error.js';
