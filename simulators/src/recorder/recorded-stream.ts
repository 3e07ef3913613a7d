/**
 * One recorded voice: its ports, decryption, statistics, recent packets and WAV file. It knows nothing of SIP; keys are
 * given to it and go nowhere but to the capture callback that its user may have asked for.
 */
import { randomInt } from 'node:crypto';
import type { RemoteInfo } from 'node:dgram';
import { performance } from 'node:perf_hooks';
import { codecOf } from '../rtp/g711.js';
import { PacketRing } from '../rtp/packet-ring.js';
import type { PortPair } from '../rtp/port-pair.js';
import { Reception } from '../rtp/reception.js';
import { rtcpTypes, writeReceiverReport } from '../rtp/rtcp.js';
import { parseRtp, parseRtpHeader, type RtpPacket } from '../rtp/rtp-packet.js';
import { SrtpReceiver, SrtpSender, type Unprotected } from '../rtp/srtp.js';
import type { TimelineWav } from '../rtp/timeline-wav.js';
import type { Report } from './finding.js';

/** Packets of more senders than this on one stream are dropped; no call has so many. */
const MAX_SOURCES = 16;

/** A packet as it was decrypted. */
export interface RecordedPacket extends RtpPacket {
  /** Milliseconds since the epoch. */
  receivedAt: number;
}

/** Counters of a stream; times in milliseconds since the epoch. */
export interface StreamStatistics {
  /** Datagrams of any kind on the RTP port: a stream that must not be sent has none. */
  datagrams: number;
  /** Authentic packets, each once. */
  received: number;
  /** Gaps in the sequence numbers between the first and the last packet of each sender. */
  lost: number;
  authFailures: number;
  /** Of those that did not authenticate, the ones that look like plain RTP. There must be none, whatever else goes wrong. */
  inClear: number;
  duplicates: number;
  reordered: number;
  rtcpReceived: number;
  rtcpAuthFailures: number;
  rtcpSent: number;
  firstPacketAt: number | undefined;
  lastPacketAt: number | undefined;
}

/** An SRTP packet as it came, with the 30 octets of the SDES key that it is encrypted with. */
export interface SrtpCapture {
  callId: string;
  label: string;
  key: Buffer;
  packet: Buffer;
}

export interface RecordedStreamOptions {
  index: number;
  ports: PortPair;
  wav: TimelineWav | undefined;
  keepPackets: number;
  report: Report;
  capture: ((packet: Buffer, key: Buffer) => void) | undefined;
}

/** What a new offer and answer mean for a stream. */
export interface StreamTerms {
  label: string;
  offered: Buffer;
  own: Buffer;
  rtcp: { address: string; port: number };
  payloadTypes: readonly number[];
}

