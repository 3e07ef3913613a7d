import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decide } from './decide.js';
import { PolicyError } from './policy-error.js';
import { keyText, type PolicyKey } from './policy-key.js';
import { openSnapshot } from './policy-snapshot.js';
import type { SellerIdentity } from './seller-identity.js';
import { encodeSnapshot, type PolicyRule } from './snapshot-encoder.js';
import { countsAt, formatVersion, headerBytes, revisionAt, versionAt } from './snapshot-format.js';

// Few characters, so that keys collide, are prefixes of each other and differ in their UTF-8 order from the UTF-16 one.
const digits = (min: number, max: number) =>
  fc
    .tuple(
      fc.constantFrom('1', '4'),
      fc.string({ unit: fc.constantFrom('0', '3', '9'), minLength: min, maxLength: max }),
    )
    .map((parts) => Number(parts.join('')));
const user = fc.string({ unit: fc.constantFrom('4', '7', 'a', '@', '>', 'ü', '\uffee', '😀'), maxLength: 4 });
const host = fc.constantFrom('a', 'ab', 'a.b', 'ü');
const address = fc.record({ user: user.filter((text) => text !== ''), host });
const key: fc.Arbitrary<PolicyKey> = fc.oneof(
  digits(1, 14).map((number) => ({ kind: 'number' as const, digits: number })),
  digits(0, 4).map((number) => ({ kind: 'prefix' as const, digits: number })),
  address.map((parts) => ({ kind: 'address' as const, text: `${parts.host}>${parts.user}` })),
  fc.tuple(host, user).map(([h, u]) => ({ kind: 'wildcard' as const, text: `${h}>${u}` })),
);
const rules: fc.Arbitrary<PolicyRule[]> = fc
  .uniqueArray(
    fc.record({
      id: fc.string({ minLength: 1, maxLength: 8 }),
      name: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
      keys: fc.array(key, { maxLength: 6 }),
    }),
    { selector: ({ id }) => id, maxLength: 12 },
  )
  .map((list) => list.map((rule, index) => (index % 2 === 0 ? rule : { id: rule.id, keys: rule.keys })));
const identity: fc.Arbitrary<SellerIdentity> = fc.record(
  { number: digits(1, 14).map((number) => `+${number}`), address },
  { requiredKeys: [] },
);

/** The same questions, answered the plain way. */
function reference(list: readonly PolicyRule[]) {
  const owners = new Map<string, string>();
  for (const rule of [...list].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    for (const each of rule.keys) {
      const text = JSON.stringify(each);
      if (!owners.has(text)) owners.set(text, rule.id);
    }
  }
  return ({ number, address: at }: SellerIdentity): [string, string] | undefined => {
    const found = (wanted: PolicyKey): [string, string] | undefined => {
      const id = owners.get(JSON.stringify(wanted));
      return id === undefined ? undefined : [id, wanted.kind];
    };
    const candidates: PolicyKey[] = [];
    if (number) candidates.push({ kind: 'number', digits: Number(number.slice(1)) });
    if (at) candidates.push({ kind: 'address', text: `${at.host}>${at.user}` });
    for (let n = number?.length ?? 0; n > 1; n -= 1) {
      candidates.push({ kind: 'prefix', digits: Number(number?.slice(1, n)) });
    }
    const characters = [...(at?.user ?? '')];
    for (let n = characters.length; at && n >= 0; n -= 1) {
      candidates.push({ kind: 'wildcard', text: `${at.host}>${characters.slice(0, n).join('')}` });
    }
    return candidates.map(found).find((match) => match !== undefined);
  };
}

test('a lookup finds what a search through all rules finds: exact, then prefix, then wildcard; the longest; the first id', () => {
  const property = fc.property(rules, fc.array(identity, { maxLength: 20 }), (list, questions) => {
    const snapshot = openSnapshot(encodeSnapshot(list).bytes);
    const expected = reference(list);
    const own = list.flatMap(({ keys }) =>
      keys.map((each): SellerIdentity => {
        if ('digits' in each) return { number: `+${each.digits}` };
        const end = each.text.indexOf('>');
        return { address: { host: each.text.slice(0, end), user: each.text.slice(end + 1) } };
      }),
    );
    for (const question of [...questions, ...own]) {
      const match = snapshot.find(question);
      assert.deepEqual(match && [match.seller.id, match.by], expected(question), JSON.stringify(question));
    }
    const users = list.map(({ id, name }) => ({ id, ...(name !== undefined && { name }) }));
    assert.deepEqual(
      list.map((_rule, index) => snapshot.user(index)),
      users.sort((a, b) => (a.id < b.id ? -1 : 1)),
    );
    assert.equal(snapshot.size, list.length);
  });
  fc.assert(property, { numRuns: 1000 });
});

test('the same users give the same bytes and revision whatever their order; other users give another revision', () => {
  const property = fc.property(rules, fc.infiniteStream(fc.nat()), (list, random) => {
    const shuffled = list
      .map((rule) => ({ rule: { ...rule, keys: [...rule.keys].reverse() }, place: random.next().value }))
      .sort((a, b) => a.place - b.place)
      .map(({ rule }) => rule);
    const [one, other] = [encodeSnapshot(list), encodeSnapshot(shuffled)];
    assert.deepEqual(other, one);
    assert.match(one.revision, /^[0-9a-f]{12}$/);
    assert.equal(openSnapshot(one.bytes).revision, one.revision);
    assert.notEqual(encodeSnapshot([...list, { id: 'a longer id', keys: [] }]).revision, one.revision);
  });
  fc.assert(property);
});

