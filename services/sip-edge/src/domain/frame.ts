// The framing of the admin protocol: `<len>#<payload>`, len = decimal count of UTF-8 bytes, no terminator. Knows nothing
// of what a payload means.

/** The stream can't be framed any more: drachtio-server closes such a connection without a word. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

const hash = 0x23;
const zero = 0x30;
/** Six digits reach beyond every limit that makes sense; drachtio-server stops at five. */
const maxLengthDigits = 6;

const nothing = Buffer.alloc(0);

/** Encodes one frame whose payload is a text and, behind it, the bytes of a SIP message. */
export function encodeFrame(text: string, sip: Buffer = nothing): Buffer {
  const payload = Buffer.byteLength(text) + sip.length;
  return Buffer.concat([Buffer.from(`${payload}#${text}`), sip]);
}

/** Cuts a byte stream into payloads, whatever the chunks are. Work is linear in the bytes received. */
export class FrameReader {
  #maxPayloadBytes: number;
  #chunks: Buffer[] = [];
  #buffered = 0;
  #digits = 0;
  #length = 0;
  #inPayload = false;

  /** @param maxPayloadBytes a longer frame is a FrameError as soon as its length is known. */
  constructor(maxPayloadBytes: number) {
    this.#maxPayloadBytes = maxPayloadBytes;
  }

  /** Changes the bound for the frames to come, e.g. once a client has authenticated. */
  set maxPayloadBytes(bytes: number) {
    this.#maxPayloadBytes = bytes;
  }

  /**
   * Takes the next bytes and yields the payloads that they complete. The bound is looked at for each frame, so a change
   * of `maxPayloadBytes` made between two payloads holds for the second.
   *
   * @throws FrameError on a length that is no number, has too many digits, is zero or above the bound.
   */
  *push(chunk: Buffer): Generator<Buffer, void, undefined> {
    let position = 0;
    while (position < chunk.length) {
      if (!this.#inPayload) {
        position = this.#readLength(chunk, position);
        continue;
      }
      const part = chunk.subarray(position, position + this.#length - this.#buffered);
      this.#chunks.push(part);
      this.#buffered += part.length;
      position += part.length;
      if (this.#buffered === this.#length) yield this.#take();
    }
  }

  #readLength(chunk: Buffer, start: number): number {
    for (let position = start; position < chunk.length; position += 1) {
      const byte = chunk[position] ?? 0;
      if (byte === hash && this.#digits > 0) {
        if (this.#length === 0 || this.#length > this.#maxPayloadBytes) {
          throw new FrameError(`frame of ${this.#length} bytes, at most ${this.#maxPayloadBytes} are taken`);
        }
        this.#inPayload = true;
        return position + 1;
      }
      const digit = byte - zero;
      if (digit < 0 || digit > 9) throw new FrameError('frame length is not a number');
      this.#digits += 1;
      if (this.#digits > maxLengthDigits) throw new FrameError('frame length has too many digits');
      this.#length = this.#length * 10 + digit;
    }
    return chunk.length;
  }

  #take(): Buffer {
    const [only] = this.#chunks;
    const payload = this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks, this.#length);
    this.#chunks = [];
    this.#buffered = 0;
    this.#digits = 0;
    this.#length = 0;
    this.#inPayload = false;
    return payload;
  }
}
