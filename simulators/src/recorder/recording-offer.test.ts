import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FindingName } from './finding.js';
import { checkOffer } from './offer-checks.js';
import { readOffer } from './recording-offer.js';
import { formatCrypto, newMaster, readCrypto, redactKeys } from './sdes.js';

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

function findings(sdp: string, previous?: string): FindingName[] {
  const found: FindingName[] = [];
  const offer = readOffer(sdp);
  assert.ok(offer);
  checkOffer(offer, previous === undefined ? undefined : readOffer(previous), (name) => found.push(name));
  return found;
}

test('the offer of profile dynamics365 has no finding', () => {
  assert.deepEqual(findings(OFFER), []);
});

const deviations: readonly (readonly [FindingName, string, string | RegExp, string])[] = [
  ['stream-protocol', 'plain RTP', 'RTP/SAVP', 'RTP/AVP'],
  ['stream-label', 'labels the other way round', /inbound|outbound/, 'x'],
  ['stream-direction', 'recvonly', 'sendonly', 'recvonly'],
  ['stream-codecs', 'one codec', '0 8 101', '0'],
  ['stream-ptime', 'another packet time', 'ptime:20', 'ptime:30'],
  ['stream-rtcp-mux', 'rtcp-mux', 'a=ptime:20', 'a=ptime:20\r\na=rtcp-mux'],
  ['stream-crypto', 'another suite', 'SHA1_80', 'SHA1_32'],
  ['stream-crypto', 'a short key', 'AAAA', 'AAA'],
  ['stream-crypto', 'a master key identifier', customerKey ?? '', `${customerKey}|2^31|1:1`],
  [
    'stream-crypto',
    'two crypto lines',
    'a=ptime:20',
    `a=ptime:20\r\na=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:${'C'.repeat(40)}`,
  ],
  ['stream-key-reused', 'one key for both', customerKey ?? '', sellerKey ?? ''],
];

for (const [name, what, from, to] of deviations) {
  test(`${what} is found as ${name}`, () => assert.deepEqual(findings(OFFER.replace(from, to)), [name]));
}

test('RFC 3264 §8: a new offer keeps the session id and all m-lines, and counts its version up by one', () => {
  assert.deepEqual(findings(OFFER.replace('1 1 IN', '1 2 IN'), OFFER), []);
  assert.deepEqual(findings(OFFER.replace('1 1 IN', '2 2 IN'), OFFER), ['sdp-version']);
  assert.deepEqual(findings(OFFER.replace('1 1 IN', '1 9 IN'), OFFER), ['sdp-version']);
  const [one = ''] = OFFER.split('m=audio 30002');
  assert.deepEqual(findings(one, OFFER), ['stream-count', 'stream-count']);
});

test('arbitrary and mutilated text never throws', () => {
  const lines = OFFER.split('\r\n');
  const scrambled = fc.array(fc.oneof(fc.constantFrom(...lines), fc.string()), { maxLength: 30 });
  fc.assert(
    fc.property(scrambled, (some) => {
      const offer = readOffer(['v=0', ...some].join('\r\n'));
      if (offer !== undefined) checkOffer(offer, offer, () => undefined);
    }),
  );
});

test('RFC 4568: a key is read, written and starred out at the same length, whatever surrounds it', () => {
  const master = newMaster();
  const [tag = '', suite = '', config = ''] = formatCrypto(3, master).split(' ');
  assert.deepEqual(readCrypto(Number(tag), suite, `${config}|2^48`).master, master);
  const text = `é INLINE:abc|2^31 x\r\na=crypto:1 S inline:${master.toString('base64')}\r\ninline:\xff`;
  const bytes = Buffer.concat([Buffer.from(text), Buffer.of(0xff, 0x00)]);
  const redacted = redactKeys(bytes);
  assert.equal(redacted.length, bytes.length);
  assert.ok(!redacted.includes(master.toString('base64')));
  assert.match(redacted.toString(), /^é INLINE:\*\*\*\|2\^31 x\r\na=crypto:1 S inline:\*{40}\r\n/);
});
