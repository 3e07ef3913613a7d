import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusalAtOnce } from './drachtio-screen.js';

/** An INVITE with a session description, with these headers added or, undefined, left out. */
function invite(headers: Record<string, string | undefined> = {}, body = 'v=0\r\n') {
  const all: Record<string, string | undefined> = {
    Contact: '<sip:a@192.0.2.1>',
    'Content-Type': 'application/sdp',
    ...headers,
  };
  return { isNewInvite: true, body, get: (name: string) => all[name], has: (name: string) => all[name] !== undefined };
}

test('an INVITE is let in with SDP, in any case or in a multipart body, and without a body', () => {
  for (const type of ['application/sdp', 'Application/SDP; charset=utf-8', 'multipart/mixed;boundary=x', undefined])
    assert.equal(refusalAtOnce(invite({ 'Content-Type': type })), undefined, type);
  assert.equal(refusalAtOnce(invite({ 'Content-Type': undefined }, '')), undefined);
});

test('RFC 3261 §8.2.2.3: what is required and not known is named in a 420', () => {
  assert.deepEqual(refusalAtOnce(invite({ Require: '100rel, nothing-we-know,Timer, other' })), {
    status: 420,
    headers: { Unsupported: 'nothing-we-know, other' },
  });
});

test('RFC 3261 §8.2.3: a body of another type is refused with 415, unless it may be overlooked', () => {
  assert.equal(refusalAtOnce(invite({ 'Content-Type': 'application/isup' }))?.status, 415);
  const overlooked = { 'Content-Type': 'application/isup', 'Content-Disposition': 'signal;handling=optional' };
  assert.equal(refusalAtOnce(invite(overlooked)), undefined);
});

test('an INVITE without Contact and a re-INVITE of no dialog of ours are refused', () => {
  assert.equal(refusalAtOnce(invite({ Contact: undefined }))?.status, 400);
  assert.equal(refusalAtOnce({ ...invite(), isNewInvite: false })?.status, 481);
});
