/**
 * A G.711 WAV file that grows while packets arrive. Each payload is put at the place that its RTP timestamp gives it, so
 * reordered packets fall into order and gaps stay as silence. It knows no socket and no encryption.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { type G711Codec, SILENCE, transcodeG711 } from './g711.js';
import { WAV_HEADER_LENGTH, wavHeader } from './wav.js';

const SAMPLES_PER_MS = 8;
/** A timestamp that jumps further than this from the arrival clock is a new timeline (new sender), not a gap. */
const JUMP_MS = 10_000;
const MAX_PENDING_WRITES = 512;
const SILENCE_BLOCK = 65_536;

/** One payload with what places it. */
export interface TimelinePacket {
  ssrc: number;
  timestamp: number;
  codec: G711Codec;
  payload: Buffer;
  /** Milliseconds of any steady clock. */
  receivedAt: number;
}

/** See the module's head. Open with {@link TimelineWav.open}, end with {@link close}. */
export class TimelineWav {
  /** Packets that were not written: too late or early, beyond the bound, or the disk was too slow. */
  skipped = 0;
  readonly #file: FileHandle;
  #codec: G711Codec | undefined;
  readonly #maxSamples: number;
  #end = 0;
  #origin: { ssrc: number; timestamp: number; position: number; receivedAt: number } | undefined;
  #pending = 0;
  #writes: Promise<void> = Promise.resolve();
  #error: unknown;
  #closing: Promise<void> | undefined;

  private constructor(file: FileHandle, maxDurationMs: number) {
    this.#file = file;
    this.#maxSamples = maxDurationMs * SAMPLES_PER_MS;
  }

  /**
   * Makes the file (mode 0600: it holds voices), which never grows beyond `maxDurationMs` of sound. It gets the law of the
   * first packet, so that what came first is stored byte for byte; packets of the other law are transcoded.
   */
  static async open(path: string, options: { maxDurationMs: number }): Promise<TimelineWav> {
    return new TimelineWav(await open(path, 'w', 0o600), options.maxDurationMs);
  }

  /** Sound so far, milliseconds. */
  get durationMs(): number {
    return this.#end / SAMPLES_PER_MS;
  }

  /** Places one payload. Never throws and never waits; write errors surface in {@link close}. */
  add(packet: TimelinePacket): void {
    const position = this.#place(packet);
    const { length } = packet.payload;
    if (
      this.#closing !== undefined ||
      position < 0 ||
      position + length > this.#maxSamples ||
      this.#pending >= MAX_PENDING_WRITES
    ) {
      this.skipped += 1;
      return;
    }
    this.#codec ??= packet.codec;
    if (position > this.#end) this.#writeSilence(this.#end, position, SILENCE[this.#codec]);
    this.#write(transcodeG711(packet.codec, this.#codec, packet.payload), position);
    this.#end = Math.max(this.#end, position + length);
  }

  #place(packet: TimelinePacket): number {
    const origin = this.#origin;
    if (origin !== undefined && origin.ssrc === packet.ssrc) {
      // The difference modulo 2^32 taken as signed also covers the timestamp's wrap.
      const position = origin.position + ((packet.timestamp - origin.timestamp) | 0);
      const expected = origin.position + (packet.receivedAt - origin.receivedAt) * SAMPLES_PER_MS;
      if (Math.abs(position - expected) <= JUMP_MS * SAMPLES_PER_MS) {
        if (position > origin.position) this.#origin = { ...packet, position };
        return position;
      }
    }
    const elapsed = origin === undefined ? 0 : Math.round((packet.receivedAt - origin.receivedAt) * SAMPLES_PER_MS);
    const position = Math.max(this.#end, (origin?.position ?? 0) + elapsed);
    this.#origin = { ...packet, position };
    return position;
  }

  #writeSilence(from: number, to: number, silence: number): void {
    const block = Buffer.alloc(Math.min(SILENCE_BLOCK, to - from), silence);
    for (let at = from; at < to; at += block.length) this.#write(block.subarray(0, to - at), at);
  }

  #write(bytes: Buffer, position: number): void {
    this.#pending += 1;
    this.#writes = this.#writes
      .then(async () => {
        await this.#file.write(bytes, 0, bytes.length, WAV_HEADER_LENGTH + position);
      })
      .catch((error: unknown) => {
        this.#error ??= error;
      })
      .finally(() => {
        this.#pending -= 1;
      });
  }

  /** Writes what is pending and the final sizes, and closes the file; idempotent. Rejects with the first write error. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.#writes;
      try {
        if (this.#end % 2 === 1) await this.#file.write(Buffer.alloc(1), 0, 1, WAV_HEADER_LENGTH + this.#end);
        await this.#file.write(wavHeader(this.#codec ?? 'PCMU', this.#end), 0, WAV_HEADER_LENGTH, 0);
      } finally {
        await this.#file.close();
      }
      if (this.#error !== undefined) throw this.#error;
    })();
    return this.#closing;
  }
}
