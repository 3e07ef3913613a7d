// What a call needs of the outside, in the domain's words. Adapters implement these ports; the domain imports nothing else of SIP,
// gRPC, NATS or files. Every wait takes an AbortSignal: the deadline and the caller's CANCEL are one argument.
import type { Decision } from '@sidestream/policy';
import type { TrunkProtocol } from '@sidestream/routing';
import type { CallId } from './identifiers.js';
import type { MediaCounts } from './media-counts.js';
import type { CallParties, Direction, InviteParties, Party } from './parties.js';
import type { Missing } from './recording-assurance.js';
import type { RecordingGroup } from './recording-groups.js';
import type { RefusalReason } from './refusal-reasons.js';
import type { Termination } from './termination.js';

/** Milliseconds of a clock that never steps back; differences only. */
export type MonotonicClock = () => number;

// ---------------------------------------------------------------------------------------------------------- trunks

/** An INVITE that arrived from a trunk and has no final response yet. */
export interface IncomingInvite {
  readonly sipCallId: string;
  readonly source: { readonly address: string; readonly port: number };
  readonly requestUri: string;
  /** Empty for a late offer. */
  readonly sdp: string;
  /** MonotonicClock time of arrival. */
  readonly receivedAtMs: number;
  /** Aborted when the caller sends CANCEL; the edge has answered 487 then. */
  readonly cancelled: AbortSignal;
  header(name: string): string | undefined;
  /** Sends a provisional response; resolves when it has left. Never rejects: a lost 18x harms nothing. */
  ring(status: number, sdp: string | undefined): Promise<void>;
  /**
   * Sends 200. Rejects SidestreamError('cancelled') when a CANCEL won the race.
   *
   * @param trunk whose credentials answer challenges within the call
   */
  accept(sdp: string, trunk: string): Promise<Leg>;
  /** The same for an INVITE without SDP: `answer` resolves with what the ACK carried, '' when it carried nothing or none came. */
  acceptWithOffer(sdp: string, trunk: string): Promise<{ readonly leg: Leg; readonly answer: Promise<string> }>;
  /** Sends a final failure; a second one, or one after CANCEL, does nothing. Never rejects. */
  refuse(status: number, headers?: SipFields): Promise<void>;
}

/** Header fields by name; a list stands for several fields of one name. */
export type SipFields = Readonly<Record<string, string | readonly string[]>>;

/** An INVITE to send to a trunk. */
export interface OutgoingInvite {
  /** Whose target is called: its credentials answer challenges, and nobody else's. */
  readonly trunk: string;
  readonly uri: string;
  readonly protocol: TrunkProtocol;
  readonly headers: SipFields;
  /** Empty: the far side is asked for its offer. */
  readonly sdp: string;
  /** Why it is given up: the Reason (RFC 3326) of the CANCEL, and of the BYE after a 2xx that crossed it. Undefined: none is told. */
  cancelReason?(): string | undefined;
  /** The INVITE has left. */
  onSent(): void;
  /** A provisional response other than 100; `sdp` is empty without a body. `branch`: the To tag, one for each fork. */
  onProgress(status: number, sdp: string, branch: string): void;
}

/** The far side's refusal: a final response other than 2xx. */
export interface Refusal {
  readonly kind: 'refused';
  readonly status: number;
  readonly reason: string;
  /** Contact of a redirection (3xx), as it came; undefined without one. */
  readonly contact?: string | undefined;
}

/** The far side's 2xx, already acknowledged. */
export interface Acceptance {
  readonly kind: 'accepted';
  readonly leg: Leg;
  /** Empty when the branch has answered our offer in a reliable provisional response already (RFC 3262 §5). */
  readonly sdp: string;
  /** To tag of the 2xx. */
  readonly branch: string;
}

/** The far side's 2xx with an offer, to an INVITE without one. It waits for its ACK: {@link OfferingLeg.answer} or `bye`. */
export interface Offered {
  readonly kind: 'offered';
  readonly leg: OfferingLeg;
  readonly sdp: string;
}

export interface OfferingLeg extends Pick<Leg, 'bye'> {
  /** Sends the ACK with our answer. */
  answer(sdp: string): Promise<Leg>;
}

/** What names a dialog (RFC 3261 §12), as we see it. */
export interface DialogId {
  readonly sipCallId: string;
  readonly localTag: string;
  readonly remoteTag: string;
}

