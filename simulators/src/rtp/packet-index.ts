/** Packet indices of one SRTP stream (RFC 3711 §3.3.1): estimating the rollover counter, and the replay list (§3.3.2). */

const SEQUENCES = 0x1_0000;
const HALF = 0x8000;
const MAX_ROC = 0xffff_ffff;

/** A list of the newest indices; what is older than it reaches counts as replayed. §3.3.2 asks for 64 at least. */
export class ReplayList {
  readonly #slots: Float64Array;
  #highest = -1;

  constructor(size = 1_024) {
    this.#slots = new Float64Array(size).fill(-1);
  }

  /** Whether `index` was seen or is too old to tell. */
  has(index: number): boolean {
    return index <= this.#highest - this.#slots.length || this.#slots[index % this.#slots.length] === index;
  }

  add(index: number): void {
    this.#slots[index % this.#slots.length] = index;
    this.#highest = Math.max(this.#highest, index);
  }
}

/** State of one source: rollover counter, highest sequence number, replay list. Change it for authentic packets only. */
export class SourceIndex {
  readonly replay = new ReplayList();
  #roc = 0;
  #highest: number | undefined;

  /** The index that a packet with this sequence number most probably has; undefined when none is possible. */
  estimate(sequenceNumber: number): number | undefined {
    const highest = this.#highest;
    let roc = this.#roc;
    if (highest !== undefined) {
      if (highest < HALF && sequenceNumber - highest > HALF) roc -= 1;
      else if (highest >= HALF && highest - HALF > sequenceNumber) roc += 1;
    }
    return roc < 0 || roc > MAX_ROC ? undefined : roc * SEQUENCES + sequenceNumber;
  }

  /** Takes over the index of an authentic packet. */
  accept(index: number): void {
    this.replay.add(index);
    if (this.#highest !== undefined && index <= this.#roc * SEQUENCES + this.#highest) return;
    this.#roc = Math.floor(index / SEQUENCES);
    this.#highest = index % SEQUENCES;
  }
}
