// Cuts a byte stream into SIP messages by Content-Length (RFC 3261 §18.3) and finds keep-alives (RFC 5626 §3.5.1).
// Knows as little of the syntax as framing needs; what is inside a frame is parseMessage's business.
import type { MessageLimits } from '../message/message-limits.js';
import { defaultMessageLimits } from '../message/message-limits.js';
import { malformed, type SipError, tooLarge } from '../sip-error.js';

/**
 * What a stream is made of. A CRLF between messages is a `pong`, the second of two is a `ping` (so a ping comes as
 * `pong`, `ping`): a lone CRLF cannot be told from half a ping without waiting. `unframeable` is the last frame a stream
 * can give: where its next message begins cannot be known; `bytes` is what there is of the message, for an answer.
 */
export type Frame =
  | { readonly kind: 'message'; readonly bytes: Buffer }
  | { readonly kind: 'ping' }
  | { readonly kind: 'pong' }
  | { readonly kind: 'unframeable'; readonly bytes: Buffer; readonly error: SipError };

const endOfHeaders = Buffer.from('\r\n\r\n');
const smallestBuffer = 4096;
const largestIdleBuffer = 65_536;
const contentLength = /\r\n(?:content-length|l)[ \t]*:((?:[^\r\n]|\r\n[ \t])*)/gi;

/** Framer of one direction of one stream. Time is linear in the bytes pushed, however they are chunked. */
export class StreamFramer {
  readonly #maxHeaderBytes: number;
  readonly #maxBodyBytes: number;
  #buffer: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  // Where the search for the end of the header goes on, relative to #start, so that no byte is searched twice.
  #searched = 0;
  // Length of the message at #start once its header is complete.
  #messageBytes: number | undefined;
  #lineEnds = 0;
  #dead = false;

  constructor(limits: MessageLimits = {}) {
    this.#maxHeaderBytes = limits.maxHeaderBytes ?? defaultMessageLimits.maxHeaderBytes;
    this.#maxBodyBytes = limits.maxBodyBytes ?? defaultMessageLimits.maxBodyBytes;
  }

  /** Whether a message has begun that is not complete. */
  get pending(): boolean {
    return this.#end > this.#start;
  }

  /** Takes the next bytes of the stream and gives the frames that they complete. Never throws; see `unframeable`. */
  push(chunk: Buffer): Frame[] {
    const frames: Frame[] = [];
    if (this.#dead) return frames;
    this.#append(chunk);
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) frames.push(frame);
    this.#release();
    return frames;
  }

  #next(): Frame | undefined {
    if (this.#dead || this.#start === this.#end) return undefined;
    if (this.#messageBytes === undefined) {
      if (this.#searched === 0 && this.#buffer[this.#start] === 0x0d) {
        if (this.#end - this.#start < 2) return undefined;
        if (this.#buffer[this.#start + 1] === 0x0a) return this.#keepAlive();
      }
      this.#lineEnds = 0;
      const failure = this.#measure();
      if (failure !== undefined) return failure;
    }
    if (this.#messageBytes === undefined || this.#end - this.#start < this.#messageBytes) return undefined;
    // Copied, so that a message that is kept for long does not keep the whole read buffer.
    const bytes = Buffer.from(this.#buffer.subarray(this.#start, this.#start + this.#messageBytes));
    this.#advance(this.#messageBytes);
    return { kind: 'message', bytes };
  }

  #keepAlive(): Frame {
    this.#advance(2);
    this.#lineEnds += 1;
    if (this.#lineEnds < 2) return { kind: 'pong' };
    this.#lineEnds = 0;
    return { kind: 'ping' };
  }

  // Finds the end of the header and from it the length of the message; gives a frame only when that cannot be done.
  #measure(): Frame | undefined {
    const found = this.#buffer.subarray(this.#start, this.#end).indexOf(endOfHeaders, this.#searched);
    const headerBytes = found < 0 ? this.#end - this.#start : found;
    if (headerBytes > this.#maxHeaderBytes + (found < 0 ? 3 : 0)) {
      return this.#give(this.#maxHeaderBytes + 1, tooLarge(`header above ${this.#maxHeaderBytes} bytes`));
    }
    if (found < 0) {
      this.#searched = Math.max(0, headerBytes - 3);
      return undefined;
    }
    const bodyBytes = readContentLength(this.#buffer.toString('latin1', this.#start, this.#start + found));
    if (typeof bodyBytes !== 'number') return this.#give(found + 4, bodyBytes);
    if (bodyBytes > this.#maxBodyBytes)
      return this.#give(found + 4, tooLarge(`body above ${this.#maxBodyBytes} bytes`));
    this.#messageBytes = found + 4 + bodyBytes;
    return undefined;
  }

  #give(length: number, error: SipError): Frame {
    const bytes = Buffer.from(this.#buffer.subarray(this.#start, this.#start + length));
    this.#dead = true;
    this.#start = 0;
    this.#end = 0;
    return { kind: 'unframeable', bytes, error };
  }

  #advance(length: number): void {
    this.#start += length;
    this.#searched = 0;
    this.#messageBytes = undefined;
  }

  // The buffer doubles, so that appending costs amortised constant time per byte.
  #append(chunk: Buffer): void {
    const kept = this.#end - this.#start;
    const needed = kept + chunk.length;
    if (this.#end + chunk.length > this.#buffer.length) {
      const target =
        needed > this.#buffer.length / 2 ? Buffer.allocUnsafeSlow(Math.max(smallestBuffer, needed * 2)) : this.#buffer;
      this.#buffer.copy(target, 0, this.#start, this.#end);
      this.#buffer = target;
      this.#start = 0;
      this.#end = kept;
    }
    chunk.copy(this.#buffer, this.#end);
    this.#end += chunk.length;
  }

  // An idle connection keeps no big buffer behind after one big message.
  #release(): void {
    if (this.#start < this.#end) return;
    this.#start = 0;
    this.#end = 0;
    if (this.#dead || this.#buffer.length > largestIdleBuffer) this.#buffer = Buffer.alloc(0);
  }
}

// RFC 3261 §20.14: on a stream Content-Length is a must, and two of them leave open which one counts.
function readContentLength(header: string): number | SipError {
  const values = [...header.matchAll(contentLength)].map((match) => match[1] ?? '');
  if (values.length === 0) return malformed('Content-Length: missing on a stream');
  if (values.length > 1) return malformed('Content-Length: given more than once');
  const digits = /^[ \t\r\n]*(\d+)[ \t\r\n]*$/.exec(values[0] ?? '');
  return digits === null ? malformed('Content-Length: not a number') : Number(digits[1]);
}