test('a key that two users share belongs to the one whose id sorts first, and each other one is told once', () => {
  const keys: PolicyKey[] = [
    { kind: 'number', digits: 4930 },
    { kind: 'address', text: 'pbx>47' },
  ];
  const told: string[][] = [];
  const users = ['c', 'a', 'b'].map((id) => ({ id, keys: [...keys, ...keys] }));
  const { bytes } = encodeSnapshot(users, { onShared: (...shared) => told.push(shared) });
  assert.equal(openSnapshot(bytes).find({ number: '+4930' })?.seller.id, 'a');
  assert.deepEqual(told, [
    ['+4930', 'a', 'b'],
    ['+4930', 'a', 'c'],
    ['47@pbx', 'a', 'b'],
    ['47@pbx', 'a', 'c'],
  ]);
});

test('keys are written as people write them', () => {
  const written: [PolicyKey, string][] = [
    [{ kind: 'number', digits: 4930 }, '+4930'],
    [{ kind: 'prefix', digits: 49 }, '+49*'],
    [{ kind: 'address', text: 'pbx.example>47' }, '47@pbx.example'],
    [{ kind: 'wildcard', text: 'pbx.example>' }, '*@pbx.example'],
  ];
  for (const [each, text] of written) assert.equal(keyText(each), text);
});

const sample = encodeSnapshot([
  { id: 'kiana', name: 'Kiana Anderson', upn: 'kiana@x', keys: [{ kind: 'number', digits: 4930901820 }] },
  {
    id: 'tomas',
    keys: [
      { kind: 'address', text: 'pbx>4711' },
      { kind: 'prefix', digits: 49 },
    ],
  },
  {
    id: 'wild',
    keys: [
      { kind: 'wildcard', text: 'pbx>4' },
      { kind: 'address', text: 'pbx>47' },
    ],
  },
]).bytes;
const questions = ['sip:+4930901820@x', 'sip:4711@pbx', 'sip:47@pbx', 'tel:+4912', 'sip:499@pbx', 'sip:x@y'];

/** What decide says over these bytes; only a PolicyError may come of opening them. */
function answers(bytes: Uint8Array<ArrayBuffer>): unknown[] | undefined {
  try {
    const snapshot = openSnapshot(bytes, { source: 'hostile' });
    for (let index = 0; index < 5; index += 1) snapshot.user(index);
    return questions.map((uri) => {
      const called = [{ uri }];
      return decide(snapshot, { tenant: 't', side: 'customer', calling: [], called, at: new Date(0) }, ['r']);
    });
  } catch (error) {
    assert.ok(error instanceof PolicyError, String(error));
    return undefined;
  }
}

test('random bytes, truncations and flipped bits are refused or harmless', () => {
  assert.equal(answers(sample)?.length, questions.length);
  const flips = fc.array(fc.tuple(fc.nat(sample.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
  const flipped = flips.map((list) => {
    const bytes = sample.slice();
    for (const [at, value] of list) bytes[at] = value;
    return bytes;
  });
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 512 }).map((bytes) => new Uint8Array(bytes)),
    fc.nat(sample.length).map((length) => sample.slice(0, length)),
    flipped,
    // Behind a right header.
    fc.uint8Array({ minLength: sample.length - headerBytes, maxLength: sample.length - headerBytes }).map((bytes) => {
      const forged = sample.slice();
      forged.set(bytes, headerBytes);
      return forged;
    }),
  );
  fc.assert(
    fc.property(hostile, (bytes) => void answers(bytes)),
    { numRuns: 3000 },
  );
  for (let length = 0; length < sample.length; length += 1) assert.equal(answers(sample.slice(0, length)), undefined);
});

test('what is no snapshot, of another version, of another length or without a revision is refused with the reason', () => {
  const changed = (change: (view: DataView) => void) => {
    const bytes = sample.slice();
    change(new DataView(bytes.buffer));
    return bytes;
  };
  const cases: [Uint8Array<ArrayBuffer>, RegExp][] = [
    [new Uint8Array(), /0 bytes are no snapshot/],
    [changed((view) => view.setUint8(0, 0)), /no snapshot/],
    [changed((view) => view.setUint32(versionAt, formatVersion + 1, true)), /version 2 is unknown/],
    [changed((view) => view.setUint32(countsAt, 0xffffffff, true)), /bytes where the header says/],
    [changed((view) => view.setUint8(revisionAt, 0)), /no revision/],
  ];
  for (const [bytes, message] of cases) {
    assert.throws(
      () => openSnapshot(bytes, { source: 'contoso' }),
      (error: unknown) => {
        assert.ok(error instanceof PolicyError);
        assert.match(error.message, message);
        assert.match(error.message, /^policy contoso is not usable/);
        return true;
      },
    );
  }
});

test('bytes may lie anywhere in their buffer', () => {
  const shifted = new Uint8Array(new ArrayBuffer(sample.length + 7), 3, sample.length);
  shifted.set(sample);
  assert.deepEqual(answers(shifted), answers(sample));
});

test('a snapshot confirmed again shares its bytes', () => {
  const snapshot = openSnapshot(sample, { fetchedAt: new Date(1) });
  const freshness = { rule: 'record-none', checkedAt: new Date(2), maxAgeMs: 3 } as const;
  const confirmed = snapshot.confirmed(freshness);
  assert.deepEqual([confirmed.freshness, confirmed.fetchedAt, snapshot.freshness], [freshness, new Date(1), undefined]);
  assert.equal(confirmed.bytes, snapshot.bytes);
});
