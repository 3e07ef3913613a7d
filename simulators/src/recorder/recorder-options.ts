/** Options of the recorder and what they are by default. */
import type { TlsIdentityFiles } from '@sidestream/sip';
import type { RecorderProfile } from '@sidestream/siprec';
import type { TracedMessage } from '../message-trace.js';
import type { Behaviour } from './behaviour/behaviour.js';
import type { SrtpCapture } from './recorded-stream.js';

/** How a recorder listens, what it expects and what it keeps. Only the certificate has no default. */
export interface RecorderOptions {
  /** Server certificate, key, and the authorities whose client certificates are accepted. */
  tls: TlsIdentityFiles;
  /** Address to listen on for SIP; 127.0.0.1. */
  host?: string;
  /** TCP port; any free one. */
  port?: number;
  /** Whether a client certificate is required; true. */
  requestClientCertificate?: boolean;
  /** Address of media in answers; the one that the client has connected to. */
  mediaHost?: string;
  /** What clients are expected to send; dynamics365. */
  profile?: RecorderProfile;
  /** Expected X-AccountId; any. */
  accountId?: string;
  /** Parent of the session folders; without it nothing is written. */
  directory?: string;
  /** Bound on the sound that is written per stream; four hours. */
  maxDurationMs?: number;
  /** Decrypted packets that are kept in memory per stream; 30,000 (ten minutes). */
  keepPackets?: number;
  /** Interval of receiver reports; 5,000, 0 for none. */
  rtcpIntervalMs?: number;
  /** How long media is still taken after the end, for packets that were under way; 200. */
  lingerMs?: number;
  /** Sessions at a time; 200, above it INVITEs are answered 503. */
  maxSessions?: number;
  /** How to misbehave; not at all. */
  behaviour?: Behaviour;
  /** Sees every SIP message, sent and received. */
  onMessage?: (traced: TracedMessage) => void;
  /** Gets every SRTP packet with its key, for an independent decryption. Nothing is kept of it. */
  onSrtpPacket?: (capture: SrtpCapture) => void;
}

/** The defaults of {@link RecorderOptions}. */
export const RECORDER_DEFAULTS = {
  host: '127.0.0.1',
  port: 0,
  maxDurationMs: 4 * 3_600_000,
  keepPackets: 30_000,
  rtcpIntervalMs: 5_000,
  lingerMs: 200,
  maxSessions: 200,
} as const;
