/** A party's media in one call: speaks a WAV as RTP, hears what comes, records it. It knows SDP's results but no SIP. */
import { randomInt } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { codecOf, type G711Codec, PAYLOAD_TYPES } from '../rtp/g711.js';
import { PacedSender, type SentPacket } from '../rtp/paced-sender.js';
import { PacketRing } from '../rtp/packet-ring.js';
import { PortPair } from '../rtp/port-pair.js';
import { Reception } from '../rtp/reception.js';
import { parseRtp, type RtpPacket } from '../rtp/rtp-packet.js';
import { newMaster } from '../rtp/sdes.js';
import { speechSource } from '../rtp/speech-source.js';
import { SrtpReceiver, SrtpSender } from '../rtp/srtp.js';
import { TimelineWav } from '../rtp/timeline-wav.js';
import { toG711, type Wav } from '../rtp/wav.js';
import type { RecordPreference } from './party-options.js';
import { PartyReports } from './party-reports.js';
import { answerDirection, type LocalMedia, type RemoteMedia, readPartySdp } from './party-sdp.js';

/** A packet that the party has heard. */
export interface HeardPacket extends RtpPacket {
  /** Milliseconds since the epoch. */
  receivedAt: number;
}

/** What a party says, hears and keeps. */
export interface PartyMediaOptions {
  host: string;
  /** Preferred law; the other one is offered after it unless `onlyCodec`. */
  codec: G711Codec;
  onlyCodec: boolean;
  srtp: boolean;
  /** What is said; silence when absent. */
  wav: Wav | undefined;
  loop: boolean;
  /** Of the first packet; random when absent. */
  firstSequence: number | undefined;
  keepPackets: number;
  maxDurationMs: number;
  recordPreference: RecordPreference | undefined;
  /** File for what is heard. */
  recordTo: string | undefined;
  /** Between RTCP reports; undefined: none. */
  reportEveryMs: number | undefined;
  /** Share of what comes that is lost, 0 to 1. */
  hearingLoss: number;
}

/** Numbers of what was heard. */
export interface HeardStatistics {
  received: number;
  lost: number;
  duplicates: number;
  reordered: number;
}

/** See the module's head. */
export class PartyMedia {
  readonly #options: PartyMediaOptions;
  readonly #ports: PortPair;
  readonly #wav: TimelineWav | undefined;
  readonly #sent: PacketRing<SentPacket>;
  readonly #heard: PacketRing<HeardPacket>;
  readonly #receptions = new Map<number, Reception>();
  readonly #sessionId = randomInt(1, 2 ** 31);
  #version = 0;
  #recordPreference: RecordPreference | undefined;
  #wanted: LocalMedia['direction'] = 'sendrecv';
  #remote: RemoteMedia | undefined;
  #codec: G711Codec | undefined;
  #sender: PacedSender | undefined;
  readonly #crypto: { master: Buffer; sender: SrtpSender } | undefined;
  readonly #reports: PartyReports | undefined;
  /** Grows by the loss with each packet; at 1 one is lost. */
  #lossDue = 0;
  #receiver: { master: Buffer; srtp: SrtpReceiver } | undefined;
  #closed: Promise<void> | undefined;

