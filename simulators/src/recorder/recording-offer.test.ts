import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatCrypto, newMaster, readCrypto, redactKeys } from '../rtp/sdes.js';
import { readOffer } from './recording-offer.js';

const [customerKey, sellerKey] = ['A', 'B'].map((letter) => letter.repeat(40));

const stream = (port: number, label: string, key = '') => `m=audio ${port} RTP/SAVP 0 8 101
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${key}
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=ptime:20
a=sendonly
a=label:${label}
`;

const OFFER = `v=0
o=- 1 1 IN IP4 192.0.2.1
s=-
c=IN IP4 192.0.2.1
t=0 0
${stream(30_000, 'inbound', customerKey)}${stream(30_002, 'outbound', sellerKey)}`.replaceAll('\n', '\r\n');

test('arbitrary and mutilated text never throws', () => {
  const lines = OFFER.split('\r\n');
  const scrambled = fc.array(fc.oneof(fc.constantFrom(...lines), fc.string()), { maxLength: 30 });
  fc.assert(
    fc.property(scrambled, (some) => {
      readOffer(['v=0', ...some].join('\r\n'));
    }),
  );
});

test('RFC 4568: a key is read, written and starred out at the same length, whatever surrounds it', () => {
  const master = newMaster();
  const [tag = '', suite = '', config = ''] = formatCrypto({ tag: 3, master }).split(' ');
  assert.deepEqual(readCrypto(Number(tag), suite, `${config}|2^48`).master, master);
  const text = `é INLINE:abc|2^31 x\r\na=crypto:1 S inline:${master.toString('base64')}\r\ninline:\xff`;
  const bytes = Buffer.concat([Buffer.from(text), Buffer.of(0xff, 0x00)]);
  const redacted = redactKeys(bytes);
  assert.equal(redacted.length, bytes.length);
  assert.ok(!redacted.includes(master.toString('base64')));
  assert.match(redacted.toString(), /^é INLINE:\*\*\*\|2\^31 x\r\na=crypto:1 S inline:\*{40}\r\n/);
});
