import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dynamics365, rfc7866 } from './recorder-profile.js';
import { byeHeaders, inviteHeaders, newRecordingCallId, recordingContact } from './recording-headers.js';
import { expectSiprecError } from './testing/expect-siprec-error.js';

test('RFC 7866 §6.1.1: INVITE and BYE require siprec and carry the account', () => {
  const account = { accountId: 'AC0123' };
  const always = [
    ['Require', 'siprec'],
    ['X-AccountId', 'AC0123'],
    ['MIME-Version', '1.0'],
  ];
  assert.deepEqual(byeHeaders(dynamics365, account), always);
  assert.deepEqual(inviteHeaders(dynamics365, account), [
    ...always,
    ['Accept', 'application/sdp, application/rs-metadata+xml'],
    ['Allow', 'INVITE, ACK, CANCEL, OPTIONS, BYE, UPDATE'],
  ]);
});

test('profile rfc7866 has no account', () => {
  assert.deepEqual(byeHeaders(rfc7866, { accountId: '' }), [
    ['Require', 'siprec'],
    ['MIME-Version', '1.0'],
  ]);
});

test('an account id cannot write header fields of its own', () => {
  for (const accountId of ['', 'a\r\nX: y', 'a b', 'é', 'x'.repeat(257)]) {
    expectSiprecError('account-id', () => inviteHeaders(dynamics365, { accountId }));
  }
});

test('RFC 7866 §6.1.1: the feature tag is a parameter of the Contact, not of its URI', () => {
  const at = { scheme: 'sip', user: 'SRC', host: '192.0.2.1', port: 5061 } as const;
  assert.equal(recordingContact(dynamics365, at), '<sip:SRC@192.0.2.1:5061;transport=tls>;+sip.src');
  const six = { ...at, host: '2001:db8::1' };
  assert.equal(recordingContact(dynamics365, six), '<sip:SRC@[2001:db8::1]:5061;transport=tls>;+sip.src');
  assert.equal(recordingContact(rfc7866, at), '<sip:SRC@192.0.2.1:5061>;+sip.src');
  assert.equal(recordingContact(rfc7866, { ...six, scheme: 'sips' }), '<sips:SRC@[2001:db8::1]:5061>;+sip.src');
  for (const [user, host, port] of [
    ['a>', 'h', 5061],
    ['a', 'h;x', 5061],
    ['a', 'h', 0],
  ] as const) {
    expectSiprecError('contact', () => recordingContact(rfc7866, { scheme: 'sip', user, host, port }));
  }
});

test('a Call-ID is 32 lower-case hex digits and new each time', () => {
  const ids = new Set(Array.from({ length: 100 }, newRecordingCallId));
  assert.equal(ids.size, 100);
  for (const id of ids) assert.match(id, /^[0-9a-f]{32}$/);
});
