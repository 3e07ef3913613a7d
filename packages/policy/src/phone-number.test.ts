import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CountryCode, directoryNumberKey } from './phone-number.js';
import { keyText } from './policy-key.js';

const numbers: readonly [text: string, country: CountryCode | undefined, number: string | undefined][] = [
  ['+49 30 901820', undefined, '+4930901820'],
  ['+49 (0)30 901820', undefined, '+4930901820'],
  ['0049 30 901820', undefined, '+4930901820'],
  ['\u202a+49\u00a030\u2011901820\u202c', undefined, '+4930901820'],
  ['tel:+49-30-901820', undefined, '+4930901820'],
  ['030 901820', undefined, undefined],
  ['030 901820', 'DE', '+4930901820'],
  ['(0)30/90 18 20', 'DE', '+4930901820'],
  ['020 7946 0958', 'GB', '+442079460958'],
  ['8 (495) 123-45-67', 'RU', '+74951234567'],
  ['06 1234 5678', 'IT', '+390612345678'],
  ['(425) 555-0123', 'US', '+14255550123'],
  ['1 425 555 0123', 'US', '+14255550123'],
  ['011 15-2345-6789', 'AR', '+5491123456789'],
  ['+800 1234 5678', undefined, '+80012345678'],
  // Inside a town or a company.
  ['901820', 'DE', undefined],
  ['4711', 'DE', undefined],
  ['110', 'DE', undefined],
  ['911', 'US', undefined],
  ['555-0123', 'US', undefined],
  ['12345', 'NO', undefined],
  ['+4712345', undefined, '+4712345'],
  // The number before an extension belongs to more people.
  ['+49 30 901820 ext. 12', undefined, undefined],
  ['tel:+4930901820;ext=12', undefined, undefined],
  ['(425) 555-0123 x5', 'US', undefined],
  // A length that the country does not have, or no number.
  ['+1 425 555 012', undefined, undefined],
  ['+1 425 555 01234', undefined, undefined],
  ['+999 123456', undefined, undefined],
  ['+49 30 9018ABC', 'DE', undefined],
  ['call +49 30 901820', 'DE', undefined],
  ['hello', 'DE', undefined],
  ['', 'DE', undefined],
  [`+49${' '.repeat(200)}30901820`, undefined, undefined],
  ['+49 30*', undefined, '+4930*'],
  ['0049*', undefined, '+49*'],
  ['+1*', undefined, '+1*'],
  ['030*', 'DE', undefined],
  ['+*', undefined, undefined],
  ['+49*30*', undefined, undefined],
];
for (const [text, country, number] of numbers) {
  test(`${JSON.stringify(text)} ${country === undefined ? 'anywhere' : `in ${country}`} is ${number ?? 'no number'}`, () => {
    const key = directoryNumberKey(text, country);
    assert.equal(key && keyText(key), number);
  });
}
