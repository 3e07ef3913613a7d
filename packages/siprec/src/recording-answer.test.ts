import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dynamics365 } from './recorder-profile.js';
import { writeRecordingAnswer } from './recording-answer.js';
import { validateAnswer } from './sdp/answer-validation.js';
import { writeRecordingOffer } from './sdp/recording-offer.js';

const crypto = (fill: number) => `1 AES_CM_128_HMAC_SHA1_80 inline:${Buffer.alloc(30, fill).toString('base64')}`;
const ours = writeRecordingOffer({
  streams: [
    { party: 'customer', address: '192.0.2.1', port: 30_000, rtcpPort: 30_001, crypto: crypto(1), payloadTypes: [0] },
    { party: 'seller', address: '192.0.2.1', port: 30_002, rtcpPort: 30_003, crypto: crypto(2), payloadTypes: [0] },
  ],
  sessionId: '7',
  version: 4,
  address: '192.0.2.1',
  direction: 'sendonly',
  profile: dynamics365,
});

/** Our answer to a recorder that wants its streams so. */
function answerTo(...media: { port?: number; formats?: string; direction?: string }[]): string[] {
  const lines = media.flatMap(({ port = 40_000, formats = '0 101', direction = 'recvonly' }, index) => [
    `m=audio ${port} RTP/SAVP ${formats}`,
    ...(formats.includes('101') ? ['a=rtpmap:101 telephone-event/8000'] : []),
    `a=crypto:${crypto(8 + index)}`,
    `a=${direction}`,
  ]);
  const offer = ['v=0', 'o=- 1 2 IN IP4 192.0.2.7', 's=-', 'c=IN IP4 192.0.2.7', 't=0 0', ...lines, ''];
  const { streams } = validateAnswer(ours, 'application/sdp', Buffer.from(offer.join('\r\n')));
  return writeRecordingAnswer({ description: ours, streams }).split('\r\n');
}

const said = (lines: string[], pattern: RegExp) => lines.filter((line) => pattern.test(line));

test('RFC 3264 §6.1: recvonly is answered sendonly, inactive inactive, port 0 by port 0', () => {
  const both = /^a=(sendonly|inactive)/;
  assert.deepEqual(said(answerTo({}, { direction: 'inactive' }), both), ['a=sendonly', 'a=inactive']);
  const refused = answerTo({ port: 0 }, {});
  assert.deepEqual(said(refused, /^m=/), ['m=audio 0 RTP/SAVP 0 8 101', 'm=audio 30002 RTP/SAVP 0 101']);
  assert.deepEqual(said(refused, both), ['a=sendonly']);
});

test('the answer keeps our ports, keys and labels and names only formats of the offer, in its order', () => {
  const lines = answerTo({ formats: '8 0' }, {});
  assert.deepEqual(said(lines, /^(o=|m=|a=crypto|a=label)/), [
    'o=- 7 4 IN IP4 192.0.2.1',
    'm=audio 30000 RTP/SAVP 8 0',
    `a=crypto:${crypto(1)}`,
    'a=label:inbound',
    'm=audio 30002 RTP/SAVP 0 101',
    `a=crypto:${crypto(2)}`,
    'a=label:outbound',
  ]);
  assert.deepEqual(said(lines, /^a=(rtpmap|fmtp)/), [
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-16',
  ]);
  assert.equal(lines.at(-1), '');
});
