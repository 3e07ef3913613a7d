import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeFrame, FrameError, FrameReader } from './frame.js';

function readAll(reader: FrameReader, chunks: readonly Buffer[]): string[] {
  return chunks.flatMap((chunk) => [...reader.push(chunk)].map((payload) => payload.toString('utf8')));
}

/** Cuts bytes at the given fractions of their length. */
function cut(bytes: Buffer, fractions: readonly number[]): Buffer[] {
  const places = [0, ...fractions.map((f) => Math.floor(f * bytes.length)), bytes.length].sort((a, b) => a - b);
  return places.slice(1).map((end, i) => bytes.subarray(places[i] ?? 0, end));
}

test('whatever the chunks are, the payloads come out whole and in order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }), { maxLength: 20 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 }),
      (payloads, fractions) => {
        const stream = Buffer.concat(payloads.map((payload) => encodeFrame(payload)));
        assert.deepEqual(readAll(new FrameReader(100_000), cut(stream, fractions)), payloads);
      },
    ),
  );
});

test('one byte at a time is a chunking too', () => {
  const stream = Buffer.concat([encodeFrame('a|ping'), encodeFrame('x'.repeat(1_000))]);
  const bytes = [...stream].map((byte) => Buffer.from([byte]));
  assert.deepEqual(readAll(new FrameReader(1_000), bytes), ['a|ping', 'x'.repeat(1_000)]);
});

test('the length counts UTF-8 bytes, not characters', () => {
  assert.equal(encodeFrame('Ünïcødé ☎').subarray(0, 3).toString('latin1'), '15#');
});

test('bytes from the network never end in anything but payloads or a FrameError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      try {
        readAll(new FrameReader(200), [Buffer.from(bytes)]);
      } catch (error) {
        assert.ok(error instanceof FrameError);
      }
    }),
  );
});

for (const [name, bytes] of [
  ['a length that is no number', 'GET / HTTP/1.1\r\n'],
  ['no length', '#ping'],
  ['a length of zero', '0#'],
  ['a length with seven digits', '0000001#a'],
  ['a length above the bound', '101#'],
] as const) {
  test(`refused: ${name}`, () => {
    assert.throws(() => [...new FrameReader(100).push(Buffer.from(bytes))], FrameError);
  });
}

test('the bound may grow between two frames of one chunk, as it does after authenticate', () => {
  const reader = new FrameReader(10);
  const payloads: number[] = [];
  for (const payload of reader.push(Buffer.concat([encodeFrame('short'), encodeFrame('y'.repeat(500))]))) {
    payloads.push(payload.length);
    reader.maxPayloadBytes = 500;
  }
  assert.deepEqual(payloads, [5, 500]);
});
