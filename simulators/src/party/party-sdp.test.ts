import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { MediaDirection } from '../rtp/media-address.js';
import { answerDirection, readPartySdp, writePartySdp } from './party-sdp.js';

const LOCAL = {
  address: '192.0.2.7',
  port: 4_000,
  codecs: ['PCMA', 'PCMU'],
  direction: 'sendonly',
  sessionId: 1,
  version: 2,
} as const;

test('what a party writes a party reads', () => {
  const rtcp = { rtcpAddress: '192.0.2.7', rtcpPort: 4_001 };
  const plain = { address: '192.0.2.7', port: 4_000, ...rtcp, codecs: ['PCMA', 'PCMU'], direction: 'sendonly' };
  assert.deepEqual(readPartySdp(writePartySdp(LOCAL)), { ...plain, crypto: undefined });
  const crypto = { tag: 2, master: Buffer.alloc(30, 7) };
  const secured = writePartySdp({ ...LOCAL, crypto });
  assert.match(secured, /^m=audio 4000 RTP\/SAVP 8 0 101\r$/m);
  assert.deepEqual(readPartySdp(secured, true), { ...plain, crypto });
  assert.equal(readPartySdp(secured), undefined);
  assert.equal(readPartySdp(writePartySdp(LOCAL), true), undefined);
  const six = writePartySdp({ ...LOCAL, address: '2001:db8::7' });
  assert.match(six, /c=IN IP6 2001:db8::7\r\n/);
  assert.equal(readPartySdp(six)?.address, '2001:db8::7');
});

test('streams that a G.711 party cannot take are passed over', () => {
  const sdp = writePartySdp(LOCAL);
  assert.equal(readPartySdp(sdp.replace('RTP/AVP', 'RTP/SAVP')), undefined);
  assert.equal(readPartySdp(sdp.replace('audio 4000', 'audio 0')), undefined);
  assert.equal(readPartySdp(sdp.replace('8 0 101', '9 101')), undefined);
  assert.equal(readPartySdp(sdp.replace('8 0 101', '0'))?.codecs.join(), 'PCMU');
  const video = sdp.replace('m=audio', 'm=video 6000 RTP/AVP 96\r\nm=audio');
  assert.equal(readPartySdp(video)?.port, 4_000);
  fc.assert(fc.property(fc.string(), (text) => void readPartySdp(`v=0\r\n${text}`)));
});

test('RFC 3264 §6.1: the answer to each direction', () => {
  const both: [MediaDirection, MediaDirection][] = [
    ['sendrecv', 'sendrecv'],
    ['sendonly', 'recvonly'],
    ['recvonly', 'sendonly'],
    ['inactive', 'inactive'],
  ];
  for (const [offered, answered] of both) assert.equal(answerDirection(offered, 'sendrecv'), answered);
  assert.equal(answerDirection('sendonly', 'sendonly'), 'inactive');
  assert.equal(answerDirection('sendrecv', 'sendonly'), 'sendonly');
});
