import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodeG711, encodeG711, type G711Codec, SILENCE, transcodeG711 } from './g711.js';
import { TimelineWav } from './timeline-wav.js';
import { readSpeech, readWav, toG711, toLinear, WavError, writeWav } from './wav.js';

const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const CODECS: readonly G711Codec[] = ['PCMU', 'PCMA'];

for (const codec of CODECS) {
  test(`G.711 ${codec}: encoding what was decoded gives the same byte, and levels are those of the standard`, () => {
    const again = encodeG711(codec, decodeG711(codec, EVERY_BYTE));
    // µ-law has two zeros, 0xff and 0x7f; a linear zero can only give one of them.
    const expected =
      codec === 'PCMU' ? Buffer.from(EVERY_BYTE.map((byte) => (byte === 0x7f ? 0xff : byte))) : EVERY_BYTE;
    assert.deepEqual(again, expected);
    const levels = codec === 'PCMU' ? [0x80, 32_124, 0xff, 0, 0x00, -32_124] : [0xaa, 32_256, 0xd5, 8, 0x2a, -32_256];
    for (let i = 0; i < levels.length; i += 2)
      assert.equal(decodeG711(codec, Uint8Array.of(levels[i] ?? 0))[0], levels[i + 1]);
  });
}

test('G.711: full scale is clipped and not wrapped', () => {
  const loud = Int16Array.from([32_767, -32_768]);
  assert.deepEqual([...encodeG711('PCMU', loud)], [0x80, 0x00]);
  assert.deepEqual([...encodeG711('PCMA', loud)], [0xaa, 0x2a]);
});

test('WAV: what is written is read again in each encoding, odd lengths included', () => {
  for (const encoding of ['PCMU', 'PCMA', 'PCM16'] as const) {
    const data = EVERY_BYTE.subarray(0, encoding === 'PCM16' ? 254 : 255);
    const file = writeWav({ encoding, data });
    assert.deepEqual(readWav(file), { encoding, data });
    assert.equal(file.readUInt32LE(4), file.length - 8);
  }
  const linear = Int16Array.from([0, 1_000, -1_000]);
  const wav = { encoding: 'PCM16' as const, data: Buffer.from(linear.buffer) };
  assert.deepEqual(toLinear(wav), linear);
  assert.deepEqual(toG711(wav, 'PCMU'), encodeG711('PCMU', linear));
});

test('WAV: other rates, channels and formats are refused with what is wanted', () => {
  const stereo = writeWav({ encoding: 'PCMU', data: EVERY_BYTE });
  stereo.writeUInt16LE(2, 22);
  assert.throws(() => readWav(stereo), /mono at 8000/);
  const gsm = writeWav({ encoding: 'PCMU', data: EVERY_BYTE });
  gsm.writeUInt16LE(49, 20);
  assert.throws(() => readWav(gsm), /format 49/);
  for (let length = 0; length < 58; length += 1) assert.throws(() => readWav(stereo.subarray(0, length)), WavError);
});

test('the two voices are at least seven seconds of different sound', async () => {
  const [customer, seller] = await Promise.all(
    ['customer.wav', 'seller.wav'].map((name) => readSpeech(new URL(`../../assets/${name}`, import.meta.url), 'PCMU')),
  );
  assert.ok(customer && seller && customer.length >= 56_000 && seller.length >= 56_000);
  assert.notDeepEqual(customer.subarray(0, 8_000), seller.subarray(0, 8_000));
});

async function recorded(
  add: (wav: TimelineWav) => void,
  maxDurationMs = 60_000,
): Promise<{ data: Buffer; skipped: number; mode: number }> {
  const directory = await mkdtemp(join(tmpdir(), 'sidestream-wav-'));
  try {
    const path = join(directory, 'x.wav');
    const wav = await TimelineWav.open(path, { maxDurationMs });
    add(wav);
    await Promise.all([wav.close(), wav.close()]);
    return { data: readWav(await readFile(path)).data, skipped: wav.skipped, mode: (await stat(path)).mode & 0o777 };
  } finally {
    await rm(directory, { recursive: true });
  }
}

const tone = (value: number) => Buffer.alloc(160, value);

test('a timeline puts reordered packets in place and fills gaps with silence, across a timestamp wrap', async () => {
  const start = 0xffff_ffff - 159;
  const { data, skipped, mode } = await recorded((wav) => {
    for (const [index, at] of [0, 2, 1, 5].entries()) {
      const timestamp = (start + 160 * at) >>> 0;
      wav.add({ ssrc: 1, timestamp, codec: 'PCMU', payload: tone(at + 1), receivedAt: 1_000 + 20 * index });
    }
  });
  const silence = tone(SILENCE.PCMU);
  assert.deepEqual(data, Buffer.concat([tone(1), tone(2), tone(3), silence, silence, tone(6)]));
  assert.deepEqual([skipped, mode], [0, 0o600]);
});

test('a timeline goes on by the arrival clock when the sender changes, transcodes, and keeps its bound', async () => {
  const { data, skipped } = await recorded((wav) => {
    wav.add({ ssrc: 1, timestamp: 500, codec: 'PCMU', payload: tone(1), receivedAt: 0 });
    wav.add({ ssrc: 2, timestamp: 9_999_999, codec: 'PCMA', payload: tone(0x2a), receivedAt: 40 });
    wav.add({ ssrc: 2, timestamp: 0, codec: 'PCMU', payload: tone(3), receivedAt: 60 });
    wav.add({ ssrc: 2, timestamp: 160, codec: 'PCMU', payload: tone(4), receivedAt: 80 });
  }, 80);
  const expected = [tone(1), tone(SILENCE.PCMU), transcodeG711('PCMA', 'PCMU', tone(0x2a)), tone(3)];
  assert.deepEqual(data, Buffer.concat(expected));
  assert.equal(skipped, 1);
});
