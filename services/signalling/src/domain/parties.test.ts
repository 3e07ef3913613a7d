import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { farHeaders, remainingHops } from './far-headers.js';
import { anonymous, directionOf, readParties, withNumber, withRoles } from './parties.js';

const far = {
  believed: true,
  trusted: true,
  own: '192.0.2.1',
  to: 'sip:x@192.0.2.2',
  maxForwards: 69,
  passHeaders: [],
  number: (user: string) => user,
};

function invite(requestUri: string, headers: Record<string, string>) {
  return { requestUri, header: (name: string) => headers[name] };
}

test('the called number comes from the request URI; of the caller P-Asserted-Identity counts before From', () => {
  const parties = readParties(
    invite('sip:+15550001@sbc.example.com:5060;user=phone', {
      from: '"Ann, A." <sip:anonymous-ish@carrier.example>;tag=1',
      to: 'Sales <sip:sales@example.com>',
      'p-asserted-identity': '"Ann Caller" <sip:+15559999@carrier.example>, <tel:+15559999>',
    }),
  );
  assert.equal(parties.called.user, '+15550001');
  assert.equal(parties.called.uri, 'sip:+15550001@sbc.example.com');
  assert.deepEqual(parties.calling, {
    uri: 'sip:+15559999@carrier.example',
    name: 'Ann Caller',
    user: '+15559999',
    anonymous: false,
  });
  assert.deepEqual(parties.calledUris, ['sip:+15550001@sbc.example.com:5060;user=phone', 'sip:sales@example.com']);
  assert.deepEqual(parties.callingUris, [
    'sip:+15559999@carrier.example',
    'tel:+15559999',
    'sip:anonymous-ish@carrier.example',
  ]);
});

test('the first name of the caller is shown, whichever header has it', () => {
  const parties = readParties(
    invite('sip:+4930123@pbx', { from: 'Bob <sip:bob@pbx.example>;tag=x', 'p-asserted-identity': '<tel:+15550001>' }),
  );
  assert.equal(parties.calling.uri, 'tel:+15550001');
  assert.equal(parties.calling.name, 'Bob');
  assert.equal(parties.called.user, '+4930123');
  assert.deepEqual(parties.callingUris, ['tel:+15550001', 'sip:bob@pbx.example']);
});

test('inbound: the called party is the seller; outbound: the calling one; the other one is the customer', () => {
  const read = readParties(invite('sip:+15550001@sbc', { from: '<sip:+15559999@c>' }));
  const roles = (seller: 'calling' | 'called') => {
    const parties = withRoles(read, seller);
    return [directionOf(seller), parties.seller.user, parties.customer.user, parties.calling.user, parties.called.user];
  };
  assert.deepEqual(roles('called'), ['inbound', '+15550001', '+15559999', '+15559999', '+15550001']);
  assert.deepEqual(roles('calling'), ['outbound', '+15559999', '+15550001', '+15559999', '+15550001']);
});

