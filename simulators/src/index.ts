/** The one door of @sidestream/simulators: stand-ins for what Sidestream talks to. */

export { DialerPages, type DialerPagesOptions } from './dialer/dialer-pages.js';
export { type IssuerOptions, IssuerSimulator } from './issuer/issuer-simulator.js';
export type { IssuerUser } from './issuer/sign-in.js';
export type { SigningAlgorithm } from './issuer/signing-keys.js';
export type { TokenOptions } from './issuer/token.js';
export { type TracedMessage, traceMessages } from './message-trace.js';
export { TcpFront, type TcpFrontOptions } from './network/tcp-front.js';
export type { CallEnd, CallMoments, PartyCall, PartyCallEvents } from './party/party-call.js';
export type { HeardPacket, HeardStatistics } from './party/party-media.js';
export type { CallOptions, IncomingTreatment, PartyOptions, Speech } from './party/party-options.js';
export { type PartyEvents, PartySimulator } from './party/party-simulator.js';
export { parseProviderFault, providerFaultNames } from './provider/fault-names.js';
export type { ForeignOrigin } from './provider/foreign-origin.js';
export { combineFaults, faultless, limitFault, type ProviderFault } from './provider/provider-fault.js';
export type { ProviderFinding, ProviderFindingName } from './provider/provider-finding.js';
export type { ProviderSimulatorOptions, SimulatedApp } from './provider/provider-options.js';
export {
  type AcceptedRegistration,
  ProviderSimulator,
  type ProviderSimulatorEvents,
  type ReceivedRequest,
} from './provider/provider-simulator.js';
export {
  answerInactive,
  answerInMultipart,
  answerInPlainRtp,
  answerInstantly,
  answerOneCodec,
  answerOneStream,
  answerWithOtherSuite,
  answerWithoutCrypto,
  refuseOneStream,
  renameLabels,
} from './recorder/behaviour/answers.js';
export { type Behaviour, combine, type Decision, wellBehaved } from './recorder/behaviour/behaviour.js';
export { behaviourHelp, behaviourNames, parseBehaviour } from './recorder/behaviour/behaviour-names.js';
export {
  byeAfter,
  floodWithReinvites,
  inactiveThenRecvonly,
  refreshSession,
  requestSnapshot,
} from './recorder/behaviour/initiatives.js';
export type { LiveSession } from './recorder/behaviour/live-session.js';
export {
  deadAfter,
  forgetDialogs,
  ignoreOptions,
  ignorePings,
  networkDelay,
  resetAfter,
  resetBeforeInvite,
  resetOnInvite,
  restartAfter,
  swallowAfter,
} from './recorder/behaviour/losses.js';
export {
  answerTooLate,
  delayAnswer,
  glare,
  keepTrying,
  overloaded,
  refuseAtFirst,
  rejectWith,
  staySilent,
  wantLongerSessions,
} from './recorder/behaviour/refusals.js';
export type { Finding, FindingName } from './recorder/finding.js';
export type { RecordedPacket, RecordedStream, SrtpCapture, StreamStatistics } from './recorder/recorded-stream.js';
export type { RecorderOptions } from './recorder/recorder-options.js';
export type { MetadataSnapshot, RecorderSession, SessionEnd, SessionPeer } from './recorder/recorder-session.js';
export { type RecorderEvents, RecorderSimulator } from './recorder/recorder-simulator.js';
export {
  RecorderStatus,
  type SessionStatus,
  type StreamPackets,
  sessionsAnswer,
  streamsAnswer,
} from './recorder/recorder-status.js';
export type { AnswerBody, AnswerStream } from './recorder/recording-answer.js';
export { decodeG711, encodeG711, type G711Codec, PAYLOAD_TYPES, SILENCE, transcodeG711 } from './rtp/g711.js';
export { findLibsrtp, type Libsrtp, type LibsrtpResult } from './rtp/libsrtp.js';
export { PacedSender, type PacedSenderOptions, type SentPacket } from './rtp/paced-sender.js';
export { type ComparisonWindow, comparePackets, type PacketComparison } from './rtp/packet-comparison.js';
export { fingerprint } from './rtp/packet-fingerprint.js';
export { PortPair } from './rtp/port-pair.js';
export { type Arrival, Reception } from './rtp/reception.js';
export { parseRtp, type RtpHeader, type RtpPacket, writeRtp } from './rtp/rtp-packet.js';
export { redactKeys } from './rtp/sdes.js';
export { speechSource } from './rtp/speech-source.js';
export { SrtpReceiver, type SrtpRefusal, SrtpSender, type Unprotected } from './rtp/srtp.js';
export { readSpeech, readWav, toG711, toLinear, type Wav, type WavEncoding, WavError, writeWav } from './rtp/wav.js';
export { StagePage, type StagePageOptions } from './stage/stage-page.js';
export { customerSpeech, sellerSpeech } from './voices.js';