/** See the module's head. */
export class RecordedStream {
  readonly index: number;
  label = '';
  readonly #options: RecordedStreamOptions;
  readonly #packets: PacketRing<RecordedPacket>;
  readonly #receptions = new Map<number, Reception>();
  readonly #reported = new Set<string>();
  readonly #ownSsrc = randomInt(0x1_0000_0000);
  #terms: StreamTerms | undefined;
  #receiver: SrtpReceiver | undefined;
  /** The receiver of the key before: packets that were under way when the key changed still belong to the stream. */
  #previous: { receiver: SrtpReceiver; key: Buffer } | undefined;
  #sender: SrtpSender | undefined;
  #rtcpTo: { address: string; port: number } | undefined;
  #counts = {
    datagrams: 0,
    authFailures: 0,
    inClear: 0,
    replayed: 0,
    rtcpReceived: 0,
    rtcpAuthFailures: 0,
    rtcpSent: 0,
  };
  #stopped = false;
  #firstPacketAt: number | undefined;
  #lastPacketAt: number | undefined;

  constructor(options: RecordedStreamOptions) {
    this.index = options.index;
    this.#options = options;
    this.#packets = new PacketRing(options.keepPackets);
    options.ports.on('rtp', (bytes) => this.#onRtp(bytes));
    options.ports.on('rtcp', (bytes, from) => this.#onRtcp(bytes, from));
  }

  /** The RTP port that is in the answer; RTCP is the next one. */
  get port(): number {
    return this.#options.ports.port;
  }

  /** The key that the current terms have for our direction, undefined before the first. */
  get ownKey(): Buffer | undefined {
    return this.#terms?.own;
  }

  /** Whether the terms of the last offer had this key: RFC 4568 §7.1.4 keeps keys and rollover counter then. */
  hasOfferedKey(key: Buffer): boolean {
    return this.#terms?.offered.equals(key) === true;
  }

  /** Takes over what an offer and our answer agreed on. Unchanged keys keep their rollover counter and replay list. */
  agree(terms: StreamTerms): void {
    if (!this.hasOfferedKey(terms.offered)) {
      const [receiver, key] = [this.#receiver, this.#terms?.offered];
      if (receiver !== undefined && key !== undefined) this.#previous = { receiver, key };
      this.#receiver = new SrtpReceiver(terms.offered);
    }
    if (this.#terms?.own.equals(terms.own) !== true) this.#sender = new SrtpSender(terms.own);
    this.label = terms.label;
    this.#rtcpTo = terms.rtcp;
    this.#terms = terms;
  }

  /** Takes a new key of the client's from its answer to an offer of ours; all else stays agreed. */
  renew(key: Buffer, rtcp: StreamTerms['rtcp']): void {
    if (this.#terms !== undefined) this.agree({ ...this.#terms, offered: key, rtcp });
  }

  get statistics(): StreamStatistics {
    const receptions = [...this.#receptions.values()];
    const sum = (of: (reception: Reception) => number) =>
      receptions.reduce((total, reception) => total + of(reception), 0);
    const { datagrams, authFailures, inClear, replayed, rtcpReceived, rtcpAuthFailures, rtcpSent } = this.#counts;
    return {
      datagrams,
      received: sum(({ received }) => received),
      lost: sum(({ lost }) => lost),
      authFailures,
      inClear,
      duplicates: replayed + sum(({ duplicates }) => duplicates),
      reordered: sum(({ reordered }) => reordered),
      rtcpReceived,
      rtcpAuthFailures,
      rtcpSent,
      firstPacketAt: this.#firstPacketAt,
      lastPacketAt: this.#lastPacketAt,
    };
  }

  /** The newest decrypted packets in the order of arrival, as many as `keepPackets` allows. */
  get packets(): RecordedPacket[] {
    return this.#packets.toArray();
  }

  /** Sends one SRTCP receiver report (RFC 3550 §6.4.2) when there is anything to report. */
  sendReport(cname: string): void {
    const to = this.#rtcpTo;
    const reception = [...this.#receptions.values()].at(-1);
    if (this.#stopped || to === undefined || this.#sender === undefined || reception === undefined) return;
    const report = writeReceiverReport(this.#ownSsrc, cname, [reception.report()]);
    this.#options.ports.sendRtcp(this.#sender.protectRtcp(report), to.port, to.address);
    this.#counts.rtcpSent += 1;
  }

  /** Counts datagrams still, but takes and reports nothing any more. */
  stop(): void {
    this.#stopped = true;
  }

  /** Closes ports and file; rejects when the file could not be written. */
  async close(): Promise<void> {
    this.#options.ports.close();
    await this.#options.wav?.close();
  }

  #once(...finding: Parameters<Report>): void {
    // A stream repeats its faults fifty times a second; one finding of each kind says it.
    if (this.#reported.has(finding[0])) return;
    this.#reported.add(finding[0]);
    this.#options.report(...finding);
  }

  #onRtp(bytes: Buffer): void {
    this.#counts.datagrams += 1;
    if (this.#stopped) return;
    const header = parseRtpHeader(bytes);
    if (this.#receiver === undefined || this.#terms === undefined || header === undefined) {
      this.#once('media-not-rtp', 'a datagram on the RTP port is not RTP');
      return;
    }
    // RFC 5761 §4: RTCP types, seen as payload types with the marker bit, are 64 to 95.
    if (header.payloadType >= 64 && header.payloadType <= 95) {
      this.#once('media-rtcp-on-rtp-port', 'RTCP came on the RTP port although rtcp-mux was not agreed');
      return;
    }
    const { packet, refused, key } = this.#unprotect(bytes, this.#receiver, this.#terms.offered);
    this.#options.capture?.(bytes, key);
    if (packet === undefined) {
      if (refused === 'replayed') this.#counts.replayed += 1;
      else {
        this.#counts.authFailures += 1;
        if (looksPlain(bytes)) {
          this.#counts.inClear += 1;
          this.#once('media-in-clear', 'a packet looks like plain RTP');
        }
        this.#once('media-authentication', 'a packet does not authenticate with the offered key');
      }
      return;
    }
    const rtp = parseRtp(packet);
    if (rtp !== undefined) this.#accept(rtp, this.#terms);
  }

  #unprotect(bytes: Buffer, receiver: SrtpReceiver, key: Buffer): Unprotected & { key: Buffer } {
    const result = receiver.unprotect(bytes);
    if (result.refused !== 'authentication' || this.#previous === undefined) return { ...result, key };
    const older = this.#previous.receiver.unprotect(bytes);
    return older.refused === 'authentication' ? { ...result, key } : { ...older, key: this.#previous.key };
  }

  #accept(rtp: RtpPacket, terms: StreamTerms): void {
    const now = performance.now();
    const receivedAt = Date.now();
    this.#firstPacketAt ??= receivedAt;
    this.#lastPacketAt = receivedAt;
    const reception = this.#receptions.get(rtp.ssrc) ?? new Reception(rtp);
    if (this.#receptions.size >= MAX_SOURCES && !this.#receptions.has(rtp.ssrc)) return;
    this.#receptions.set(rtp.ssrc, reception);
    if (reception.add(rtp, now) === 'duplicate') return;
    this.#packets.add({ ...rtp, receivedAt });
    if (!terms.payloadTypes.includes(rtp.payloadType)) {
      this.#once('media-payload-type', `payload type ${rtp.payloadType} was not negotiated`);
    }
    const codec = codecOf(rtp.payloadType);
    if (codec !== undefined) this.#options.wav?.add({ ...rtp, codec, receivedAt: now });
  }

  #onRtcp(bytes: Buffer, from: RemoteInfo): void {
    const result = this.#receiver?.unprotectRtcp(bytes);
    if (result?.packet === undefined || rtcpTypes(result.packet) === undefined) {
      if (result?.refused !== 'replayed') this.#counts.rtcpAuthFailures += 1;
      return;
    }
    this.#counts.rtcpReceived += 1;
    // Symmetric RTCP (RFC 4961): an authentic packet shows where reports reach its sender.
    this.#rtcpTo = { address: from.address, port: from.port };
  }
}

/** The tag of the suite makes a payload longer by 10 octets, so that no multiple of ten milliseconds of G.711 is left. */
function looksPlain(bytes: Buffer): boolean {
  const rtp = parseRtp(bytes);
  if (rtp === undefined) return false;
  const telephoneEvent = rtp.payloadType >= 96 && rtp.payload.length === 4;
  return telephoneEvent || (codecOf(rtp.payloadType) !== undefined && rtp.payload.length % 80 === 0);
}
