import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PolicyError } from './policy-error.js';
import { parsePolicyFile } from './policy-file.js';
import { sellerIdentity } from './seller-identity.js';

function problems(content: string): string[] {
  try {
    parsePolicyFile(content, 'policy.yaml');
  } catch (error) {
    assert.ok(error instanceof PolicyError, String(error));
    assert.ok(error.message.startsWith('policy policy.yaml is not usable\n  '), error.message);
    return error.problems.map(({ path, message }) => `${path}: ${message}`);
  }
  return [];
}

const yaml = `
revision: 7
users:
  - id: 0042
    name: Kiana Anderson
    numbers: [+4930901820, "+49 30 901821"]
    addresses: [sip:kiana@pbx.example]
  - { id: tomas, addresses: [tomas@pbx.example] }
`;

test('YAML keeps the plus and the zeroes of what looks like numbers', () => {
  const fetchedAt = new Date(1000);
  const snapshot = parsePolicyFile(yaml, 'policy.yaml', fetchedAt);
  assert.deepEqual([snapshot.revision, snapshot.size, snapshot.fetchedAt], ['7', 2, fetchedAt]);
  assert.deepEqual(
    ['tel:+4930901820', 'tel:+4930901821', 'sip:kiana@pbx.example', 'sip:tomas@pbx.example', 'tel:+4930901822'].map(
      (uri) => snapshot.find(sellerIdentity(uri))?.seller.id,
    ),
    ['0042', '0042', '0042', 'tomas', undefined],
  );
  assert.deepEqual(snapshot.user(0), { id: '0042', name: 'Kiana Anderson' });
  assert.deepEqual([snapshot.user(1), snapshot.user(2)], [{ id: 'tomas' }, undefined]);
});

test('JSON is read too', () => {
  const json = JSON.stringify({ users: [{ id: 'a', numbers: ['+4930901820'] }] });
  assert.deepEqual(parsePolicyFile(json, 'policy.json').find({ number: '+4930901820' })?.seller, { id: 'a' });
});

test('JSON takes a fraction of the time of YAML, since it is read while calls run; YAML in braces is still YAML', () => {
  const users = Array.from({ length: 5_000 }, (_, index) => ({ id: index, numbers: [`+4930${1_000_000 + index}`] }));
  const json = JSON.stringify({ revision: 7, users });
  const took = (content: string) => {
    const began = performance.now();
    const snapshot = parsePolicyFile(content, 'policy');
    assert.deepEqual([snapshot.size, snapshot.revision], [5_000, '7']);
    return performance.now() - began;
  };
  const yamlMs = took(`# YAML\n${json}`);
  assert.ok(took(json) < yamlMs / 2);
  assert.equal(parsePolicyFile('{ users: [{ id: a, numbers: [+4930901820] }] }', 'policy.yaml').size, 1);
  assert.notDeepEqual(problems('{ "users": ['), []);
});

test('without a revision the content is its own: the first 12 hex digits of its SHA-256', () => {
  const revision = (content: string) => parsePolicyFile(content, 'policy.yaml').revision;
  assert.equal(revision('users: []'), 'b0e3b719a533');
  assert.notEqual(revision('users: [] '), revision('users: []'));
});

test('every problem of the shape is named with its path, at once', () => {
  const found = problems(
    'revison: x\nusers:\n  - { id: a }\n  - { id: "", numbers: +49 }\n  - { numbers: [{}], addresses: [a@b] }\n',
  );
  const paths = found.map((problem) => problem.split(':')[0]).sort();
  assert.deepEqual(paths, ['', 'users[0]', 'users[1].id', 'users[1].numbers', 'users[2].id', 'users[2].numbers[0]']);
  assert.ok(found.some((problem) => problem.includes('revison')));
});

test('every problem of the content is named with its path, at once', () => {
  const found = problems(`
users:
  - { id: a, numbers: [030 901820, +4930901820], addresses: [nobody] }
  - { id: b, numbers: [+49-30-901820] }
  - { id: a, addresses: [sip:a@b] }
`);
  assert.deepEqual(found, [
    'users[0].numbers[0]: "030 901820" is not an international number with + or 00',
    'users[0].addresses[0]: "nobody" is not a SIP address user@host',
    'users[1].numbers[0]: "+49-30-901820" belongs to "a" already',
    'users[2].id: "a" is the id of another user',
  ]);
});

test('prefixes and wildcards are allowed, and two users cannot share one either', () => {
  const text = `
users:
  - { id: a, numbers: ["+4930*", "+4*"], addresses: ["*@pbx.example", "sip:47*@pbx.example"] }
  - { id: b, numbers: ["030*", "*", "+49*30"], addresses: ["a@*", "*"] }
`;
  assert.deepEqual(problems(text), [
    'users[1].numbers[0]: "030*" is not an international number with + or 00',
    'users[1].numbers[1]: "*" is not an international number with + or 00',
    'users[1].numbers[2]: "+49*30" is not an international number with + or 00',
    'users[1].addresses[0]: "a@*" is not a SIP address user@host',
    'users[1].addresses[1]: "*" is not a SIP address user@host',
  ]);
  const shared = 'users: [{ id: a, numbers: [+49 30*] }, { id: b, numbers: [0049-30*] }]';
  assert.deepEqual(problems(shared), ['users[1].numbers[0]: "0049-30*" belongs to "a" already']);
});

test('what is no YAML, no mapping or no list is refused', () => {
  assert.match(problems('users: [').join(), /^: .*line 1/);
  assert.match(problems('').join(), /expected object/);
  assert.match(problems('users: {}').join(), /^users: .*expected array/);
  assert.match(problems('a: 1\na: 2').join(), /unique/);
});

test('an alias bomb is refused', () => {
  const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]'];
  for (const [name, before] of ['ba', 'cb', 'dc', 'ed', 'fe'].map((pair) => [pair[0], pair[1]])) {
    bomb.push(`${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`).join(', ')}]`);
  }
  assert.match(problems(bomb.join('\n')).join(), /alias/i);
});

test('hostile text never gets past as anything but a PolicyError', () => {
  const pieces = fc.array(
    fc.constantFrom('users:', ' ', '\n', '- ', 'id: a', '{', '}', '[', ']', '&a', '*a', '? ', '!!js', '"', '<<: '),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        pieces.map((list) => list.join('')),
      ),
      (content) => {
        problems(content);
      },
    ),
    { numRuns: 500 },
  );
});
