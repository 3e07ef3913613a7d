import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Headers } from '../message/headers.js';
import { SipError } from '../sip-error.js';
import {
  formatSessionExpires,
  minSeIn,
  parseSessionExpires,
  type SessionExpires,
  sessionExpiresIn,
} from './session-expires.js';

test('RFC 4028 §4: seconds, a refresher, other parameters; what is written is read back', () => {
  assert.deepEqual(parseSessionExpires('1800'), { seconds: 1800 });
  assert.deepEqual(parseSessionExpires('90 ; x=y;REFRESHER = UAS'), { seconds: 90, refresher: 'uas' });
  const value: fc.Arbitrary<SessionExpires> = fc.record(
    { seconds: fc.integer({ min: 0, max: 2 ** 32 - 1 }), refresher: fc.constantFrom('uac' as const, 'uas' as const) },
    { requiredKeys: ['seconds'], noNullPrototype: true },
  );
  fc.assert(fc.property(value, (one) => assert.deepEqual(parseSessionExpires(formatSessionExpires(one)), one)));
});

test('Session-Expires that is none is malformed', () => {
  for (const bad of [
    '',
    'x',
    '-1',
    '1.5',
    '90;refresher',
    '90;refresher=me',
    '90 90',
    '4294967296',
    '90;;',
    '90;a=1;a=2',
  ]) {
    assert.throws(
      () => parseSessionExpires(bad),
      (error) => error instanceof SipError && error.code === 'malformed',
      bad,
    );
  }
});

test('RFC 4028 §4 and §5: the compact form is found; Min-SE is 90 without the header and never less', () => {
  assert.deepEqual(sessionExpiresIn({ headers: new Headers([['x', '91;refresher=uac']]) }), {
    seconds: 91,
    refresher: 'uac',
  });
  assert.equal(sessionExpiresIn({ headers: new Headers() }), undefined);
  const minSe = (value?: string) => minSeIn({ headers: new Headers(value === undefined ? [] : [['Min-SE', value]]) });
  assert.deepEqual([minSe(), minSe('30'), minSe('120;a=b')], [90, 90, 120]);
  assert.throws(() => minSe('soon'), SipError);
});
