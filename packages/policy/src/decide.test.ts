import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type CallFacts, decide } from './decide.js';
import { addressKey, numberKey, type PolicyKey } from './policy-key.js';
import { openSnapshot, type StaleRule } from './policy-snapshot.js';
import { encodeSnapshot } from './snapshot-encoder.js';

const key = (text: string): PolicyKey => {
  const found = text.includes('@') ? addressKey(text) : numberKey(text);
  assert.ok(found, text);
  return found;
};
const policyOf = (rules: Record<string, string[]>) => {
  const users = Object.entries(rules).map(([user, keys]) => {
    const [id = '', name] = user.split(':');
    return { id, ...(name !== undefined && { name }), keys: keys.map(key) };
  });
  return openSnapshot(encodeSnapshot(users, { revision: 'r1' }).bytes);
};
const snapshot = policyOf({
  'kiana:Kiana Anderson': ['+49 30 901820', 'sip:kiana@pbx.example'],
  tomas: ['0014255550123', '4711@pbx.example'],
});
const recorders = ['eastus', 'global'];
const uris = (list: readonly string[]) => list.map((uri) => ({ uri }));
const at = new Date('2026-11-26T12:00:00Z');
/** A call from the carrier to somebody who is called by these URIs. */
const facts = (...called: string[]): CallFacts => ({
  tenant: 'contoso',
  side: 'customer',
  calling: uris(['sip:+15559999@carrier']),
  called: uris(called),
  at,
});
const kiana = 'sip:+4930901820@192.0.2.1';
const tomas = 'sip:4711@pbx.example';
const stranger = 'sip:+15550000@192.0.2.1';

test('a listed seller is recorded at the recorders given, with the policy revision', () => {
  assert.deepEqual(decide(snapshot, facts(kiana), recorders), {
    record: true,
    reason: 'listed',
    party: 'called',
    seller: { id: 'kiana', name: 'Kiana Anderson' },
    matched: kiana,
    matchedBy: 'number',
    policyRevision: 'r1',
    recorders,
  });
});

test('an unlisted seller is not recorded', () => {
  const expected = { record: false, reason: 'not-listed', party: 'called', policyRevision: 'r1', recorders: [] };
  assert.deepEqual(decide(snapshot, facts('sip:+4930901821@192.0.2.1'), recorders), expected);
});

test('without a policy nobody is recorded', () => {
  const expected = { record: false, reason: 'no-policy', party: 'called', policyRevision: '', recorders: [] };
  assert.deepEqual(decide(undefined, facts(kiana), recorders), expected);
});

test('an empty policy records nobody', () => {
  assert.equal(decide(policyOf({}), facts(kiana), recorders).reason, 'not-listed');
});

test('nobody of a tenant that is switched off is recorded', () => {
  for (const policy of [snapshot, undefined]) {
    const { record, reason, seller } = decide(policy, { ...facts(kiana), enabled: false }, recorders);
    assert.deepEqual([record, reason, seller], [false, 'tenant-disabled', undefined]);
  }
});

test('a seller without an identity is not recorded', () => {
  for (const called of [[], ['sip:anonymous@anonymous.invalid'], ['sip:pbx.example', 'nonsense']]) {
    assert.equal(decide(snapshot, facts(...called), recorders).reason, 'no-seller-identity');
  }
});

test('a listed seller of a tenant without recorders is not recorded, and named', () => {
  const decision = decide(snapshot, facts('sip:kiana@pbx.example'), []);
  assert.deepEqual([decision.record, decision.reason, decision.seller?.id], [false, 'no-recorder', 'kiana']);
});

type Row = [
  side: 'customer' | 'seller',
  calling: string[],
  called: string[],
  reason: string,
  party: string,
  id?: string,
];
const parties: readonly Row[] = [
  ['customer', [stranger], [kiana], 'listed', 'called', 'kiana'],
  ['customer', [kiana], [stranger], 'listed', 'calling', 'kiana'],
  ['customer', [kiana], [], 'listed', 'calling', 'kiana'],
  ['customer', [kiana], [tomas], 'listed-both', 'called', 'tomas'],
  ['customer', [kiana], [kiana], 'listed-both', 'called', 'kiana'],
  ['customer', [stranger], [stranger], 'not-listed', 'called'],
  ['customer', [], [stranger], 'not-listed', 'called'],
  ['customer', [stranger], [], 'no-seller-identity', 'called'],
  ['seller', [kiana], [stranger], 'listed', 'calling', 'kiana'],
  ['seller', [stranger], [kiana], 'listed', 'called', 'kiana'],
  ['seller', [], [kiana], 'listed', 'called', 'kiana'],
  ['seller', [kiana], [tomas], 'listed-both', 'called', 'tomas'],
  ['seller', [stranger], [stranger], 'not-listed', 'calling'],
  ['seller', [], [stranger], 'no-seller-identity', 'calling'],
  ['seller', [], [], 'no-seller-identity', 'calling'],
];
for (const [side, calling, called, reason, party, id] of parties) {
  test(`from the ${side}'s trunk, ${calling.join() || 'nobody'} calls ${called.join() || 'nobody'}: ${reason}, ${party}`, () => {
    const decision = decide(snapshot, { ...facts(), side, calling: uris(calling), called: uris(called) }, recorders);
    assert.deepEqual([decision.reason, decision.party, decision.seller?.id], [reason, party, id]);
    assert.equal(decision.record, id !== undefined);
  });
}

