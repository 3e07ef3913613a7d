import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Frame, StreamFramer } from './stream-framer.js';

function frame(...chunks: (string | Buffer)[]): Frame[] {
  const framer = new StreamFramer();
  return chunks.flatMap((chunk) => framer.push(Buffer.from(chunk)));
}

function outline(frames: readonly Frame[]): string[] {
  return frames.map((f) => (f.kind === 'message' || f.kind === 'unframeable' ? `${f.kind} ${f.bytes.length}` : f.kind));
}

function messageWith(body: Buffer | string): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([Buffer.from(`INFO sip:a SIP/2.0\r\nContent-Length: ${bytes.length}\r\n\r\n`), bytes]);
}

describe('framing', () => {
  test('RFC 3261 §18.3: messages are cut by Content-Length, whatever is in the body', () => {
    const one = messageWith('Content-Length: 3\r\n\r\n\x00');
    const two = messageWith('');
    const frames = frame(Buffer.concat([one, two]));
    assert.deepEqual(frames, [
      { kind: 'message', bytes: one },
      { kind: 'message', bytes: two },
    ]);
  });

  test('compact form, any case, spaces and folding of Content-Length', () => {
    for (const line of ['l:2', 'L : 2', 'content-length:\r\n  2', 'CONTENT-LENGTH\t: \r\n\t002 ']) {
      assert.deepEqual(outline(frame(`A b\r\nX: y\r\n${line}\r\nZ: \r\n\r\nokA`)).length, 1, line);
    }
  });

  test('what only looks like Content-Length is none', () => {
    const [first] = frame('A b\r\nX: y\r\n Content-Length: 9\r\nX-Content-Length: 7\r\nContent-Length: 2\r\n\r\nok');
    assert.equal(first?.kind, 'message');
  });

  test('RFC 5626 §3.5.1: CRLF between messages is keep-alive, the second of two is a ping', () => {
    const one = messageWith('');
    const frames = frame('\r\n', one, '\r\n\r\n', one, '\r', '\n\r', '\n');
    const size = `message ${one.length}`;
    assert.deepEqual(outline(frames), ['pong', size, 'pong', 'ping', size, 'pong', 'ping']);
  });

  test('without a usable Content-Length the rest of the stream is lost, what came before is not', () => {
    const good = messageWith('x');
    for (const [head, words] of [
      ['A b\r\nX: y\r\n\r\n', /missing/],
      ['A b\r\nContent-Length: -1\r\n\r\n', /not a number/],
      ['A b\r\nContent-Length: 1\r\nl: 1\r\n\r\n', /more than once/],
      ['A b\r\nContent-Length: 262145\r\n\r\n', /body above/],
      ['A b\r\nContent-Length: 99999999999999999999999\r\n\r\n', /body above/],
    ] as const) {
      const frames = frame(good, head, good);
      assert.deepEqual(outline(frames), [`message ${good.length}`, `unframeable ${head.length}`]);
      const last = frames[1];
      assert.ok(last?.kind === 'unframeable' && words.test(last.error.message));
    }
  });

  test('a header without end is given up at the limit, and no more is kept', () => {
    const framer = new StreamFramer({ maxHeaderBytes: 100 });
    const frames = Array.from({ length: 50 }, () => framer.push(Buffer.alloc(10, 'a'))).flat();
    assert.deepEqual(outline(frames), ['unframeable 101']);
    assert.equal(framer.pending, false);
  });
});

const bodies = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((a) => Buffer.from(a)),
  fc.constantFrom('\r\n\r\n', '\r\n'),
);
const pieces = fc.oneof(
  bodies.map(messageWith),
  fc.constantFrom('\r\n', '\r\n\r\n').map((text) => Buffer.from(text)),
);
const ends = fc.constantFrom('', 'A b\r\n\r\nrest', 'A b\r\nl: x\r\n\r\n', 'INVITE sip:a');

test('property: any chunking of a stream frames alike', () => {
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 8 }), ends, fc.array(fc.nat(), { maxLength: 30 }), (parts, end, cuts) => {
      const stream = Buffer.concat([...parts, Buffer.from(end)]);
      const at = [0, ...cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b), stream.length];
      const chunks = at.slice(1).map((to, i) => stream.subarray(at[i] ?? 0, to));
      const whole = frame(stream);
      assert.deepEqual(frame(...chunks), whole);
      assert.deepEqual(frame(...Array.from(stream, (byte) => Buffer.from([byte]))), whole);
      const messages = parts.filter((part) => part.length > 4);
      assert.deepEqual(
        whole.filter((f) => f.kind === 'message').map((f) => f.bytes),
        messages,
      );
    }),
  );
});

test('property: no bytes make it throw', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (chunks) => {
      frame(...chunks.map((chunk) => Buffer.from(chunk)));
    }),
  );
});

test('work is linear: a large message in single bytes is copied a bounded number of times', () => {
  const message = messageWith(Buffer.alloc(200_000, 'a'));
  let copied = 0;
  const { copy } = Buffer.prototype;
  const framer = new StreamFramer();
  Buffer.prototype.copy = function count(this: Buffer, ...args: Parameters<typeof copy>): number {
    const bytes = copy.apply(this, args);
    copied += bytes;
    return bytes;
  };
  try {
    let frames = 0;
    for (const byte of message) frames += framer.push(Buffer.from([byte])).length;
    assert.equal(frames, 1);
  } finally {
    Buffer.prototype.copy = copy;
  }
  assert.ok(copied <= 4 * message.length, `${copied} bytes copied for ${message.length}`);
});
