import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseIdentities } from './identities.js';
import { PolicyError } from './policy-error.js';
import { keyText } from './policy-key.js';

function read(text: string, format: 'csv' | 'json', onError: 'skip' | 'refuse' = 'skip') {
  const { entries, problems } = parseIdentities(text, format, { onError, defaultCountry: 'DE', source: 'identities' });
  const lines = problems.first.map(({ path, message }) => `${path}: ${message}`);
  const users = Object.fromEntries([...entries].map(([user, keys]) => [user, keys.map(keyText)]));
  return { users, lines, count: problems.count };
}

function refusal(text: string, format: 'csv' | 'json', onError: 'skip' | 'refuse' = 'skip'): string {
  try {
    read(text, format, onError);
  } catch (error) {
    assert.ok(error instanceof PolicyError, String(error));
    return error.message;
  }
  return '';
}

const number = 'a telephone number with + or 00, or a whole national one of DE';

test('CSV: several values in a cell, several columns and several rows of a user, by object id or UPN', () => {
  const text = [
    '\ufeffUser,Number,Numbers,Address,Name',
    'Kiana@Contoso.example,030 901820,+49 30 901821|+49 30 901822,sip:kiana@pbx.example,"Anderson, Kiana"',
    '',
    'KIANA@contoso.example,,,4711@pbx.example',
    '"7d9e1f3a-0000-0000-0000-000000000001",+4930*,,*@pbx.example | 47*@pbx.example,',
  ].join('\r\n');
  assert.deepEqual(read(text, 'csv'), {
    users: {
      'kiana@contoso.example': ['+4930901820', '+4930901821', '+4930901822', 'kiana@pbx.example', '4711@pbx.example'],
      '7d9e1f3a-0000-0000-0000-000000000001': ['+4930*', '*@pbx.example', '47*@pbx.example'],
    },
    lines: [],
    count: 0,
  });
});

test('CSV: semicolons and tabs divide where the head line has them', () => {
  for (const delimiter of [';', '\t']) {
    const text = [
      ['user', 'numbers'],
      ['a', '"+49 30 901820"'],
    ]
      .map((cells) => cells.join(delimiter))
      .join('\n');
    assert.deepEqual(read(text, 'csv').users, { a: ['+4930901820'] });
  }
});

const badRows = [
  'user,numbers,addresses',
  'good,+4930901820,',
  'short,4711,',
  ',+4930901821,',
  'empty,,',
  'stray,"+4930901822,',
  'half,+4930901823,nobody',
  'wide,+4930901824,,more',
  'x|y,+4930901825,',
  'also good,,4711@pbx.example',
].join('\n');

test('CSV: every bad row is reported with its line, a stray quotation mark spoils one line; the good ones are used', () => {
  assert.deepEqual(read(badRows, 'csv'), {
    users: { good: ['+4930901820'], 'also good': ['4711@pbx.example'] },
    lines: [
      `line 3: "4711" is not ${number}`,
      'line 4: must name one user',
      'line 5: has neither numbers nor addresses',
      'line 6: a quotation mark has no end, or something stands after it',
      'line 7: "nobody" is not a SIP address user@host',
      'line 8: 4 cells where the head line has 3',
      'line 9: must name one user',
    ],
    count: 7,
  });
});

test('one bad row refuses the file, with all of them, when that is the setting', () => {
  const message = refusal(badRows, 'csv', 'refuse');
  assert.match(message, /^policy identities is not usable\n {2}line 3: /);
  assert.match(message, /line 9: must name one user$/);
  assert.equal(refusal('user,numbers\na,+4930901820', 'csv', 'refuse'), '');
});

test('an unknown column is a problem: a misspelt one would leave sellers out', () => {
  assert.deepEqual(read('user,numbers,adresses\na,+4930901820,x', 'csv').lines, [
    'line 1: there is no column "adresses"',
  ]);
});

test('CSV without a usable head line is refused whatever the setting', () => {
  for (const text of ['', '\n\n', 'a,+4930901820', 'user,name', 'numbers', 'user,user,numbers', '"user']) {
    assert.match(refusal(text, 'csv'), /head line/, text);
  }
});

test('JSON: a list, or an object by user; bad entries are reported with their place', () => {
  const list = JSON.stringify([
    { user: 'Kiana@x', numbers: ['030 901820'], addresses: ['kiana@pbx.example'] },
    { user: 'bad', numbers: [7] },
    { numbers: ['+4930901821'] },
    { user: 'worse', phone: '+4930901822' },
    { user: 'tomas', addresses: ['nobody'] },
  ]);
  const { users, lines } = read(list, 'json');
  assert.deepEqual(users, { 'kiana@x': ['+4930901820', 'kiana@pbx.example'] });
  assert.deepEqual(
    lines.map((line) => line.split(':')[0]),
    ['[1].numbers.0', '[2].user', '[3]', '[4]'],
  );
  const object = '{"Kiana@x": {"numbers": ["+4930901820"]}, "": {"numbers": ["+4930901821"]}}';
  assert.deepEqual(read(object, 'json'), {
    users: { 'kiana@x': ['+4930901820'] },
    lines: ['[""]: names no user'],
    count: 1,
  });
});

test('what is no JSON, or neither list nor object, is refused', () => {
  for (const text of ['', '{', '7', 'null', '"x"']) assert.notEqual(refusal(text, 'json'), '', text);
});

test('problems are bounded, and counted beyond; the text of an error has the first hundred', () => {
  const text = `user,numbers\n${'a,4711\n'.repeat(10_900)}`;
  const { lines, count } = read(text, 'csv');
  assert.deepEqual([lines.length, count], [10_000, 10_900]);
  assert.match(refusal(text, 'csv', 'refuse'), /line 101: .*\n {2}and 10800 more$/);
});

test('hostile text never gets past as anything but problems or a PolicyError', () => {
  const pieces = fc.array(
    fc.constantFrom(
      'user',
      'numbers',
      'addresses',
      ',',
      ';',
      '\t',
      '"',
      '""',
      '\n',
      '\r',
      '|',
      '+4930901820',
      'a@b',
      '*',
      '\ufeff',
    ),
    { maxLength: 60 },
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    pieces.map((list) => list.join('')),
    pieces.map((list) => `user,numbers,addresses\n${list.join('')}`),
    fc.json(),
  );
  fc.assert(
    fc.property(text, fc.constantFrom('csv' as const, 'json' as const), (content, format) => {
      refusal(content, format);
    }),
    { numRuns: 2000 },
  );
});
