/**
 * Sends speech as RTP, one packet per packet time, on a schedule that does not drift: the n-th packet is due at the start
 * plus n packet times, however late the timers fire. It knows neither sockets nor where the speech comes from.
 */
import { randomInt } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { type RtpPacket, writeRtp } from './rtp-packet.js';

/** One packet time of G.711 at 8 kHz. */
export const PACKET_MS = 20;
export const PACKET_SAMPLES = 160;

/** A media relay drops what arrives in long bursts, so after a stall only so many packets are made up for. */
const MAX_BURST = 25;

/** A packet as it was sent. */
export interface SentPacket extends RtpPacket {
  /** Milliseconds since the epoch. */
  sentAt: number;
}

/** What a sender needs: payloads in, packets out. */
export interface PacedSenderOptions {
  payloadType: number;
  /** The next payload of 20 ms, undefined at the end of the speech. */
  next(): Buffer | undefined;
  transmit(bytes: Buffer, packet: SentPacket): void;
  /** Called once when the speech or the bound is at its end. */
  finished?: () => void;
  /** Bound on the number of packets; 180,000 (an hour) unless given. */
  maxPackets?: number;
  ssrc?: number;
  firstSequence?: number | undefined;
  firstTimestamp?: number;
}

/** See the module's head. A pause (hold) leaves a gap in the timestamps, not in the sequence numbers. */
export class PacedSender {
  readonly ssrc: number;
  sent = 0;
  readonly #options: PacedSenderOptions;
  #sequence: number;
  #timestamp: number;
  #marker = true;
  #timer: NodeJS.Timeout | undefined;
  #origin = 0;
  #slot = 0;
  #pausedAt: number | undefined;
  #state: 'new' | 'running' | 'paused' | 'ended' = 'new';

  constructor(options: PacedSenderOptions) {
    this.#options = options;
    this.ssrc = options.ssrc ?? randomInt(0x1_0000_0000);
    // RFC 3550 §5.1: both start at random values.
    this.#sequence = options.firstSequence ?? randomInt(0x1_0000);
    this.#timestamp = options.firstTimestamp ?? randomInt(0x1_0000_0000);
  }

  /** Sends the first packet at once; nothing when it was started before. */
  start(): void {
    if (this.#state !== 'new') return;
    this.#state = 'running';
    this.#origin = performance.now();
    this.#tick();
  }

  pause(): void {
    if (this.#state !== 'running') return;
    this.#state = 'paused';
    this.#pausedAt = performance.now();
    clearTimeout(this.#timer);
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    const now = performance.now();
    const missed = Math.round((now - (this.#pausedAt ?? now)) / PACKET_MS);
    this.#timestamp += missed * PACKET_SAMPLES;
    this.#marker = true;
    this.#state = 'running';
    this.#origin = now;
    this.#slot = 0;
    this.#tick();
  }

  /** Ends for good; idempotent, leaves no timer. */
  stop(): void {
    this.#state = 'ended';
    clearTimeout(this.#timer);
  }

  #tick(): void {
    let burst = 0;
    while (this.#state === 'running' && this.#origin + this.#slot * PACKET_MS <= performance.now()) {
      if (burst === MAX_BURST) {
        // The rest of the stall is silence on the line: timestamps go on, the packets are never sent.
        const late = Math.floor((performance.now() - this.#origin) / PACKET_MS) - this.#slot;
        this.#slot += late;
        this.#timestamp += late * PACKET_SAMPLES;
        this.#marker = true;
        break;
      }
      burst += 1;
      this.#sendOne();
    }
    if (this.#state !== 'running') return;
    const due = this.#origin + this.#slot * PACKET_MS - performance.now();
    this.#timer = setTimeout(() => this.#tick(), Math.max(1, Math.ceil(due)));
  }

  #sendOne(): void {
    const payload = this.sent < (this.#options.maxPackets ?? 180_000) ? this.#options.next() : undefined;
    if (payload === undefined) {
      this.stop();
      this.#options.finished?.();
      return;
    }
    const packet: SentPacket = {
      marker: this.#marker,
      payloadType: this.#options.payloadType,
      sequenceNumber: this.#sequence & 0xffff,
      timestamp: this.#timestamp >>> 0,
      ssrc: this.ssrc,
      payload,
      sentAt: Date.now(),
    };
    this.#marker = false;
    this.#sequence += 1;
    this.#timestamp += PACKET_SAMPLES;
    this.#slot += 1;
    this.sent += 1;
    this.#options.transmit(writeRtp(packet), packet);
  }
}
