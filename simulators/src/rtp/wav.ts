/** WAV files of 8 kHz mono speech: format 7 (µ-law), 6 (A-law) and 1 (16-bit linear). It knows no RTP. */
import { readFile } from 'node:fs/promises';
import { decodeG711, encodeG711, type G711Codec, transcodeG711 } from './g711.js';

/** Sample encodings that are read and written. */
export type WavEncoding = G711Codec | 'PCM16';

/** The sound of a file, as stored. */
export interface Wav {
  encoding: WavEncoding;
  data: Buffer;
}

export const SAMPLE_RATE = 8_000;
/** Every header that is written here has this length, so that sizes can be patched in when the sound is complete. */
export const WAV_HEADER_LENGTH = 58;

const FORMAT_TAGS: Readonly<Record<WavEncoding, number>> = { PCM16: 1, PCMA: 6, PCMU: 7 };

/** The file is no WAV, or not 8 kHz mono in one of the three encodings. */
export class WavError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'WavError';
  }
}

/** The header for `dataLength` bytes of sound; with the `fact` chunk that formats other than linear must have. */
export function wavHeader(encoding: WavEncoding, dataLength: number): Buffer {
  const sampleBytes = encoding === 'PCM16' ? 2 : 1;
  const header = Buffer.alloc(WAV_HEADER_LENGTH);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(WAV_HEADER_LENGTH - 8 + dataLength + (dataLength % 2), 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(18, 16);
  header.writeUInt16LE(FORMAT_TAGS[encoding], 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(SAMPLE_RATE, 24);
  header.writeUInt32LE(SAMPLE_RATE * sampleBytes, 28);
  header.writeUInt16LE(sampleBytes, 32);
  header.writeUInt16LE(sampleBytes * 8, 34);
  header.writeUInt16LE(0, 36);
  header.write('fact', 38, 'latin1');
  header.writeUInt32LE(4, 42);
  header.writeUInt32LE(Math.floor(dataLength / sampleBytes), 46);
  header.write('data', 50, 'latin1');
  header.writeUInt32LE(dataLength, 54);
  return header;
}

/** A whole file in memory. */
export function writeWav(wav: Wav): Buffer {
  const padding = Buffer.alloc(wav.data.length % 2);
  return Buffer.concat([wavHeader(wav.encoding, wav.data.length), wav.data, padding]);
}

function encodingOf(format: Buffer): WavEncoding {
  if (format.length < 16) throw new WavError('the format chunk is too short');
  const tag = format.readUInt16LE(0);
  const [channels, rate, bits] = [format.readUInt16LE(2), format.readUInt32LE(4), format.readUInt16LE(14)];
  if (channels !== 1 || rate !== SAMPLE_RATE)
    throw new WavError(`${channels} channels at ${rate} Hz, wanted mono at 8000 Hz`);
  if (tag === FORMAT_TAGS.PCMU && bits === 8) return 'PCMU';
  if (tag === FORMAT_TAGS.PCMA && bits === 8) return 'PCMA';
  if (tag === FORMAT_TAGS.PCM16 && bits === 16) return 'PCM16';
  throw new WavError(`format ${tag} with ${bits} bits, wanted µ-law, A-law or 16-bit linear`);
}

/** Parses a file; chunks other than `fmt ` and `data` are skipped, a data chunk cut short gives what there is. */
export function readWav(bytes: Buffer): Wav {
  if (bytes.length < 12 || bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE') {
    throw new WavError('not a RIFF WAVE file');
  }
  let encoding: WavEncoding | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const name = bytes.toString('latin1', at, at + 4);
    const length = bytes.readUInt32LE(at + 4);
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (name === 'fmt ') encoding = encodingOf(body);
    if (name === 'data') {
      if (encoding === undefined) throw new WavError('the data chunk comes before the format chunk');
      return { encoding, data: body };
    }
    at += 8 + length + (length % 2);
  }
  throw new WavError('there is no data chunk');
}

/** The sound of a WAV as G.711 bytes of the wanted law; byte for byte as stored when the law is the same. */
export function toG711(wav: Wav, codec: G711Codec): Buffer {
  if (wav.encoding !== 'PCM16') return transcodeG711(wav.encoding, codec, wav.data);
  const samples = Int16Array.from({ length: Math.floor(wav.data.length / 2) }, (_, i) => wav.data.readInt16LE(2 * i));
  return encodeG711(codec, samples);
}

/** The sound of a WAV as 16-bit linear samples. */
export function toLinear(wav: Wav): Int16Array {
  if (wav.encoding !== 'PCM16') return decodeG711(wav.encoding, wav.data);
  return Int16Array.from({ length: Math.floor(wav.data.length / 2) }, (_, i) => wav.data.readInt16LE(2 * i));
}

/** Reads a WAV file as G.711; errors of the file system and WavError pass through. */
export async function readSpeech(file: string | URL, codec: G711Codec): Promise<Buffer> {
  return toG711(readWav(await readFile(file)), codec);
}