  private constructor(options: PartyMediaOptions, ports: PortPair, wav: TimelineWav | undefined) {
    this.#options = options;
    this.#recordPreference = options.recordPreference;
    const master = newMaster();
    this.#crypto = options.srtp ? { master, sender: new SrtpSender(master) } : undefined;
    this.#ports = ports;
    this.#wav = wav;
    this.#sent = new PacketRing(options.keepPackets);
    this.#heard = new PacketRing(options.keepPackets);
    ports.on('rtp', (bytes) => this.#hear(bytes));
    // Reports would have to be sealed, too.
    if (options.reportEveryMs === undefined || options.srtp) return;
    const reports = new PartyReports({
      everyMs: options.reportEveryMs,
      cname: `party-${this.#sessionId}`,
      sent: () => this.#sentSoFar(),
      heard: () => this.#receptions.values(),
      transmit: (bytes) => {
        const to = this.#remote;
        if (to !== undefined) ports.sendRtcp(bytes, to.rtcpPort, to.rtcpAddress);
      },
    });
    ports.on('rtcp', (bytes) => reports.take(bytes));
    this.#reports = reports;
  }

  /** Opens ports and, when wanted, the file. */
  static async open(options: PartyMediaOptions): Promise<PartyMedia> {
    const ports = await PortPair.open(options.host);
    try {
      const { recordTo, maxDurationMs } = options;
      const wav = recordTo === undefined ? undefined : await TimelineWav.open(recordTo, { maxDurationMs });
      return new PartyMedia(options, ports, wav);
    } catch (error) {
      ports.close();
      throw error;
    }
  }

  /** Packets sent, the newest `keepPackets`. */
  get sent(): SentPacket[] {
    return this.#sent.toArray();
  }

  /** Packets heard in the order of arrival, the newest `keepPackets`. */
  get heard(): HeardPacket[] {
    return this.#heard.toArray();
  }

  get statistics(): HeardStatistics {
    const total = { received: 0, lost: 0, duplicates: 0, reordered: 0 };
    for (const { received, lost, duplicates, reordered } of this.#receptions.values()) {
      total.received += received;
      total.lost += lost;
      total.duplicates += duplicates;
      total.reordered += reordered;
    }
    return total;
  }

  /** Says this of recording in every description from now on. */
  prefer(preference: RecordPreference): void {
    this.#recordPreference = preference;
  }

  /** A new offer with the wanted direction. */
  offer(direction: LocalMedia['direction'] = this.#wanted): LocalMedia {
    this.#wanted = direction;
    return this.#describe(this.#offered(), direction);
  }

  /** Reads what the other side says, as far as we can take it. */
  read(sdp: string): RemoteMedia | undefined {
    return readPartySdp(sdp, this.#options.srtp);
  }

  /** Takes an offer and returns the answer, undefined when the offer has nothing for us. */
  answer(offer: RemoteMedia): LocalMedia | undefined {
    const codec = this.#choose(offer);
    if (codec === undefined) return undefined;
    return this.#describe([codec], answerDirection(offer.direction, this.#wanted), offer.crypto?.tag);
  }

  /** Begins, goes on or pauses to speak as the other side's description and our wish say. */
  apply(remote: RemoteMedia): boolean {
    const codec = this.#choose(remote);
    if (codec === undefined || this.#closed !== undefined) return false;
    this.#remote = remote;
    const { crypto } = remote;
    if (crypto !== undefined && this.#receiver?.master.equals(crypto.master) !== true)
      this.#receiver = { master: crypto.master, srtp: new SrtpReceiver(crypto.master) };
    const sends = answerDirection(remote.direction, this.#wanted);
    const speaking = (sends === 'sendrecv' || sends === 'sendonly') && remote.address !== '0.0.0.0';
    if (codec !== this.#codec) this.#speakIn(codec);
    if (!speaking) this.#sender?.pause();
    else {
      this.#sender?.start();
      this.#sender?.resume();
    }
    return true;
  }

  /** Pauses speech until the next {@link apply} that lets us send. */
  silence(): void {
    this.#sender?.pause();
  }

  /** Ends speech for good; what comes is still heard. */
  stop(): void {
    this.#sender?.stop();
  }

  /** Ends speech, ports and file; idempotent. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      this.#sender?.stop();
      this.#reports?.stop();
      this.#ports.close();
      await this.#wav?.close();
    })();
    return this.#closed;
  }

  #offered(): G711Codec[] {
    const { codec, onlyCodec } = this.#options;
    const other = codec === 'PCMU' ? 'PCMA' : 'PCMU';
    return onlyCodec ? [codec] : [codec, other];
  }

  #choose(remote: RemoteMedia): G711Codec | undefined {
    return this.#offered().find((codec) => remote.codecs.includes(codec));
  }

  #describe(codecs: readonly G711Codec[], direction: LocalMedia['direction'], tag = 1): LocalMedia {
    this.#version += 1;
    const { port, host } = this.#ports;
    const [sessionId, version, recordPreference] = [this.#sessionId, this.#version, this.#recordPreference];
    const crypto = this.#crypto && { tag, master: this.#crypto.master };
    return { address: host, port, codecs, direction, recordPreference, crypto, sessionId, version };
  }

  /** A change of law goes on with the same source, sequence and timestamps (RFC 3550 §5.1): only the payload type changes. */
  #speakIn(codec: G711Codec): void {
    this.#codec = codec;
    const { wav, loop, maxDurationMs, firstSequence } = this.#options;
    const last = this.#sent.last;
    const speech = wav === undefined ? Buffer.alloc(0) : toG711(wav, codec);
    const before = this.#sender;
    before?.stop();
    this.#sender = new PacedSender({
      payloadType: PAYLOAD_TYPES[codec],
      next: speechSource(speech, codec, { loop: loop || wav === undefined }),
      maxPackets: Math.ceil(maxDurationMs / 20),
      ...(before === undefined || last === undefined
        ? { firstSequence }
        : { ssrc: before.ssrc, firstSequence: last.sequenceNumber + 1, firstTimestamp: last.timestamp + 160 }),
      transmit: (bytes, packet) => {
        const to = this.#remote;
        if (to === undefined) return;
        this.#sent.add(packet);
        this.#ports.sendRtp(this.#crypto?.sender.protect(bytes) ?? bytes, to.port, to.address);
      },
    });
  }

  #sentSoFar(): { ssrc: number; timestamp: number; packets: number; octets: number } | undefined {
    const [sender, last] = [this.#sender, this.#sent.last];
    if (sender === undefined || last === undefined) return undefined;
    const { ssrc, sent: packets } = sender;
    return { ssrc, timestamp: last.timestamp, packets, octets: packets * last.payload.length };
  }

  #hear(received: Buffer): void {
    this.#lossDue += this.#options.hearingLoss;
    if (this.#lossDue >= 1) {
      this.#lossDue -= 1;
      return;
    }
    const bytes = this.#crypto === undefined ? received : this.#receiver?.srtp.unprotect(received).packet;
    const rtp = bytes && parseRtp(bytes);
    if (rtp === undefined) return;
    const reception = this.#receptions.get(rtp.ssrc) ?? new Reception(rtp);
    // Sixteen senders are far more than a call has; beyond them someone else is sending.
    if (this.#receptions.size >= 16 && !this.#receptions.has(rtp.ssrc)) return;
    this.#receptions.set(rtp.ssrc, reception);
    const now = performance.now();
    if (reception.add(rtp, now) === 'duplicate') return;
    this.#heard.add({ ...rtp, receivedAt: Date.now() });
    const codec = codecOf(rtp.payloadType);
    if (codec !== undefined) this.#wav?.add({ ...rtp, codec, receivedAt: now });
  }
}
