import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SentPacket } from './paced-sender.js';
import { comparePackets } from './packet-comparison.js';

const sent: SentPacket[] = Array.from({ length: 10 }, (_, index) => ({
  marker: index === 0,
  payloadType: 0,
  sequenceNumber: (0xfffc + index) & 0xffff,
  timestamp: 160 * index,
  ssrc: 1,
  payload: Buffer.alloc(160, index),
  sentAt: 1_000 + 20 * index,
}));

test('the comparison begins with the first packet that arrived, whatever the order and the SSRC', () => {
  const received = sent.slice(3).map((packet) => ({ ...packet, ssrc: 2 }));
  const expected = { packetsSent: 7, packetsReceived: 7, lost: 0, changed: 0, unknown: 0, identical: true };
  assert.deepEqual(comparePackets(sent, received.reverse()), expected);
});

test('what was sent since the copy began and did not arrive is lost; the tail after its end is not', () => {
  const received = sent.slice(4, 8);
  assert.equal(comparePackets(sent, received, { from: 1_040 }).lost, 4);
  assert.equal(comparePackets(sent, received).lost, 2);
  const { packetsSent, identical } = comparePackets(sent, received, { until: 1_140 });
  assert.deepEqual([packetsSent, identical], [4, true]);
});

test('a changed byte, a foreign packet and a repeated one are seen', () => {
  const changed = sent.map((packet, index) => (index === 5 ? { ...packet, payload: Buffer.alloc(160, 99) } : packet));
  assert.deepEqual([comparePackets(sent, changed).changed, comparePackets(sent, changed).identical], [1, false]);
  const foreign = [...sent, { ...(sent[0] ?? assert.fail()), sequenceNumber: 500 }];
  assert.deepEqual([comparePackets(sent, foreign).unknown, comparePackets(sent, foreign).identical], [1, false]);
  assert.equal(comparePackets(sent, [...sent, ...sent.slice(0, 1)]).unknown, 1);
});

test('nothing at all is not identical', () => {
  assert.equal(comparePackets([], []).identical, false);
  assert.equal(comparePackets(sent, []).identical, false);
  assert.equal(comparePackets(sent, [], { from: 0 }).lost, 10);
});
