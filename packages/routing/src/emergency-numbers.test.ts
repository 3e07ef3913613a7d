import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EmergencyNumbers } from './emergency-numbers.js';

const numbers = new EmergencyNumbers(['112', '911']);

for (const [user, requestUri, dialled] of [
  ['112', 'sip:112@sbc', '112'],
  ['1-1-2', 'sip:1-1-2@sbc', '1-1-2'],
  ['911', 'urn:service:sos', '911'],
  ['sos', 'urn:service:sos', '112'],
  ['', 'urn:service:sos.ambulance', '112'],
  ['+49112', 'sip:+49112@sbc', undefined],
  ['1120', 'sip:1120@sbc', undefined],
  ['', 'sip:sbc', undefined],
  ['', 'urn:service:sosban', undefined],
] as const) {
  test(`'${user}' at ${requestUri} is ${dialled === undefined ? 'no emergency call' : `a call to ${dialled}`}`, () => {
    assert.equal(numbers.dialled(user, requestUri), dialled);
  });
}
