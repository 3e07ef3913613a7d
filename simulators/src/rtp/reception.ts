/** What one receiver knows of one stream: RFC 3550 appendix A (extended sequence numbers, loss, jitter), bounded in memory. */
import type { RtpHeader } from './rtp-packet.js';

const WINDOW = 1_024;
const CLOCK_RATE_PER_MS = 8;

/** A reception report block (RFC 3550 §6.4.1). */
export interface ReceptionReport {
  ssrc: number;
  fractionLost: number;
  cumulativeLost: number;
  highestSequence: number;
  jitter: number;
  /** Middle of the time of the sender's last report, and how long ago that came, in 1/65536 s; absent: none has come. */
  lastReport?: number;
  sinceLastReport?: number;
}

/** How a packet relates to those before it. */
export type Arrival = 'new' | 'reordered' | 'duplicate';

/** Statistics of one SSRC, fed with every packet in the order of arrival. */
export class Reception {
  readonly ssrc: number;
  received = 0;
  duplicates = 0;
  reordered = 0;
  readonly #first: number;
  #highest: number;
  /** Extended sequence numbers seen lately, by their place in a ring: tells a duplicate from a late packet. */
  readonly #seen = new Float64Array(WINDOW).fill(-1);
  #jitter = 0;
  #transit: number | undefined;
  #reported = { expected: 0, received: 0 };

  constructor(first: RtpHeader) {
    this.ssrc = first.ssrc;
    // One cycle up, so that a packet from before the first one never has a negative number.
    this.#first = 0x1_0000 + first.sequenceNumber;
    this.#highest = this.#first - 1;
  }

  /** Highest sequence number received, with the wraps counted above the 16 bits. */
  get highestSequence(): number {
    return this.#highest - 0x1_0000;
  }

  /** Packets that were expected and have not come, never below zero. */
  get lost(): number {
    return Math.max(0, this.#highest - this.#first + 1 - this.received);
  }

  /** Counts one packet; `receivedAt` is milliseconds of a steady clock. */
  add(header: RtpHeader, receivedAt: number): Arrival {
    const delta = ((header.sequenceNumber - this.#highest) << 16) >> 16;
    const extended = this.#highest + delta;
    const slot = ((extended % WINDOW) + WINDOW) % WINDOW;
    if (this.#seen[slot] === extended) {
      this.duplicates += 1;
      return 'duplicate';
    }
    this.#seen[slot] = extended;
    // What was sent before the first packet was not expected, so it must not offset a loss.
    if (extended < this.#first) {
      this.reordered += 1;
      return 'reordered';
    }
    this.received += 1;
    if (delta <= 0) {
      this.reordered += 1;
      return 'reordered';
    }
    this.#highest = extended;
    const transit = receivedAt * CLOCK_RATE_PER_MS - header.timestamp;
    if (this.#transit !== undefined) {
      // RFC 3550 A.8, with the difference folded so that the timestamp's wrap does not count as jitter.
      const difference = Math.abs(Math.round(transit - this.#transit) | 0);
      this.#jitter += (difference - this.#jitter) / 16;
    }
    this.#transit = transit;
    return 'new';
  }

  /** The block for the next receiver report; the fraction covers the time since the last call (RFC 3550 A.3). */
  report(): ReceptionReport {
    const expected = this.#highest - this.#first + 1;
    const expectedNow = expected - this.#reported.expected;
    const lostNow = expectedNow - (this.received - this.#reported.received);
    this.#reported = { expected, received: this.received };
    return {
      ssrc: this.ssrc,
      fractionLost: expectedNow <= 0 || lostNow <= 0 ? 0 : Math.min(255, Math.floor((lostNow * 256) / expectedNow)),
      cumulativeLost: Math.min(this.lost, 0x7f_ffff),
      highestSequence: this.highestSequence >>> 0,
      jitter: Math.floor(this.#jitter) >>> 0,
    };
  }
}
