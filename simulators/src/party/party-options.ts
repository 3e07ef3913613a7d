/** Options of a party and of its calls. */
import type { Target } from '@sidestream/sip';
import type { TracedMessage } from '../message-trace.js';
import type { G711Codec } from '../rtp/g711.js';
import type { Wav } from '../rtp/wav.js';

/** `a=recordpref` of RFC 7866 §6.3. */
export type RecordPreference = 'on' | 'off' | 'pause' | 'nopreference';

/** Speech: a WAV file's path or URL, or its content. */
export type Speech = string | URL | Wav;

/** What a party does with a call that comes in; rings for 200 ms and answers unless told otherwise. */
export interface IncomingTreatment {
  /** Time between 180 and the answer or refusal; 0 answers at once without ringing. */
  ringMs?: number;
  /** Refuses with this status after ringing. */
  rejectWith?: number;
  /** Contact of the refusal: whom to call instead, with a 3xx. */
  redirectTo?: string;
  /** Rings until the caller gives up. */
  neverAnswer?: boolean;
  /** Rings with 183 and its description, and speaks before it answers. */
  earlyMedia?: boolean;
  hangUpAfterMs?: number;
}

/** Who a party is, where it listens, what it says. */
export interface PartyOptions {
  /** Display name, for people and for From. */
  name: string;
  /** Its address of record, `sip:+14255550100@127.0.0.1`. */
  uri: string;
  listen: { protocol: 'udp' | 'tcp'; host: string; port?: number };
  /** Address of media; the one that it listens on. */
  mediaHost?: string;
  /** Preferred law; PCMU. */
  codec?: G711Codec;
  /** Offers and takes no other law. */
  onlyCodec?: boolean;
  /** Speaks SRTP with SDES keys (RFC 4568) and takes nothing else. */
  srtp?: boolean;
  /** What it says; silence when absent. */
  wav?: Speech;
  /** Says it again and again; true. */
  loop?: boolean;
  /** Sequence number of the first packet of each call; random when absent (RFC 3550 §5.1). */
  firstSequence?: number;
  /** Says `Supported: record-aware`: its user would be shown whether it is recorded (RFC 7866 §6.3). */
  recordAware?: boolean;
  /** What it prefers of its recording from the start; nothing when absent. */
  recordPreference?: RecordPreference;
  /** Packets kept in memory per call and direction; 30,000 (ten minutes). */
  keepPackets?: number;
  /** Bound on speech and recording of a call; one hour. */
  maxDurationMs?: number;
  /** Gives the file for what is heard in a call. */
  recordTo?: (callId: string) => string;
  /** Tells by RTCP so often what it has sent and how it hears; not at all when absent. In plain RTP only. */
  reportEveryMs?: number;
  /** Share of what comes that is lost on the way, 0 to 1; 0. */
  hearingLoss?: number;
  incoming?: IncomingTreatment;
  /** Sees every SIP message, sent and received. */
  onMessage?: (traced: TracedMessage) => void;
  /** Calls at a time; 500. */
  maxCalls?: number;
}

/** What differs from call to call. */
export interface CallOptions {
  /** Where the INVITE is sent; else the host and port of the URI, by the party's protocol. */
  target?: Target;
  /** Additional header lines. */
  headers?: readonly (readonly [string, string])[];
  /** From as a name-addr without tag; else the party's name and address. */
  from?: string;
  wav?: Speech;
  hangUpAfterMs?: number;
  /** Lets the other side offer in its 200, and answers in the ACK. */
  lateOffer?: boolean;
  /** Gives up when there is no answer within this time; 60,000. */
  answerTimeoutMs?: number;
}
