/** The voices that a recorder has kept of a session, as a page shows and plays them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RecorderSession } from '../recorder/recorder-session.js';
import { readWav, SAMPLE_RATE, toLinear, writeWav } from '../rtp/wav.js';

export interface RecordedVoice {
  readonly label: string;
  /** Whose voice it is. */
  readonly who: string;
  readonly durationMs: number;
  /** The loudest sample of each stretch of time, from 0 to 1. */
  readonly peaks: readonly number[];
}

const peakCount = 400;
const labels = { inbound: 'customer', outbound: 'seller' } as const;

/** Of a session that has ended. */
export async function recordedVoices(session: RecorderSession): Promise<RecordedVoice[]> {
  const voices = Object.entries(labels).map(async ([label, who]) => {
    const samples = await samplesOf(session, label);
    return { label, who, durationMs: (samples.length / SAMPLE_RATE) * 1_000, peaks: peaksOf(samples, peakCount) };
  });
  return Promise.all(voices);
}

/** One voice as a WAV that every browser plays; undefined when there is no such voice. */
export async function voiceFile(session: RecorderSession, label: string): Promise<Buffer | undefined> {
  if (!(label in labels)) return undefined;
  const samples = await samplesOf(session, label);
  const data = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
  return writeWav({ encoding: 'PCM16', data });
}

/** The loudest of each of `count` equal stretches, as a share of full scale. */
export function peaksOf(samples: Int16Array, count: number): number[] {
  return Array.from({ length: count }, (_, index) => {
    const stretch = samples.subarray(
      Math.floor((index * samples.length) / count),
      Math.floor(((index + 1) * samples.length) / count),
    );
    const loudest = stretch.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);
    return Math.round((loudest / 32_768) * 1_000) / 1_000;
  });
}

async function samplesOf({ directory }: RecorderSession, label: string): Promise<Int16Array> {
  if (directory === undefined) return new Int16Array();
  return toLinear(readWav(await readFile(join(directory, `${label}.wav`))));
}
