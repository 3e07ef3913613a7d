import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rfc7866 } from '../recorder-profile.js';
import { crypto, customerStream, exampleOffer, sellerStream } from '../testing/example-recording.js';
import { expectSiprecError } from '../testing/expect-siprec-error.js';
import { packageFile } from '../testing/package-file.js';

test('the offer is the golden one', () => {
  assert.equal(exampleOffer(), packageFile('golden/invite.sdp'));
});

test('the offer of profile rfc7866 is the golden one', () => {
  assert.equal(exampleOffer({ profile: rfc7866 }), packageFile('golden/rfc7866/invite.sdp'));
});

test('the customer comes first, in whatever order the streams are given', () => {
  assert.equal(exampleOffer({ streams: [sellerStream, customerStream] }), packageFile('golden/invite.sdp'));
});

test('RFC 7866 §7.1.1.1: a paused offer is inactive on every stream and one version on', () => {
  const expected = packageFile('golden/invite.sdp')
    .replaceAll('a=sendonly', 'a=inactive')
    .replace('1176539620 1 ', '1176539620 2 ');
  assert.equal(exampleOffer({ direction: 'inactive', version: 2 }), expected);
});

test('RFC 3605: an RTCP port that is not the next one is named, and so is a stream with an address of its own', () => {
  const seller = { ...sellerStream, rtcpPort: 40001, address: '2001:db8::5' };
  const section = exampleOffer({ streams: [customerStream, seller] }).split('m=audio ')[2] ?? '';
  assert.ok(section.includes('\r\nc=IN IP6 2001:db8::5\r\na=rtcp:40001\r\n'), section);
  assert.ok(!exampleOffer().includes('a=rtcp'));
});

test('what cannot be offered is refused', () => {
  const [customer, seller] = [customerStream, sellerStream];
  const offer = (...streams: (typeof customer)[]) => exampleOffer({ streams });
  expectSiprecError('offer-streams', () => offer(customer));
  expectSiprecError('offer-streams', () => offer(customer, customer));
  expectSiprecError('offer-streams', () => offer(customer, seller, seller));
  expectSiprecError('offer-streams', () => exampleOffer({ sessionId: '1\r\na=x' }));
  expectSiprecError('offer-address', () => exampleOffer({ address: 'host.example' }));
  expectSiprecError('offer-address', () => offer(customer, { ...seller, address: '1.2.3.4\r\n' }));
  expectSiprecError('offer-port', () => offer(customer, { ...seller, port: 0 }));
  for (const bad of [
    crypto(1),
    crypto(2).replace('_80', '_32'),
    '1 AES_CM_128_HMAC_SHA1_80 inline:AAAA',
    `${crypto(2)} UNENCRYPTED_SRTP`,
    `${crypto(2)}\r\na=x`,
  ]) {
    expectSiprecError('offer-crypto', () => offer(customer, { ...seller, crypto: bad }));
  }
});

test('RFC 4568 §6.1: an unusable key is never in the message', () => {
  const key = Buffer.alloc(29, 7).toString('base64');
  const bad = { ...sellerStream, crypto: `1 AES_CM_128_HMAC_SHA1_80 inline:${key}` };
  const { message } = expectSiprecError('offer-crypto', () => exampleOffer({ streams: [customerStream, bad] }));
  assert.ok(!message.includes(key));
});
