import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { normaliseNumber } from './normalise-number.js';

const numbers: readonly [text: string, number: string | undefined][] = [
  ['+4930901820', '+4930901820'],
  [' +49 (30) 90-18.20 ', '+4930901820'],
  ['+49\u00a030\u2009901\u2011820\u202c', '+4930901820'],
  ['+49/30/901820', '+4930901820'],
  ['004930901820', '+4930901820'],
  ['00 49 30 901820', '+4930901820'],
  ['TEL:+49-30-901820;phone-context=x', '+4930901820'],
  ['+123456789012345', '+123456789012345'],
  ['+1234567890123456', undefined],
  ['+0123', undefined],
  ['030901820', undefined],
  ['110', undefined],
  ['+49x30', undefined],
  ['++49', undefined],
  ['', undefined],
  [`+49${' '.repeat(200)}30`, undefined],
];
for (const [text, number] of numbers) {
  test(`RFC 3966 §5.1.1: ${JSON.stringify(text)} is ${number ?? 'no international number'}`, () => {
    assert.equal(normaliseNumber(text), number);
  });
}

test('a normal form is its own normal form', () => {
  const property = fc.property(fc.string({ unit: fc.constantFrom(...'+0123456789 -()') }), (text) => {
    const number = normaliseNumber(text);
    if (number !== undefined) assert.equal(normaliseNumber(number), number);
  });
  fc.assert(property);
});
