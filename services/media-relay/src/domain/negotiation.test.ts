import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Negotiation } from './negotiation.js';
import type { Party } from './ports.js';

const head = ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0'];
const crypto = 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';

function sdp(protocol: 'RTP/AVP' | 'RTP/SAVP', types = '0', ...attributes: string[]): string {
  return [...head, `m=audio 4000 ${protocol} ${types}`, ...attributes, ''].join('\r\n');
}

const plain = sdp('RTP/AVP');
const secure = sdp('RTP/SAVP', '0', crypto);
const optional = sdp('RTP/AVP', '0', crypto);

/** The customer offers, the seller answers. */
function agreed(offer: string, answer: string): Negotiation {
  const negotiation = new Negotiation();
  negotiation.offered(negotiation.readOffer('customer', offer, {}), plain);
  negotiation.answered('seller', negotiation.readAnswer('seller', answer), plain);
  return negotiation;
}

for (const [said, srtp, keyed] of [
  [plain, 'off', false],
  [optional, 'offer', true],
  [secure, 'require', true],
] as const) {
  test(`who has described itself with ${/^m=.*$/m.exec(said)?.[0]}${keyed ? ' and keys' : ''} is offered the same next`, () => {
    const negotiation = agreed(said, plain);
    assert.equal(negotiation.readOffer('seller', plain, {}).srtp, srtp);
    assert.equal(negotiation.keyed, keyed);
  });
}

test('the terms of a party hold until they are told anew, and say what it is offered first', () => {
  const negotiation = new Negotiation();
  const terms = { seller: { codecs: ['PCMA'], srtp: 'offer' as const } };
  const both = sdp('RTP/AVP', '0 8');
  assert.deepEqual(/^m=.*$/m.exec(negotiation.readOffer('customer', both, terms).sdp)?.[0], 'm=audio 4000 RTP/AVP 8');
  assert.equal(negotiation.readOffer('customer', both, {}).srtp, 'offer');
  const other = { seller: { codecs: [], srtp: 'off' as const } };
  assert.equal(negotiation.readOffer('customer', both, other).srtp, 'off');
});

test('a party of which keys are required is refused without them, whether it offers or answers', () => {
  const required = { codecs: [], srtp: 'require' as const };
  const refused = { code: 'not-acceptable-here', message: /SRTP with SDES keys/ };
  for (const [by, from] of [
    ['customer', 'seller'],
    ['seller', 'customer'],
  ] as [Party, Party][]) {
    const negotiation = new Negotiation();
    for (const said of [plain, optional])
      assert.throws(() => negotiation.readOffer(by, said, { [by]: required }), refused);
    negotiation.offered(negotiation.readOffer(from, plain, {}), secure);
    assert.throws(() => negotiation.readAnswer(by, plain), refused);
    assert.ok(negotiation.readAnswer(by, secure).includes(crypto));
  }
});
