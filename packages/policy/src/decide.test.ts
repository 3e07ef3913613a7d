import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type CallFacts, decide } from './decide.js';
import { compilePolicy } from './policy-snapshot.js';

const snapshot = compilePolicy(
  [
    { id: 'kiana', name: 'Kiana Anderson', numbers: ['+49 30 901820'], addresses: ['sip:kiana@pbx.example'] },
    { id: 'tomas', numbers: ['0014255550123'], addresses: ['4711@pbx.example'] },
  ],
  { revision: 'r1', fetchedAt: new Date(0) },
);
const recorders = ['eastus', 'global'];
const facts = (...uris: string[]): CallFacts => ({
  tenant: 'contoso',
  direction: 'inbound',
  sellerParty: uris.map((uri) => ({ uri })),
});

test('a listed seller is recorded at the recorders given, with the policy revision', () => {
  assert.deepEqual(decide(snapshot, facts('sip:+4930901820@192.0.2.1'), recorders), {
    record: true,
    reason: 'listed',
    seller: { id: 'kiana', name: 'Kiana Anderson' },
    matched: 'sip:+4930901820@192.0.2.1',
    policyRevision: 'r1',
    recorders,
  });
});

test('an unlisted seller is not recorded', () => {
  const expected = { record: false, reason: 'not-listed', policyRevision: 'r1', recorders: [] };
  assert.deepEqual(decide(snapshot, facts('sip:+4930901821@192.0.2.1'), recorders), expected);
});

test('without a policy nobody is recorded', () => {
  const expected = { record: false, reason: 'no-policy', policyRevision: '', recorders: [] };
  assert.deepEqual(decide(undefined, facts('sip:+4930901820@192.0.2.1'), recorders), expected);
});

test('an empty policy records nobody', () => {
  const empty = compilePolicy([], { revision: 'r0', fetchedAt: new Date(0) });
  assert.equal(decide(empty, facts('sip:+4930901820@192.0.2.1'), recorders).reason, 'not-listed');
});

test('a seller without an identity is not recorded', () => {
  for (const uris of [[], ['sip:anonymous@anonymous.invalid'], ['sip:pbx.example', 'nonsense']]) {
    assert.equal(decide(snapshot, facts(...uris), recorders).reason, 'no-seller-identity');
  }
});

test('a listed seller of a tenant without recorders is not recorded, and named', () => {
  const decision = decide(snapshot, facts('sip:kiana@pbx.example'), []);
  assert.deepEqual([decision.record, decision.reason, decision.seller?.id], [false, 'no-recorder', 'kiana']);
});

test('the strongest identity decides: a weaker one does not lend an unlisted seller a listed name', () => {
  const { record, reason, seller } = decide(
    snapshot,
    facts('sip:+4930901821@sbc', 'sip:+4930901820@sbc', 'sip:kiana@pbx.example'),
    recorders,
  );
  assert.deepEqual([record, reason, seller], [false, 'not-listed', undefined]);
});

test('what identifies nobody is passed over for the next candidate, and the one that matched is told', () => {
  const matched = (...uris: string[]) => decide(snapshot, facts(...uris), recorders).matched;
  const kiana = 'sip:kiana@pbx.example';
  assert.equal(
    matched('sip:sbc.example', 'tel:030123', 'sip:x@anonymous.invalid', kiana, 'sip:4711@pbx.example'),
    kiana,
  );
});

test('a number that the trunk knows better counts before that of the URI', () => {
  const sellerParty = [{ uri: 'sip:4711@other.example', number: '+1 (425) 555-0123' }];
  assert.equal(decide(snapshot, { ...facts(), sellerParty }, recorders).seller?.id, 'tomas');
});

test('an emergency call is decided like any other', () => {
  const emergency = { ...facts('sip:kiana@pbx.example'), emergency: true };
  assert.deepEqual(decide(snapshot, emergency, recorders), decide(snapshot, facts('sip:kiana@pbx.example'), recorders));
});

const matching: readonly [why: string, uri: string, seller: string | undefined][] = [
  ['the host of a number does not matter', 'sip:+4930901820@anything.example:5080', 'kiana'],
  ['a tel URI', 'tel:+49-30-901820;ext=3', 'kiana'],
  ['00 for +', 'sip:004930901820@h.example', 'kiana'],
  ['parameters of the user part', 'sip:+4930901820;npdi;rn=+49177@h.example;user=phone', 'kiana'],
  ['parameters and headers of the URI', 'sip:kiana@pbx.example;transport=tcp?Subject=x', 'kiana'],
  ['port and password', 'sips:kiana:secret@pbx.example:5061', 'kiana'],
  ['case of user and host', 'SIP:Kiana@PBX.Example', 'kiana'],
  ['escaped characters of the user part', 'sip:%2B4930%39%301820@h.example', 'kiana'],
  ['a whole header value', '"<sip:4711@pbx.example>" <sip:kiana@pbx.example>;tag=x', 'kiana'],
  ['an address without a scheme', 'kiana@pbx.example', 'kiana'],
  ['an extension only at its own host', 'sip:4711@pbx.example', 'tomas'],
  ['an extension at another host is somebody else', 'sip:4711@other.example', undefined],
  ['a user at another host is somebody else', 'sip:kiana@other.example', undefined],
  ['a national number is nobody: no country is guessed', 'sip:030901820@h.example', undefined],
  ['a number without + is nobody', 'sip:4930901820@h.example', undefined],
  ['a longer number is somebody else', 'sip:+49309018200@h.example', undefined],
];
for (const [why, uri, seller] of matching) {
  test(`matching: ${why}`, () => assert.equal(decide(snapshot, facts(uri), recorders).seller?.id, seller));
}

test('a seller matches whatever separators, parameters, port and host stand around the number', () => {
  const separated = fc
    .array(fc.constantFrom('', ' ', '-', '.', '(', ')', '/', '\u00a0', '\u2011'), { minLength: 11, maxLength: 11 })
    .map((separators) => [...'+4930901820'].map((digit, index) => digit + separators[index]).join(''));
  const parameter = fc.constantFrom('', ';user=phone', ';transport=tls', ';phone-context=+49', '?Subject=a%40b');
  const property = fc.property(
    separated,
    fc.domain(),
    fc.option(fc.nat(65535)),
    parameter,
    (number, host, port, after) => {
      const user = encodeURIComponent(number);
      const uris = [
        `sip:${user}@${host}${port === null ? '' : `:${port}`}${after}`,
        `tel:${number}${after.replace('?', ';')}`,
      ];
      for (const uri of uris) assert.equal(decide(snapshot, facts(uri), recorders).seller?.id, 'kiana', uri);
    },
  );
  fc.assert(property);
});

test('deciding never throws and records only whom the policy lists', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.webUrl(),
    fc.string().map((text) => `sip:${text}@pbx.example`),
    fc.constantFrom(
      'sip:%',
      'sip:%zz@h',
      '@',
      'sip:@',
      '<',
      '__proto__',
      'sip:__proto__@h',
      `sip:${'9'.repeat(5000)}@h`,
    ),
  );
  const candidate = fc.record({ uri: hostile, number: hostile }, { requiredKeys: ['uri'] });
  const property = fc.property(fc.array(candidate, { maxLength: 40 }), (sellerParty) => {
    const decision = decide(snapshot, { ...facts(), sellerParty }, recorders);
    assert.equal(decision.record, decision.reason === 'listed');
    assert.equal(decision.record, decision.seller !== undefined);
  });
  fc.assert(property, { numRuns: 500 });
});
