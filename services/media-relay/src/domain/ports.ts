// What the domain asks of the outside, in its own words. Nothing here knows ng, gRPC or NATS.
import { SidestreamError } from '@sidestream/service';

/** Whose voice it is. */
export type Party = 'customer' | 'seller';

/** What a party's media may be, in its own descriptions and in what it is given. */
export interface PartyTerms {
  /** Names as in a=rtpmap, the preferred one first; empty: all. */
  readonly codecs: readonly string[];
  /** What the party is offered: plain RTP, both (RFC 8643), or SRTP alone. */
  readonly srtp: 'off' | 'offer' | 'require';
}

/** How the engine makes the other party's offer from one that it is given. */
export interface Relaying {
  readonly srtp: PartyTerms['srtp'];
  /** What the other party is offered instead of everything in the offer; empty: what is in the offer. */
  readonly transcode: readonly string[];
}

/** What the engine can turn every voice into; G.711, which every recorder takes. */
export type VoiceCodec = 'PCMU' | 'PCMA';

/** One media line of a fork as the engine offers it. It carries a key: never log it. */
export interface ForkStream {
  readonly party: Party;
  readonly address: string;
  readonly port: number;
  readonly rtcpPort: number;
  /** RFC 4568 §9.1 without `a=crypto:`, e.g. `1 AES_CM_128_HMAC_SHA1_80 inline:…`. */
  readonly crypto: string;
  /** Static payload types (RFC 3551) that the party's stream may carry now. */
  readonly payloadTypes: readonly number[];
  /** Payload type of the party's DTMF events (RFC 4733). Only a recorder that answers this very number gets them. */
  readonly telephoneEvent: number | undefined;
}

/** A fork as the engine has it. */
export interface EngineFork {
  readonly id: string;
  /**
   * The voices are encrypted for the recorder in a second step. In one step the engine would take the key that a party with SRTP sends
   * with, and the recorder would hold a key of the trunk's.
   */
  readonly sealed: boolean;
}

/** What the engine offers for a fork. */
export interface ForkOffer {
  /** One per party asked for, in the order asked. */
  readonly streams: readonly ForkStream[];
  /**
   * Every media line that the engine expects in the answer, in its order: undefined for the next of `streams`, else the
   * complete line that refuses it (a party's video, for instance).
   */
  readonly refusals: readonly (string | undefined)[];
}

/** What the engine received from one party. */
export interface PartyMedia {
  readonly party: Party;
  readonly packets: number;
  readonly bytes: number;
}

/** One media line of a fork, as the engine counts it. */
export interface ForkLine {
  /** Whether the recorder takes it: it has an address to send to. */
  readonly taken: boolean;
  /** Packets that could not be sent to the recorder. */
  readonly failed: number;
  /** Packets that came from the recorder: its RTCP, mostly. */
  readonly returned: number;
}

/** How one stream came to whom it was sent, as the RTCP of that one tells. */
export interface Reception {
  readonly lostPackets: number;
  /** Mean opinion score, 1 to 5, as the engine estimates it. */
  readonly mos: number;
}

/** What went through a session so far. */
export interface Traffic {
  /** Of the parties that sent anything. */
  readonly parties: readonly PartyMedia[];
  /** Packets of the audio that is forked, by party. */
  readonly voices: Readonly<Record<Party, number>>;
  /** Of the streams about which there was RTCP that says enough. */
  readonly receptions: readonly Reception[];
  /** By fork: the parties that it is a copy of now, and its media lines in their order. */
  readonly forks: ReadonlyMap<string, { readonly parties: readonly Party[]; readonly lines: readonly ForkLine[] }>;
}

/** Whether the engine's control answers: `gone` = nothing listens at its address, `silent` = no answer in time. */
export type EngineState = 'alive' | 'gone' | 'silent';

/** The engine itself says that it does not know the session: its media is dead. */
export class EngineLostSession extends SidestreamError {
  constructor(session: string, options?: { cause?: unknown }) {
    super('not-found', `the media engine no longer has session ${session}`, options);
  }
}

/**
 * The media engine. Every method rejects with a SidestreamError: EngineLostSession if it no longer has the session,
 * `media-engine-unavailable` if it cannot be asked, `overloaded` if it is out of ports or full, `media-refused` or
 * `recorder-answer-unusable` if it refuses what it was given; or as the signal says.
 */
export interface MediaEngine {
  /** For people: what it is and where. */
  readonly description: string;
  /** Gives a party's offer; `answered` says that both parties are known to the engine. Returns the other party's SDP. */
  offer(
    session: string,
    by: Party,
    sdp: string,
    relaying: Relaying & { readonly answered: boolean },
    signal: AbortSignal,
  ): Promise<string>;
  /** Gives a party's answer to the other's offer. Returns the SDP for the offerer. */
  answer(session: string, by: Party, sdp: string, signal: AbortSignal): Promise<string>;
  /**
   * Lets a session be forked before it is answered: each party is forked as soon as it sends. The real answer follows by `answer`
   * and may name another address and fewer codecs.
   *
   * @param offered what `offer` returned for this party.
   */
  presumeAnswer(session: string, by: Party, offered: string, signal: AbortSignal): Promise<void>;
  /**
   * Offers (again) a copy of the parties' media. On a fork that had media before, media flows from here on, on the same
   * ports and with the same keys, whatever the codec. A refusal leaves the fork in doubt: stop it.
   *
   * @param codec what all voices are turned into; undefined = each as the party sends it.
   */
  offerFork(
    session: string,
    fork: EngineFork,
    parties: readonly Party[],
    codec: VoiceCodec | undefined,
    signal: AbortSignal,
  ): Promise<ForkOffer>;
  /** Gives the recorder's answer, already proven secure, with one media line for every line of the offer. */
  answerFork(session: string, fork: EngineFork, sdp: string, signal: AbortSignal): Promise<void>;
  /** Not one packet leaves on the fork after this resolved. An unknown fork is no error. */
  stopFork(session: string, fork: EngineFork, signal: AbortSignal): Promise<void>;
  /** What went through so far. */
  traffic(session: string, signal: AbortSignal): Promise<Traffic>;
  /** Seconds since a party was heard last, or since its media was described last, whichever is less. */
  silentSeconds(session: string, signal: AbortSignal): Promise<number>;
  /**
   * Ends the session and its forks at once, sealed ones included. A session that is already gone is no error.
   * @param sealedForks false where none was ever sealed: there is nothing of them to end
   */
  close(session: string, signal: AbortSignal, sealedForks?: boolean): Promise<void>;
  /** Whether the engine has the session. */
  holds(session: string, signal: AbortSignal): Promise<boolean>;
  /**
   * The sessions that this relay, or an earlier run of it, opened, and those of which something remains to be closed; `complete` is
   * false if there may be more.
   */
  list(signal: AbortSignal): Promise<{
    readonly sessions: readonly string[];
    readonly remains: readonly string[];
    readonly complete: boolean;
  }>;
  /** Never rejects. */
  state(signal: AbortSignal): Promise<EngineState>;
  /** Seconds since the engine started, by its own clock. */
  uptimeSeconds(signal: AbortSignal): Promise<number>;
}

/**
 * Why a session was lost: the engine is gone, has restarted, or dropped it by itself (its own media time-out); or this
 * relay stops and takes its sessions with it.
 */
export type LossReason = (typeof lossReasons)[number];
export const lossReasons = ['engine-gone', 'engine-restarted', 'engine-dropped', 'relay-stopped'] as const;

/** Where the domain says what happens; pino's loggers fit. */
export interface DomainLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}
