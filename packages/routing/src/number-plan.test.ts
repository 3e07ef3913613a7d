import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trunkSchema } from '@sidestream/service';
import fc from 'fast-check';
import { NumberPlan, plainNumber } from './number-plan.js';

const plan = (numbers: object) =>
  new NumberPlan(
    trunkSchema.parse({ tenant: 't', side: 'seller', targets: ['sip:a'], routes: [{ to: 'a' }], numbers }).numbers,
  );

for (const [what, numbers, dialled, expected] of [
  ['without a plan a number stays', {}, '030901820', ['030901820', undefined]],
  ['an international number needs no plan', {}, '0049 30 901820', ['0049 30 901820', '+4930901820']],
  [
    'a national number has the country of the plan',
    { defaultCountry: 'DE' },
    '030901820',
    ['030901820', '+4930901820'],
  ],
  ['an extension has none', { defaultCountry: 'DE' }, '4711', ['4711', undefined]],
  [
    'an outside line is taken off',
    { defaultCountry: 'DE', incoming: { strip: '0' } },
    '0030901820',
    ['030901820', '+4930901820'],
  ],
  ['but not where it is all there is', { incoming: { strip: '0' } }, '0', ['0', undefined]],
  ['a direct dial-in gets its stem', { incoming: { prefix: '+4930901' } }, '820', ['+4930901820', '+4930901820']],
  [
    'which an international number does not',
    { incoming: { prefix: '+4930901' } },
    '+15550001',
    ['+15550001', '+15550001'],
  ],
  ['the name of a user is no number', { incoming: { strip: '0', prefix: '+49' } }, 'ada', ['ada', undefined]],
] as const) {
  test(`called: ${what}`, () => {
    const number = plan(numbers).called(dialled);
    assert.deepEqual([number.dialled, number.international], expected);
  });
}

for (const [format, country, called, expected] of [
  ['as-is', 'DE', '030 901820', '030 901820'],
  ['e164', 'DE', '030 901820', '+4930901820'],
  ['digits', 'DE', '030 901820', '4930901820'],
  ['national', 'DE', '+4930901820', '030901820'],
  ['national', 'DE', '+14255550123', '0014255550123'],
  ['national', 'US', '+14255550123', '4255550123'],
  ['national', 'US', '+4930901820', '0114930901820'],
  ['national', 'IT', '+390612345678', '0612345678'],
  ['e164', 'DE', '4711', '4711'],
] as const) {
  test(`${called} goes out ${format} in ${country} as ${expected}`, () => {
    const numbers = plan({ defaultCountry: country, outgoing: { format } });
    assert.equal(numbers.outgoing(numbers.called(called)), expected);
  });
}

test('only called numbers get the prefix of the far side, and names do not', () => {
  const numbers = plan({ outgoing: { format: 'digits', prefix: '77#' } });
  assert.equal(numbers.outgoingCalled(numbers.called('+4930901820')), '77#4930901820');
  assert.equal(numbers.outgoing(numbers.calling('+4930901820')), '4930901820');
  assert.equal(numbers.outgoingCalled(numbers.called('ada')), 'ada');
});

test('a # goes into a URI and comes out of it; what is no number is left alone', () => {
  assert.equal(plainNumber('%2321%23'), '#21#');
  for (const user of ['ada%20b', 'a%2Bb', '%', '%zz', '12%40']) assert.equal(plainNumber(user), user);
});

const country = fc.constantFrom('DE', 'US', 'IT', 'GB', 'FR');
const digits = (min: number, max: number) => fc.stringMatching(new RegExp(`^[0-9]{${min},${max}}$`));

test('whatever anybody dials: no plan throws, and what is known of a number is E.164', () => {
  const anything = fc.oneof(fc.string(), fc.stringMatching(/^[+]?[0-9*#() .-]{0,40}$/));
  fc.assert(
    fc.property(
      anything,
      country,
      digits(0, 4),
      digits(0, 4),
      fc.constantFrom('as-is', 'e164', 'digits', 'national'),
      (dialled, defaultCountry, strip, prefix, format) => {
        const numbers = plan({ defaultCountry, incoming: { strip, prefix }, outgoing: { format } });
        const number = numbers.called(dialled);
        if (number.international !== undefined) assert.match(number.international, /^\+[1-9]\d{1,16}$/);
        assert.equal(typeof numbers.outgoingCalled(number), 'string');
      },
    ),
  );
});

test('a number that goes out national and comes back through the same plan is the same number', () => {
  const national = { DE: '30', US: '425', IT: '06', GB: '20', FR: '1' } as const;
  fc.assert(
    fc.property(
      fc.constantFrom('DE' as const, 'US' as const, 'IT' as const, 'GB' as const, 'FR' as const),
      digits(8, 8),
      (at, rest) => {
        const numbers = plan({ defaultCountry: at, outgoing: { format: 'national' } });
        const length = { DE: 8, US: 7, IT: 8, GB: 8, FR: 8 }[at];
        const code = { DE: '49', US: '1', IT: '39', GB: '44', FR: '33' }[at];
        const international = `+${code}${national[at]}${rest.slice(0, length)}`;
        const out = numbers.outgoing(numbers.called(international));
        assert.match(out, /^\d+$/);
        assert.equal(numbers.called(out).international, international);
      },
    ),
  );
});

test('an emergency number goes out as it is dialled', () => {
  const numbers = plan({ defaultCountry: 'DE', outgoing: { format: 'e164', prefix: '9' } });
  assert.equal(numbers.outgoingCalled({ dialled: '112', international: undefined, emergency: true }), '112');
});