for (const [what, headers] of [
  ['Privacy: id', { from: '"Ann" <sip:+15559999@c.example>;tag=1', privacy: 'id' }],
  [
    'an anonymous From',
    { from: '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1', 'p-asserted-identity': '<tel:+15559999>' },
  ],
  [
    'Remote-Party-ID with privacy=full',
    {
      from: '"Ann" <sip:+15559999@c.example>;tag=1',
      'remote-party-id': '"Ann" <sip:+15559999@c.example>;party=calling;screen=yes;privacy=full',
    },
  ],
] as const) {
  test(`privacy: ${what} hides number and name of the caller everywhere`, () => {
    const parties = withRoles(readParties(invite('sip:+15550001@sbc', headers)), 'called');
    assert.deepEqual([parties.customer.uri, parties.customer.name], ['sip:anonymous@anonymous.invalid', 'Anonymous']);
    assert.doesNotMatch(JSON.stringify([parties.customer, parties.calling]), /15559999|Ann"/);
    // The far side is asked as well.
    const asked = farHeaders(invite('sip:+15550001@sbc', headers), far)['Privacy'];
    assert.equal(asked ?? 'From', 'from' in headers && headers.from.includes('anonymous.invalid') ? 'From' : 'id');
  });
}

test('Remote-Party-ID without privacy, or of the called party, hides nobody', () => {
  for (const remotePartyId of ['"A" <sip:+1@c>;privacy=off', '"A" <sip:+1@c>;party=called;privacy=full', '<']) {
    const headers = { from: '<sip:+15559999@c>', 'remote-party-id': remotePartyId };
    assert.equal(readParties(invite('sip:+15550001@sbc', headers)).calling.anonymous, false);
  }
});

test("the display name of To is the caller's word and names nobody", () => {
  const headers = { from: '<sip:+15559999@c>', to: '"The Chancellor" <sip:+15550001@sbc>' };
  for (const uri of ['sip:+15550001@sbc', 'sip:sbc']) {
    const { called } = readParties(invite(uri, headers));
    assert.deepEqual([called.user, called.name], ['+15550001', '']);
  }
});

test('the first URI by which a party may be known is the one that is shown', () => {
  const headers = { 'p-asserted-identity': 'nonsense, <sip:anonymous@pbx>, <sip:pbx>', from: 'Ada <sip:ada@pbx>' };
  const { calling, callingUris } = readParties(invite('sip:+1@sbc', headers));
  assert.deepEqual([calling.uri, callingUris], ['sip:ada@pbx', ['sip:ada@pbx']]);
});

test('what cannot be read identifies nobody and throws nothing', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (uri, from, asserted) => {
      const message = invite(uri, {
        from,
        to: asserted,
        'p-asserted-identity': asserted,
        diversion: from,
        'history-info': asserted,
      });
      readParties(message);
      for (const trusted of [true, false]) {
        for (const value of Object.values(farHeaders(message, { ...far, trusted })))
          assert.doesNotMatch([value].flat().join(), /[\r\n]/);
      }
    }),
    { numRuns: 500 },
  );
});

test('the far INVITE carries the identity and nothing of the near side or of the inside', () => {
  const headers = farHeaders(
    invite('sip:+15550001@sbc', {
      from: '"Ann" <sip:+15559999@10.9.8.7:5080>;tag=near',
      'p-asserted-identity': '"Ann" <sip:+15559999@10.9.8.7>, <tel:+15559999>',
      diversion: '<sip:+15550000@10.9.8.7>;reason=unconditional',
      privacy: 'id',
      via: 'SIP/2.0/UDP 10.9.8.7',
      'x-internal': 'secret',
      'record-route': '<sip:10.9.8.7;lr>',
    }),
    { ...far, own: '192.0.2.1:5060', to: 'sip:+15550001@192.0.2.9', number: (user) => user.replace('+', '00') },
  );
  assert.equal(headers['From'], '"Ann" <sip:0015559999@192.0.2.1:5060>');
  assert.equal(headers['P-Asserted-Identity'], '"Ann" <sip:0015559999@192.0.2.1:5060>, <tel:+15559999>');
  assert.equal(headers['Diversion'], '<sip:0015550000@192.0.2.1:5060>;reason=unconditional');
  assert.equal(headers['Privacy'], 'id');
  assert.doesNotMatch(JSON.stringify(headers), /10\.9\.8\.7|secret|near/);
});

test('others are told E.164 where it is known, and nothing of who is anonymous', () => {
  const parties = readParties(invite('sip:0030901820@sbc', { from: 'Ann <tel:030901821>' }));
  const called = withNumber(parties.called, '+4930901820');
  assert.deepEqual([called.uri, called.user], ['sip:+4930901820@sbc', '+4930901820']);
  const calling = withNumber(parties.calling, '+4930901821');
  assert.deepEqual([calling.uri, calling.user, calling.name], ['tel:+4930901821', '+4930901821', 'Ann']);
  assert.equal(withNumber(parties.called, undefined), parties.called);
  assert.equal(withNumber(anonymous, '+4930901820'), anonymous);
});

test('RFC 3261 §16.3: Max-Forwards counts down and 0 goes no further', () => {
  const hops = (value?: string) => remainingHops(invite('sip:x', value === undefined ? {} : { 'max-forwards': value }));
  assert.deepEqual([hops('70'), hops('1'), hops('0'), hops(), hops('many')], [69, 0, undefined, 69, 69]);
});
