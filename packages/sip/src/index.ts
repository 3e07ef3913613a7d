// The one door of @sidestream/sip.

export { type Clock, ManualClock, systemClock } from './clock.js';
export { dialogId, dialogIdOf } from './dialog/dialog-id.js';
export {
  type DialogRequestInit,
  receiveInDialog,
  requestInDialog,
  responseInDialog,
} from './dialog/dialog-requests.js';
export { type DialogState, dialogFromRequest, dialogFromResponse, nextHopUri } from './dialog/dialog-state.js';
export type { DigestHash } from './digest/algorithm.js';
export { digestHashes } from './digest/algorithm.js';
export {
  DigestGuard,
  type DigestGuardOptions,
  type DigestRefusal,
  type DigestVerdict,
  type GuardedRequest,
} from './digest/digest-guard.js';
export { type ChallengedResponse, DigestAttempt, DigestLogin, type DigestUser } from './digest/digest-login.js';
export { createResponse, type ResponseOptions } from './message/create-response.js';
export { isToken, type Parameters, quote, splitList, unquote } from './message/grammar.js';
export { headerKey } from './message/header-names.js';
export { Headers } from './message/headers.js';
export { formatHost, formatHostPort } from './message/host.js';
export type { MessageLimits } from './message/message-limits.js';
export { formatNameAddr, type NameAddr, parseNameAddr, tagOf } from './message/name-addr.js';
export { hasOptionTag } from './message/option-tags.js';
export { type ParseOptions, parseMessage } from './message/parse-message.js';
export { reasonPhrase } from './message/reason-phrase.js';
export { salvageRequest } from './message/salvage-request.js';
export { serialiseMessage } from './message/serialise-message.js';
export {
  type ContentType,
  type CSeq,
  type SipMessage,
  SipRequest,
  type SipRequestInit,
  SipResponse,
  type SipResponseInit,
} from './message/sip-message.js';
export { formatUri, parseUri, type SipUri } from './message/uri.js';
export { compareUri } from './message/uri-comparison.js';
export { formatVia, parseVia, type Via } from './message/via.js';
export { wantsNotifications } from './refer/refer-sub.js';
export { formatReferTo, parseReferTo, type ReferTarget } from './refer/refer-to.js';
export { formatReplaces, parseReplaces, type Replaces } from './refer/replaces.js';
export { formatSipfrag, parseSipfrag, referState, sipfragType } from './refer/sipfrag.js';
export {
  allowsReliable,
  formatRAck,
  isReliableProvisional,
  parseRAck,
  parseRSeq,
  type RAck,
  rackFor,
  rackIn,
  requiresReliable,
} from './reliable/rack.js';
export { nothingReceived, type ReceivedOrder, receiveReliable } from './reliable/received-order.js';
export { ReliableResponses, type ReliableResponsesOptions } from './reliable/reliable-responses.js';
export {
  answerSession,
  isSessionTooSmall,
  type SessionAnswer,
  type SessionTimer,
  sessionAgreed,
} from './session-timer/negotiation.js';
export {
  initialSessionClock,
  type SessionClockEffect,
  type SessionClockEvent,
  type SessionClockState,
  type SessionClockTimer,
  sessionClockStep,
  sessionRefreshHeaders,
} from './session-timer/session-clock.js';
export {
  formatSessionExpires,
  minSeIn,
  minSessionSeconds,
  parseSessionExpires,
  type Refresher,
  type SessionExpires,
  sessionExpiresIn,
} from './session-timer/session-expires.js';
export { SipError, type SipErrorCode, type SipErrorOptions } from './sip-error.js';
export type { ClientTransaction, ClientTransactionEvents } from './transaction/client-transaction.js';
export { newBranch, newCallId, newTag } from './transaction/identifiers.js';
export { retransmit2xx, type Unacknowledged } from './transaction/retransmit-2xx.js';
export type { ServerTransaction, ServerTransactionEvents } from './transaction/server-transaction.js';
export { defaultTimers, type TimerValues } from './transaction/timer-values.js';
export {
  type FlowSource,
  type Reception,
  TransactionLayer,
  type TransactionLayerEvents,
  type TransactionLayerOptions,
} from './transaction/transaction-layer.js';
export type { ViaHost } from './transaction/via-stamp.js';
export { type AddressLookup, systemLookup } from './transport/address-lookup.js';
export type { Flow, HostPort, Target, TlsPeer, TransportProtocol } from './transport/flow.js';
export { sourceKey } from './transport/source-key.js';
export { type Frame, StreamFramer } from './transport/stream-framer.js';
export type { ListenTls } from './transport/stream-listener.js';
export { type MayReplace, TlsIdentity, type TlsIdentityFiles } from './transport/tls-identity.js';
export {
  type ListenOptions,
  type RefusedBecause,
  type TransportEvents,
  Transports,
  type TransportsOptions,
} from './transport/transports.js';
export type { DialogRequestOptions, OfferOptions, ReinviteOptions } from './user-agent/dialog-sender.js';
export type { Patience } from './user-agent/final-response.js';
export { glareDelayMs } from './user-agent/glare-backoff.js';
export { type AcceptContent, IncomingInvite, type InviteResponseContent } from './user-agent/incoming-invite.js';
export { IncomingRequest, type IncomingRequestEvents, type ResponseContent } from './user-agent/incoming-request.js';
export type { AnswerOffer } from './user-agent/outgoing-acks.js';
export type { InviteOptions, OutgoingInvite } from './user-agent/outgoing-invite.js';
export type { RequestAddress } from './user-agent/outgoing-request.js';
export { type ReferProgress, referNotification, referTo } from './user-agent/refer.js';
export type { Content } from './user-agent/ua-core.js';
export { UaDialog, type UaDialogEvents } from './user-agent/ua-dialog.js';
export {
  type OutOfDialogOptions,
  UserAgent,
  type UserAgentEvents,
  type UserAgentOptions,
} from './user-agent/user-agent.js';
