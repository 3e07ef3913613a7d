// Challenges and credentials as text: what is read, what is written, what is refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SipError } from '../sip-error.js';
import { digestHashes } from './algorithm.js';
import { formatChallenge, parseChallenges } from './challenge.js';
import { formatCredentials, parseCredentials } from './credentials.js';

const text = fc.string({ unit: 'grapheme', maxLength: 40 }).map((s) => s.replace(/[\r\n]/g, ''));
const plain = { noNullPrototype: true } as const;
const algorithm = fc.record({ hash: fc.constantFrom(...digestHashes), session: fc.boolean() }, plain);
const qop = fc.constantFrom('auth' as const, 'auth-int' as const);

test('a challenge is read as it was written, alone and among others', () => {
  const challenge = fc.record(
    {
      realm: text,
      nonce: text,
      opaque: text,
      algorithm,
      qop: fc.uniqueArray(qop, { minLength: 1 }),
      stale: fc.boolean(),
    },
    plain,
  );
  fc.assert(
    fc.property(fc.array(challenge, { maxLength: 4 }), (challenges) => {
      const lines = challenges.map(formatChallenge);
      assert.deepEqual(parseChallenges(lines), challenges);
      assert.deepEqual(parseChallenges([['Negotiate', ...lines, 'Basic realm="b"'].join(',')]), challenges);
    }),
  );
});

test('credentials are read as they were written', () => {
  const nc = fc.integer({ min: 0, max: 0xffff_ffff });
  const protection = fc.record({ qop, cnonce: text, nc }, plain);
  const common = { username: text, realm: text, nonce: text, uri: text, algorithm, opaque: text };
  const response = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 32, maxLength: 64 });
  fc.assert(
    fc.property(fc.record({ ...common, response, protection }, plain), (credentials) => {
      assert.deepEqual(parseCredentials(formatCredentials(credentials)), [credentials]);
    }),
  );
});

test('any text is read or refused as malformed, and nothing of it is in the message', () => {
  const parts = ['Digest ', 'username="', '"', ',', '=', 'nc=', 'qop=auth', '\\', ' ', 'secret-value', 'realm=x'];
  const hostile = fc.array(fc.oneof(fc.constantFrom(...parts), text), { maxLength: 30 }).map((all) => all.join(''));
  fc.assert(
    fc.property(hostile, (value) => {
      parseChallenges([value]);
      try {
        parseCredentials(value);
      } catch (error) {
        assert.ok(error instanceof SipError);
        assert.equal(error.code, 'malformed');
        assert.doesNotMatch(error.message, /secret-value/);
      }
    }),
  );
});

for (const [what, value] of [
  ['a parameter twice', 'Digest username="a", username="b", realm="r", nonce="n", uri="u", response="x"'],
  ['a parameter without a scheme', 'username="a"'],
  ['a quote that never ends', 'Digest username="a'],
  ['text behind a quoted value', 'Digest username="a"b"c'],
  ['a missing response', 'Digest username="a", realm="r", nonce="n", uri="u"'],
  [
    'a nonce count of seven digits',
    'Digest username="a", realm="r", nonce="n", uri="u", response="x", qop=auth, nc=0000001, cnonce="c"',
  ],
  [
    'a qop without a client nonce',
    'Digest username="a", realm="r", nonce="n", uri="u", response="x", qop=auth, nc=00000001',
  ],
  [
    'an unknown qop',
    'Digest username="a", realm="r", nonce="n", uri="u", response="x", qop=token, nc=00000001, cnonce="c"',
  ],
  ['a thousand parameters', `Digest ${Array.from({ length: 1_000 }, (_, i) => `p${i}=1`).join(',')}`],
] as const) {
  test(`credentials with ${what} are malformed`, () => {
    assert.throws(() => parseCredentials(value), { code: 'malformed' });
  });
}

test('credentials as peers write them: no spaces, values without quotes, quoted tokens, names in any case', () => {
  const [credentials] = parseCredentials(
    'DIGEST USERNAME="bob",realm="a \\"b\\"",nonce=n==,uri=sip:b@h:5060;x=y,response="0f",algorithm="MD5",QOP="auth",nc=0000000A,cnonce=c',
  );
  assert.equal(credentials?.username, 'bob');
  assert.equal(credentials?.realm, 'a "b"');
  assert.equal(credentials?.uri, 'sip:b@h:5060;x=y');
  assert.deepEqual(credentials?.protection, { qop: 'auth', cnonce: 'c', nc: 10 });
});

test('RFC 8760 §2.4: a challenge that is not understood is ignored', () => {
  for (const ignored of [
    'Basic realm="r"',
    'Digest realm="r", nonce="n", algorithm=SHA-1',
    'Digest realm="r", nonce="n", qop="token"',
    'Digest realm="r"',
    'Digest realm="r", nonce="n", algorithm=MD5-sess',
    '"',
  ])
    assert.deepEqual(parseChallenges([ignored]), []);
});

test('reading takes linear time', () => {
  const long = 100_000;
  for (const hostile of [
    `Digest ${'a'.repeat(long)} a`,
    `Digest${' '.repeat(long)}=`,
    `Digest a="${'\\"'.repeat(long)}`,
    `Digest a=${'"'.repeat(long)}`,
    ','.repeat(long),
    `${'='.repeat(long)}`,
  ]) {
    const begin = performance.now();
    parseChallenges([hostile]);
    assert.ok(performance.now() - begin < 1_000);
  }
});
