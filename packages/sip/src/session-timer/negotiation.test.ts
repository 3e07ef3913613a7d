import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Headers } from '../message/headers.js';
import { SipRequest, SipResponse } from '../message/sip-message.js';
import { answerSession, isSessionTooSmall, type SessionTimer, sessionAgreed } from './negotiation.js';
import { formatSessionExpires, parseSessionExpires } from './session-expires.js';

interface Asked {
  readonly se?: string;
  readonly minSe?: string;
  readonly supported?: boolean;
}

function invite({ se, minSe, supported = true }: Asked): SipRequest {
  const headers = new Headers();
  if (supported) headers.append('Supported', '100rel, timer');
  if (se !== undefined) headers.append('Session-Expires', se);
  if (minSe !== undefined) headers.append('Min-SE', minSe);
  return new SipRequest({ method: 'INVITE', uri: 'sip:a@b', headers });
}

/** What the 2xx says, with `!` for Require: timer. */
function said(asked: Asked, wish?: string, running?: SessionTimer): string {
  const answer = answerSession(invite(asked), wish === undefined ? undefined : parseSessionExpires(wish), running);
  if (answer === undefined) return 'no timer';
  assert.equal(answer.timer.weRefresh, answer.sessionExpires.refresher === 'uas');
  assert.equal(answer.timer.seconds, answer.sessionExpires.seconds);
  return formatSessionExpires(answer.sessionExpires) + (answer.requireTimer ? '!' : '');
}

test('RFC 4028 §9, table 2: who refreshes', () => {
  assert.equal(said({ se: '1800', supported: false }), '1800;refresher=uas');
  assert.equal(said({ se: '1800' }), '1800;refresher=uac!');
  assert.equal(said({ se: '1800' }, '1800;refresher=uas'), '1800;refresher=uas!');
  assert.equal(said({ se: '1800;refresher=uac' }, '1800;refresher=uas'), '1800;refresher=uac!');
  assert.equal(said({ se: '1800;refresher=uas' }), '1800;refresher=uas!');
});

test('RFC 4028 §9: the server may lower the interval to Min-SE or 90, and never raises it', () => {
  assert.equal(said({ se: '1800' }, '600'), '600;refresher=uac!');
  assert.equal(said({ se: '1800' }, '3600'), '1800;refresher=uac!');
  assert.equal(said({ se: '1800' }, '30'), '90;refresher=uac!');
  assert.equal(said({ se: '1800', minSe: '900' }, '600'), '900;refresher=uac!');
});

test('RFC 4028 §9: without Session-Expires in the request the server may ask for a timer, or leave a running one on', () => {
  assert.equal(said({}), 'no timer');
  assert.equal(said({}, '1800'), '1800;refresher=uas!');
  assert.equal(said({ minSe: '900' }, '600;refresher=uac'), '900;refresher=uac!');
  assert.equal(said({}, undefined, { seconds: 1800, weRefresh: false }), '1800;refresher=uac!');
  assert.equal(said({}, undefined, { seconds: 1800, weRefresh: true }), '1800;refresher=uas!');
  assert.equal(said({ supported: false }, undefined, { seconds: 1800, weRefresh: true }), 'no timer');
  assert.equal(said({ supported: false }, '1800;refresher=uac'), '1800;refresher=uas');
});

test('RFC 4028 §9: too small is 422 for who understands it, no timer for others', () => {
  assert.equal(isSessionTooSmall(invite({ se: '89' })), true);
  assert.equal(isSessionTooSmall(invite({ se: '90' })), false);
  assert.equal(isSessionTooSmall(invite({ se: '90' }), 120), true);
  assert.equal(isSessionTooSmall(invite({})), false);
  assert.equal(isSessionTooSmall(invite({ se: '30', supported: false })), false);
  assert.equal(isSessionTooSmall(invite({ se: '30;refresher=uac', supported: false })), true);
  assert.equal(said({ se: '30', supported: false }), 'no timer');
});

test('RFC 4028 §7.2: what a 2xx sets, and that a 2xx without Session-Expires ends the timer', () => {
  const agreed = (value?: string) =>
    sessionAgreed(
      new SipResponse({ status: 200, headers: new Headers(value === undefined ? [] : [['Session-Expires', value]]) }),
    );
  assert.deepEqual(agreed('1800;refresher=uac'), { seconds: 1800, weRefresh: true });
  assert.deepEqual(agreed('1800;refresher=uas'), { seconds: 1800, weRefresh: false });
  assert.deepEqual(agreed('1800'), { seconds: 1800, weRefresh: true });
  assert.deepEqual(agreed('10;refresher=uas'), { seconds: 90, weRefresh: false });
  assert.equal(agreed(), undefined);
});
