import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codecForAnswer, codecForOffer } from './fork-codec.js';
import type { ForkStream } from './ports.js';

function stream(...payloadTypes: number[]): ForkStream {
  const address = { address: '192.0.2.1', port: 4000, rtcpPort: 4001 };
  return { party: 'customer', ...address, crypto: '', payloadTypes, telephoneEvent: undefined };
}

/** Media lines with these formats; an empty one takes no media. */
function answer(...formats: string[]): string {
  const lines = formats.map((types) => (types ? `m=audio 4000 RTP/SAVP ${types}` : 'm=audio 0 RTP/SAVP 0 8'));
  return ['v=0', 'c=IN IP4 0.0.0.0', ...lines, ''].join('\r\n');
}

test('voices stay as they are if each party has PCMU or PCMA', () => {
  assert.equal(codecForOffer([stream(0), stream(8)]), undefined);
  assert.equal(codecForOffer([stream(9, 8), stream(18, 0)]), undefined);
  assert.equal(codecForOffer([stream(9), stream(9)]), 'PCMU');
  assert.equal(codecForOffer([stream(8), stream(9)]), 'PCMU');
  assert.equal(codecForOffer([stream(), stream(0)]), 'PCMU');
});

test('a recorder that takes something of each party needs nothing more', () => {
  assert.equal(codecForAnswer([[0], [8]], answer('0 8 101', '0 8 101')), undefined);
  assert.equal(codecForAnswer([[0, 8], [8]], answer('0', '8')), undefined);
  assert.equal(codecForAnswer([[8], [8]], answer('', '')), undefined);
});

test('a recorder that took only one codec gets it, also from the party that has the other', () => {
  assert.equal(codecForAnswer([[8], [8]], answer('0 101', '0 101')), 'PCMU');
  assert.equal(codecForAnswer([[0], [8]], answer('8', '8')), 'PCMA');
  assert.equal(codecForAnswer([[9, 8], [0]], answer('0', '0')), 'PCMU');
  assert.equal(codecForAnswer([[8], [8]], answer('0', '')), 'PCMU');
});

test('no one codec for all streams: refused', () => {
  assert.throws(() => codecForAnswer([[8], [0]], answer('0', '8')), { code: 'recorder-answer-unusable' });
  assert.throws(() => codecForAnswer([[0], [0]], answer('9', '0')), { code: 'recorder-answer-unusable' });
});