/** One established SIP dialog of a call. */
export interface Leg {
  readonly dialog: DialogId;
  /** The peer's user agent shows what it is told of recording (RFC 7866 §6.2: option tag record-aware). */
  readonly recordAware: boolean;
  /** Hands over what the peer does from now on, beginning with what it did before this was called. */
  listen(handlers: LegHandlers): void;
  /** Sends a re-INVITE and its ACK. Resolves with the final response; rejects when there is none. */
  reinvite(sdp: string, signal: AbortSignal): Promise<{ status: number; reason: string; sdp: string }>;
  /** Sends INFO; resolves with the final status. */
  info(contentType: string, body: string, signal: AbortSignal): Promise<number>;
  /**
   * Sends REFER; resolves with the final status. `onStatus`: what the peer tells of the referred call (RFC 3515 §2.4.4); of several REFERs that
   * of the last one.
   */
  refer(headers: SipFields, onStatus: (status: number) => void, signal: AbortSignal): Promise<number>;
  /** Ends the dialog. Idempotent; resolves when BYE is answered or the dialog is gone already; never rejects. */
  bye(reason: string | undefined, signal: AbortSignal): Promise<void>;
}

export interface LegHandlers {
  offer(offer: IncomingOffer): void;
  info(info: IncomingInfo): void;
  refer(referral: IncomingReferral): void;
  /** The peer says by re-INVITE or UPDATE that it is somebody else than before (RFC 4916, RFC 3325). */
  identified(claim: IdentityClaim): void;
  /** The dialog is over by the peer's BYE, or the edge ended it (`detail` says why). Once. */
  ended(cause: 'hangup' | 'ack-timeout' | 'session-expired', detail: string): void;
}

/** Header fields that say who the peer is. */
export interface IdentityClaim {
  header(name: string): string | undefined;
}

/** A re-INVITE, or an UPDATE with an offer. */
export interface IncomingOffer {
  /** Empty: the peer asks for our offer (RFC 3261 §14.1, RFC 3264 §4). */
  readonly sdp: string;
  /** Sends 200. Resolves with the SDP that the ACK carried: the peer's answer if `sdp` was empty, else ''. */
  answer(sdp: string): Promise<string>;
  refuse(status: number, headers?: Readonly<Record<string, string>>): void;
}

/** A REFER within the dialog: the peer wants the other party connected with somebody else (RFC 3515). */
export interface IncomingReferral {
  header(name: string): string | undefined;
  /** Sends 202. The peer is told how it goes on for so long, unless it wants to hear nothing (RFC 4488). */
  accept(lastsSeconds: number): void;
  refuse(status: number, headers?: Readonly<Record<string, string>>): void;
  /** Tells the status of the referred call so far; a final one is the last. Resolves when the peer has heard; never rejects. */
  notify(status: number): Promise<void>;
}

export interface IncomingInfo {
  readonly contentType: string;
  readonly body: string;
  respond(status: number): void;
}

/** SIP towards the trunks, whatever engine speaks it. */
export interface Trunking {
  /** The address that peers see for this transport, "host:port" or "host". */
  ownAddress(protocol: TrunkProtocol): string;
  /**
   * Sends an INVITE. Rejects SidestreamError('cancelled' | 'deadline-exceeded') as soon as the signal aborts: CANCEL goes out and
   * a late 2xx is acknowledged and ended behind the scenes; 'not-ready' without an edge.
   */
  invite(invite: OutgoingInvite, signal: AbortSignal): Promise<Acceptance | Offered | Refusal>;
  /** Sends OPTIONS outside a dialog; resolves with its final status. Rejects as invite() does. */
  options(uri: string, protocol: TrunkProtocol, signal: AbortSignal): Promise<number>;
  /** Sends REGISTER, with the trunk's credentials where it is asked for them. Rejects as invite() does. */
  register(register: OutgoingRegister, signal: AbortSignal): Promise<RegisterAnswer>;
}

/** A REGISTER to send (RFC 3261 §10.2). */
export interface OutgoingRegister {
  readonly trunk: string;
  readonly registrar: string;
  readonly protocol: TrunkProtocol;
  /** The address that is registered. */
  readonly address: string;
  /** Where calls to it shall go. */
  readonly contact: string;
  /** 0 takes the contact back. */
  readonly expiresSeconds: number;
  /** The same for all of a registration. */
  readonly callId: string;
  /** Gives a higher number at each call. */
  nextCseq(): number;
}

