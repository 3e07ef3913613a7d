/** G.711 µ-law and A-law (ITU-T G.711; RTP payload types 0 and 8 of RFC 3551 §4.5.14) to and from 16-bit linear samples. */

/** The two G.711 laws by their RTP names. */
export type G711Codec = 'PCMU' | 'PCMA';

/** Static payload types of RFC 3551 table 4. */
export const PAYLOAD_TYPES: Readonly<Record<G711Codec, number>> = { PCMU: 0, PCMA: 8 };

/** One byte of digital silence in each law. */
export const SILENCE: Readonly<Record<G711Codec, number>> = { PCMU: 0xff, PCMA: 0xd5 };

/** µ-law adds this to every magnitude, so that each segment begins at a power of two. */
const BIAS = 0x84;

function decodeMu(byte: number): number {
  const value = ~byte & 0xff;
  const magnitude = ((((value & 0x0f) << 3) + BIAS) << ((value & 0x70) >> 4)) - BIAS;
  return (value & 0x80) !== 0 ? -magnitude : magnitude;
}

function decodeA(byte: number): number {
  const value = byte ^ 0x55;
  const segment = (value & 0x70) >> 4;
  let magnitude = ((value & 0x0f) << 4) + 8;
  if (segment > 0) magnitude = (magnitude + 0x100) << (segment - 1);
  return (value & 0x80) !== 0 ? magnitude : -magnitude;
}

function encodeMu(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), 32_635) + BIAS;
  const exponent = 31 - Math.clz32(magnitude) - 7;
  return ~(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0f)) & 0xff;
}

function encodeA(sample: number): number {
  const sign = sample >= 0 ? 0x80 : 0;
  const magnitude = Math.min(sample >= 0 ? sample : -sample - 1, 32_767);
  const exponent = magnitude < 256 ? 0 : 31 - Math.clz32(magnitude) - 7;
  const mantissa = (magnitude >> (exponent === 0 ? 4 : exponent + 3)) & 0x0f;
  return (sign | (exponent << 4) | mantissa) ^ 0x55;
}

const DECODED: Readonly<Record<G711Codec, Int16Array>> = {
  PCMU: Int16Array.from({ length: 256 }, (_, byte) => decodeMu(byte)),
  PCMA: Int16Array.from({ length: 256 }, (_, byte) => decodeA(byte)),
};

/** Decodes to linear samples, full scale ±32124 (µ-law) or ±32256 (A-law). */
export function decodeG711(codec: G711Codec, bytes: Uint8Array): Int16Array {
  const table = DECODED[codec];
  return Int16Array.from(bytes, (byte) => table[byte] ?? 0);
}

/** Encodes linear samples; louder than the law's full scale is clipped. */
export function encodeG711(codec: G711Codec, samples: Int16Array): Buffer {
  const encode = codec === 'PCMU' ? encodeMu : encodeA;
  return Buffer.from(Uint8Array.from(samples, encode));
}

/** The same sound in another law; the very bytes when the law is the same. */
export function transcodeG711(from: G711Codec, to: G711Codec, bytes: Buffer): Buffer {
  return from === to ? bytes : encodeG711(to, decodeG711(from, bytes));
}

/** The law of a static payload type, undefined for every other type. */
export function codecOf(payloadType: number): G711Codec | undefined {
  if (payloadType === PAYLOAD_TYPES.PCMU) return 'PCMU';
  return payloadType === PAYLOAD_TYPES.PCMA ? 'PCMA' : undefined;
}
