import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { PolicyError } from './policy-error.js';
import { receiveSnapshot } from './receive-snapshot.js';
import { encodeSnapshot } from './snapshot-encoder.js';

const { bytes, revision } = encodeSnapshot(
  Array.from({ length: 40_000 }, (_, index) => ({
    id: `user ${index}`,
    keys: [{ kind: 'number', digits: 4930000 + index }],
  })),
);
const sha256 = createHash('sha256').update(bytes).digest('hex');
const pointer = { bytes: bytes.length, sha256, revision };
const never = new AbortController().signal;

async function* chunksOf(size: number, content: Uint8Array = bytes) {
  for (let from = 0; from < content.length; from += size) yield content.subarray(from, from + size);
}

test('chunks of any size become the snapshot', async () => {
  for (const size of [100_000, 1_000_000, bytes.length]) {
    const snapshot = await receiveSnapshot(chunksOf(size), pointer, { fetchedAt: new Date(7) }, never);
    assert.deepEqual([snapshot.size, snapshot.revision, snapshot.fetchedAt], [40_000, revision, new Date(7)]);
    assert.equal(snapshot.find({ number: '+4930777' })?.seller.id, 'user 777');
    assert.notEqual(snapshot.bytes.buffer, bytes.buffer);
  }
});

test('others have their turn while one large chunk is taken in', async () => {
  let turns = 0;
  let next: NodeJS.Immediate;
  const turn = () => {
    turns += 1;
    next = setImmediate(turn);
  };
  next = setImmediate(turn);
  await receiveSnapshot([bytes], pointer, {}, never);
  clearImmediate(next);
  const quarterMegabytes = Math.floor(bytes.length / (256 * 1024));
  assert.ok(quarterMegabytes >= 5);
  assert.ok(turns >= quarterMegabytes, `${turns} turns for ${bytes.length} bytes`);
});

const flipped = bytes.slice();
flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;
for (const [what, content, promised, message] of [
  ['too few bytes', bytes.subarray(1), pointer, /bytes instead of/],
  ['too many bytes', bytes, { ...pointer, bytes: bytes.length - 1 }, /more than the \d+ bytes/],
  ['other content', flipped, pointer, /SHA-256 \w+ instead of/],
  ['another revision', bytes, { ...pointer, revision: 'other' }, /revision \w+ instead of other/],
] as const) {
  test(`${what} than the pointer says are refused`, async () => {
    await assert.rejects(
      receiveSnapshot(chunksOf(65_536, content), promised, { source: 'contoso' }, never),
      (error) => {
        assert.ok(error instanceof PolicyError);
        assert.match(error.message, message);
        return true;
      },
    );
  });
}

test('a source that fails and a signal that aborts end the reception with their own error', async () => {
  async function* broken() {
    yield bytes.subarray(0, 10);
    throw new RangeError('the store is gone');
  }
  await assert.rejects(receiveSnapshot(broken(), pointer, {}, never), RangeError);
  const giveUp = new AbortController();
  async function* endless() {
    for (;;) {
      yield bytes.subarray(0, 1);
      giveUp.abort(new DOMException('stop', 'AbortError'));
    }
  }
  await assert.rejects(receiveSnapshot(endless(), pointer, {}, giveUp.signal), { name: 'AbortError' });
});