/** A registrar's final answer. */
export interface RegisterAnswer {
  readonly status: number;
  readonly reason: string;
  /** Where it came from. */
  readonly source: string;
  header(name: string): string | undefined;
}

// ----------------------------------------------------------------------------------------------------------- media

/** One media line of a fork. It carries an SDES key: never log, publish or store it. */
export interface ForkStream {
  readonly party: Party;
  readonly address: string;
  readonly port: number;
  readonly rtcpPort: number;
  readonly crypto: string;
  readonly payloadTypes: readonly number[];
}

/**
 * How an answered fork does its work. stalled: a party sends, and nothing of it leaves for the recorder. recorder-silent: no more RTCP of a
 * recorder that used to send it.
 */
export type ForkCondition = 'flowing' | 'stalled' | 'recorder-silent';

/** What the media of a trunk's calls may be. */
export interface MediaTerms {
  /** Names of codecs, the preferred one first; empty: all. */
  readonly codecs: readonly string[];
  /** What the trunk is offered: plain RTP, both (RFC 8643), SRTP alone. */
  readonly srtp: 'off' | 'offer' | 'require';
}

export type PartyTerms = Readonly<Partial<Record<Party, MediaTerms | undefined>>>;

/** The anchored media of one call, held on one relay for its life. Errors are SidestreamError. */
export interface MediaSession {
  readonly relay: string;
  /** A later offer of either party → the SDP to offer to the other one. Parties without new terms keep theirs. */
  update(offerer: Party, sdp: string, signal: AbortSignal, terms?: PartyTerms): Promise<string>;
  /** One party's answer → the SDP that answers the offerer. */
  answer(answerer: Party, sdp: string, signal: AbortSignal): Promise<string>;
  /** Ends the session with its forks; one that is gone already is no error, and tells nothing. */
  close(signal: AbortSignal): Promise<MediaCounts>;
  startFork(forkId: string, parties: readonly Party[], signal: AbortSignal): Promise<ForkStream[]>;
  answerFork(forkId: string, sdp: string, signal: AbortSignal): Promise<void>;
  /** Not one packet of the fork leaves from then on; a fork that is paused already is no error. */
  pauseFork(forkId: string, signal: AbortSignal): Promise<void>;
  /** Offers a paused fork again. Media may flow at once to where it went before. */
  resumeFork(forkId: string, parties: readonly Party[], signal: AbortSignal): Promise<ForkStream[]>;
  stopFork(forkId: string, signal: AbortSignal): Promise<void>;
  /** Tells when a fork does its work no more, or again, until it is stopped; `lastedMs`: how long it had been so. */
  watchFork(forkId: string, onChange: (condition: ForkCondition, lastedMs: number) => void): void;
}

export interface MediaWatcher {
  /** The media died by itself. */
  onLost(reason: string): void;
  /** Neither party has been heard for the relay's media time-out; told again whenever it has passed once more. */
  onSilent(seconds: number): void;
}

export interface MediaRelays {
  /** Why no session can be opened now, in words that name what is missing; undefined when one can be tried. `full`: all have enough. */
  unavailable(): { readonly full: boolean; readonly text: string } | undefined;
  /** Opens a session on the best relay; tries the next one when a relay does not answer. */
  open(
    callId: CallId,
    offerer: Party,
    sdp: string,
    watcher: MediaWatcher,
    signal: AbortSignal,
    terms?: PartyTerms,
  ): Promise<{ media: MediaSession; sdp: string }>;
}

// ------------------------------------------------------------------------------------------------------- recorders

/** A request or response body of the recording session. */
export interface RecordingBody {
  readonly contentType: string;
  readonly body: Buffer;
}

export type HeaderFields = ReadonlyArray<readonly [name: string, value: string]>;

export interface RecordingInvite extends RecordingBody {
  /** The call that is recorded. */
  readonly callId: CallId;
  readonly tenant: string;
  /** An endpoint name or URI of the tenant's list. */
  readonly recorder: string;
  /** Byte for byte what the recorder sees as Call-ID. */
  readonly sipCallId: string;
  readonly headers: HeaderFields;
  /** The BYE of a dialog that a late 2xx makes after the recording was given up. */
  readonly goodbye: () => RecordingBody & { readonly headers: HeaderFields };
  /** No other recorder is left to try: worth a second attempt on a new connection. */
  readonly last?: boolean;
}

