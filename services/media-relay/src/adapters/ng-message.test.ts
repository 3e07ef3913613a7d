import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeMessage, encodeMessage } from './ng-message.js';

const key = fc.string({ minLength: 1, maxLength: 12 }).filter((name) => name !== '__proto__');
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'grapheme' }),
    fc.maxSafeInteger(),
    tie('list'),
    tie('dictionary'),
  ),
  list: fc.array(tie('value'), { maxLength: 4 }),
  dictionary: fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
}));
const body = fc.dictionary(key, value as fc.Arbitrary<string>, { maxKeys: 6, noNullPrototype: true });

test('what was encoded is decoded again', () => {
  fc.assert(
    fc.property(body, (sent) => {
      assert.deepEqual(decodeMessage(encodeMessage('c1', sent)), { cookie: 'c1', body: sent });
    }),
  );
});

test('any bytes are a message or none, and never an exception or a hang', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      decodeMessage(Buffer.from(bytes));
      decodeMessage(Buffer.concat([Buffer.from('c d'), bytes]));
    }),
  );
});

test('a message that was cut or changed in one byte never throws', () => {
  const whole = encodeMessage('c1', { result: 'ok', sdp: 'v=0\r\n', calls: ['a', { b: 1 }] });
  for (let length = 0; length < whole.length; length += 1) {
    assert.equal(decodeMessage(whole.subarray(0, length)), undefined);
    for (const byte of '0-:deil9') {
      const changed = Buffer.from(whole);
      changed[length] = byte.charCodeAt(0);
      decodeMessage(changed);
    }
  }
});

for (const [what, text] of [
  ['a negative string length, on which the library loops for ever', 'c d1:al-3:ee'],
  ['a nesting deeper than the stack', `c d1:a${'l'.repeat(60_000)}`],
  ['a string longer than the datagram', 'c d1:a99999:xe'],
  ['a key that is no string', 'c di1e1:ae'],
  ['a key without a value', 'c d1:ae'],
  ['something behind the dictionary', 'c d1:ai1eei1e'],
  ['a list instead of a dictionary', 'c l1:ae'],
  ['no cookie', ' d1:ai1ee'],
] as const) {
  test(`${what} is no message`, () => assert.equal(decodeMessage(Buffer.from(text)), undefined));
}