const hour = 3_600_000;
const stale: readonly [rule: StaleRule, ageMs: number, called: string, record: boolean, reason: string, id?: string][] =
  [
    ['keep', 2 * hour, kiana, true, 'listed', 'kiana'],
    ['keep', 2 * hour, stranger, false, 'not-listed'],
    ['record-none', 2 * hour, kiana, false, 'policy-stale', 'kiana'],
    ['record-none', 2 * hour, stranger, false, 'policy-stale'],
    ['record-none', hour, kiana, true, 'listed', 'kiana'],
    ['record-all', 2 * hour, kiana, true, 'policy-stale', 'kiana'],
    ['record-all', 2 * hour, stranger, true, 'policy-stale'],
    ['record-all', 2 * hour, 'sip:anonymous@anonymous.invalid', true, 'policy-stale'],
    ['record-all', hour, stranger, false, 'not-listed'],
    ['record-none', -hour, kiana, true, 'listed', 'kiana'],
  ];
for (const [rule, ageMs, called, record, reason, id] of stale) {
  test(`the rule ${rule}, confirmed ${ageMs / hour} h ago where 1 h is allowed, ${called}: ${reason}`, () => {
    const checkedAt = new Date(at.getTime() - ageMs);
    const policy = snapshot.confirmed({ rule, checkedAt, maxAgeMs: hour });
    const decision = decide(policy, facts(called), recorders);
    assert.deepEqual([decision.record, decision.reason, decision.seller?.id], [record, reason, id]);
    assert.deepEqual(decision.recorders, record ? recorders : []);
    assert.equal(decision.party, 'called');
  });
}

test('a policy that records everybody because it is stale needs a recorder all the same', () => {
  const policy = snapshot.confirmed({ rule: 'record-all', checkedAt: new Date(0), maxAgeMs: hour });
  assert.equal(decide(policy, facts(stranger), []).reason, 'no-recorder');
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
  const matched = (...called: string[]) => decide(snapshot, facts(...called), recorders).matched;
  const named = 'sip:kiana@pbx.example';
  assert.equal(
    matched('sip:sbc.example', 'tel:030123', 'sip:x@anonymous.invalid', named, 'sip:4711@pbx.example'),
    named,
  );
});

test('a number that the trunk knows better counts before that of the URI', () => {
  const called = [{ uri: 'sip:4711@other.example', number: '+1 (425) 555-0123' }];
  assert.equal(decide(snapshot, { ...facts(), called }, recorders).seller?.id, 'tomas');
});

test('an emergency call is decided like any other', () => {
  const emergency = { ...facts('sip:kiana@pbx.example'), emergency: true };
  assert.deepEqual(decide(snapshot, emergency, recorders), decide(snapshot, facts('sip:kiana@pbx.example'), recorders));
});

const ties = policyOf({
  all: ['+4*', '*@pbx.example'],
  berlin: ['+4930*', '47*@pbx.example'],
  exact: ['+4930901820'],
  longer: ['+49309*', '471*@pbx.example'],
  address: ['4711@pbx.example', '+4930901820@pbx.example', '+4930777@pbx.example'],
  feature: ['*21@pbx.example'],
});
const specific: readonly [uri: string, seller: string | undefined, by?: string][] = [
  ['sip:+4930901820@other.example', 'exact', 'number'],
  ['sip:+4930901820@pbx.example', 'exact', 'number'],
  ['sip:+4930777@pbx.example', 'address', 'address'],
  ['sip:+4930999@pbx.example', 'longer', 'prefix'],
  ['sip:+4930111@pbx.example', 'berlin', 'prefix'],
  ['tel:+4930', 'berlin', 'prefix'],
  ['tel:+493', 'all', 'prefix'],
  ['tel:+4412345678', 'all', 'prefix'],
  ['tel:+15550001', undefined],
  ['sip:+15550001@pbx.example', 'all', 'wildcard'],
  ['sip:4711@pbx.example', 'address', 'address'],
  ['sip:4712@pbx.example', 'longer', 'wildcard'],
  ['sip:47@pbx.example', 'berlin', 'wildcard'],
  ['sip:4@PBX.example', 'all', 'wildcard'],
  ['sip:47@pbx.example.org', undefined],
  ['sip:47@x.pbx.example', undefined],
  ['sip:*21@pbx.example', 'feature', 'address'],
];
for (const [uri, id, by] of specific) {
  test(`exact number, exact address, longest prefix, longest wildcard: ${uri} is ${id ?? 'nobody'}`, () => {
    const { seller, matchedBy } = decide(ties, facts(uri), recorders);
    assert.deepEqual([seller?.id, matchedBy], [id, by]);
  });
}

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
  const property = fc.property(fc.array(candidate, { maxLength: 40 }), fc.array(candidate), (called, calling) => {
    const decision = decide(snapshot, { ...facts(), called, calling }, recorders);
    assert.equal(decision.record, decision.reason.startsWith('listed'));
    assert.equal(decision.record, decision.seller !== undefined);
  });
  fc.assert(property, { numRuns: 500 });
});