/** An established recording dialog at one recorder. */
export interface RecorderDialog {
  readonly host: string;
  readonly tlsVersion: string;
  readonly clientCertificateSubject: string;
  readonly answer: RecordingBody;
  listen(handlers: RecorderHandlers): void;
  /** Sends a re-INVITE; resolves with any final response. */
  reinvite(
    request: RecordingBody & { headers: HeaderFields },
    signal: AbortSignal,
  ): Promise<RecordingBody & { status: number; reason: string }>;
  /** Sends OPTIONS; resolves with its final status, undefined when none came (time-out, no connection). Never rejects. */
  probe(signal: AbortSignal): Promise<number | undefined>;
  /**
   * The answer could not be used: the recorder is avoided from now on, as after a refusal. To be told in the turn in which invite()
   * resolves. Never throws.
   */
  unusable(why: string): void;
  /** Sends BYE. Idempotent; resolves with its final status, undefined when none came; never rejects. */
  bye(request: RecordingBody & { headers: HeaderFields }, signal: AbortSignal): Promise<number | undefined>;
  /** Plain data from which another instance could carry the dialog on; holds no key. */
  state(): object;
}

export interface RecorderHandlers {
  /** The recorder sent re-INVITE or UPDATE with an offer, or re-INVITE without one (`sdp` empty). */
  offer(offer: IncomingOffer): void;
  /** The recorder has lost the metadata and asks for all of it (RFC 7866 §9.2); its request is answered already. */
  snapshotWanted(): void;
  /**
   * The connection is gone, which says nothing of the dialog: only the recorder's answer to OPTIONS does.
   * @param sinceMs where it was given up because nothing came: when something came last, as a MonotonicClock time
   */
  doubtful(sinceMs?: number): void;
  /** The recorder's BYE (already answered), or the dialog was lost. Once. */
  ended(cause: 'hangup' | 'lost', detail: string): void;
}

export interface RecorderClient {
  /**
   * The tenant's recorders of the list in the order in which to try them now: healthy ones in the configured order, equals by least
   * sessions, failing ones last; full ones are left out. Empty only for a list without recorders of the tenant. Never throws.
   */
  order(tenant: string, recorders: readonly string[]): readonly string[];
  /**
   * Sends the recording INVITE and acknowledges the 2xx. Rejects SidestreamError: 'recorder-unreachable' (transport, TLS, time-out, or not
   * asked because it fails), 'recorder-refused' (status in the message, or its Retry-After is not over), 'overloaded' (at its cap),
   * 'cancelled' (CANCEL is sent; a late 2xx gets ACK and BYE).
   */
  invite(invite: RecordingInvite, signal: AbortSignal): Promise<RecorderDialog>;
}

// ----------------------------------------------------------------------------------------- policies, events, records

export interface Policies {
  /** Tenants for which there is no policy at all. */
  readonly missing: readonly string[];
  /** Pure on the tenant's present snapshot: never waits, never throws. */
  decide(tenant: string, facts: PolicyFacts): Decision;
}

/** What is known of a call when it is decided. */
export interface PolicyFacts {
  /** Of the trunk that the call came from. */
  readonly side: Party;
  readonly parties: InviteParties;
  /** Their numbers in E.164, where the number plan of the trunk knows them. */
  readonly numbers?: { readonly calling: string | undefined; readonly called: string | undefined };
  readonly at: Date;
}

export interface CallTimes {
  /** Since the answer; 0 without one. */
  readonly durationMs: number;
  /** When the first end came. */
  readonly endedAt: Date;
}

export interface RecordingTimes {
  readonly durationMs: number;
  /** The sum of the gaps. */
  readonly gapMs: number;
  /** What the gap that went on when the recording ended has added to it; 0 without one. */
  readonly lostMs: number;
}

