import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EmergencyNumbers } from './emergency-numbers.js';

const numbers = new EmergencyNumbers(['112', '911']);

for (const [user, requestUri, emergency] of [
  ['112', 'sip:112@sbc', true],
  ['1-1-2', 'sip:1-1-2@sbc', true],
  ['sos', 'urn:service:sos', true],
  ['', 'urn:service:sos.ambulance', true],
  ['+49112', 'sip:+49112@sbc', false],
  ['1120', 'sip:1120@sbc', false],
  ['', 'sip:sbc', false],
  ['', 'urn:service:sosban', false],
] as const) {
  test(`'${user}' at ${requestUri} is ${emergency ? 'an' : 'no'} emergency call`, () => {
    assert.equal(numbers.called(user, requestUri), emergency);
  });
}