/** What the world is told of calls and recordings. Nothing here waits or throws. */
export interface CallEvents {
  /** A new INVITE was turned away; `trunk` is that of its source, undefined for a stranger. */
  callRefused(refusal: CallRefusal): void;
  callStarted(call: CallFacts): void;
  callAnswered(call: CallFacts, delays: { answerDelayMs: number; postDialDelayMs: number }): void;
  /** Somebody else has taken this party's place. `call`: as it is now. */
  callTransferred(call: CallFacts, party: Party): void;
  /** Soon after the first end, maybe before everything is given back. */
  callEnded(call: CallFacts, termination: Termination, times: CallTimes): void;
  recordingStarted(recording: RecordingFacts, dialog: RecorderDialog, startDelayMs: number): void;
  /** Nothing reaches the recorder from now on. `reason`: 'recorder-inactive', or who wanted it. */
  recordingPaused(recording: RecordingFacts, reason: string): void;
  recordingResumed(recording: RecordingFacts): void;
  /** The recorder was lost for this reason; the recording goes on at this one. */
  recordingRecovered(recording: RecordingFacts, dialog: RecorderDialog, lost: Termination, gapMs: number): void;
  /** Each recorder was asked and none has taken the recording; they are asked again. */
  recordingDelayed(recording: RecordingFacts, recorder: string, why: Termination): void;
  recordingFailed(recording: RecordingFacts, recorder: string, termination: Termination): void;
  recordingEnded(recording: RecordingFacts, termination: Termination, times: RecordingTimes): void;
  /** The call should be recorded now and is not, although it was given time. */
  recordingMissing(call: CallFacts, missing: Missing): void;
  /** It is recorded again, or need not be any more. */
  recordingFound(call: CallFacts, missing: Missing): void;
  /** Beside the call, never awaited: dialog state as plain data and fork ids; no key. */
  recordingState(recording: RecordingFacts, forkId: string, dialog: RecorderDialog): void;
}

/** What goes on within calls and recordings, for the record that is kept of them. Nothing here waits or throws. */
export interface CallSteps {
  /** Before everything else of the call. @param from the caller's leg */
  callArrived(call: CallFacts, from: Pick<IncomingInvite, 'sipCallId' | 'source'>): void;
  /** A target has rung, the first one of the call or another. */
  callRinging(call: CallFacts): void;
  /** This target was called. */
  targetCalled(call: CallFacts, target: CalledTarget): void;
  /** The recording is wanted from now on. */
  recordingBegan(recording: RecordingFacts): void;
  /** Somebody who may have it wants this recording to end, while the call goes on. */
  recordingUnwanted(recording: RecordingFacts): void;
  recorderAsked(recording: RecordingFacts, recorder: string): void;
  /** The recorder that was asked last has taken the recording. */
  recorderAccepted(recording: RecordingFacts): void;
  /** The recorder that was asked last is of no use. */
  recorderGivenUp(recording: RecordingFacts, why: Termination): void;
  /** The recorder has said which voices it does not take, though it wants media: none, mostly. */
  voicesRefused(recording: RecordingFacts, voices: readonly Party[]): void;
  /** The relay has told how the fork to the recorder does its work, and for how long it has been so. */
  recordingMedia(recording: RecordingFacts, condition: ForkCondition, lastedMs: number): void;
  /** The call's media is over. */
  mediaCounted(call: CallFacts, counts: MediaCounts): void;
  /** Nothing of the call is left, and nothing more is told of it. */
  callReleased(call: CallFacts): void;
}

/** What calls and recordings tell. */
export type CallWitness = CallEvents & CallSteps;

export interface CalledTarget {
  readonly trunk: string;
  /** `host:port`. */
  readonly peer: string;
  /** Of the final response; 0 if the call ended before it. */
  readonly status: number;
  /** Empty where no dialog was made. */
  readonly sipCallId: string;
}

/** Why new calls are turned away. A reason is a metric label: nothing else becomes one. */
export interface CallRefusal {
  readonly status: number;
  readonly reason: RefusalReason;
  readonly text: string;
  readonly trunk: string | undefined;
  readonly source: string;
}

export interface CallFacts {
  readonly callId: CallId;
  readonly tenant: string;
  /** As the decision has it, which says who the seller is. */
  readonly direction: Direction;
  readonly trunk: string;
  readonly parties: CallParties;
  readonly decision: Decision;
  /** Call-ID of the recording session; empty if not recorded. */
  readonly recordingCallId: string;
  readonly startedAt: Date;
}

export interface RecordingFacts {
  readonly recordingId: string;
  readonly call: CallFacts;
  /** Of the recordings that the call has at the same time; undefined for one alone. */
  readonly group?: RecordingGroup | undefined;
}
