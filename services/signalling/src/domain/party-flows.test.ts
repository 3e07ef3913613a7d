import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partyFlows } from './party-flows.js';

const described = (head: string, audio: string) => {
  const lines = ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', head, 't=0 0', 'm=audio 4000 RTP/AVP 0', audio];
  return `${lines.filter((line) => line !== '').join('\r\n')}\r\n`;
};

for (const [what, sdp, sends, receives] of [
  ['nothing said', described('c=IN IP4 192.0.2.1', ''), true, true],
  ['sendonly', described('c=IN IP4 192.0.2.1', 'a=sendonly'), true, false],
  ['recvonly', described('c=IN IP4 192.0.2.1', 'a=recvonly'), false, true],
  ['inactive', described('c=IN IP4 192.0.2.1', 'a=inactive'), false, false],
  ['inactive session', described('a=inactive', 'c=IN IP4 192.0.2.1'), false, false],
  ['media before session', described('a=inactive', 'a=sendrecv'), true, true],
  ['RFC 2543 hold', described('c=IN IP4 0.0.0.0', ''), true, false],
  ['address of the media', described('c=IN IP4 0.0.0.0', 'c=IN IP4 192.0.2.1'), true, true],
  ['no description', '', true, true],
] as const) {
  test(`RFC 3264 §8.4: ${what}: ${sends ? '' : 'does not send'} ${receives ? '' : 'does not receive'}`.trim(), () => {
    const both = partyFlows({ customer: sdp, seller: described('', '') });
    assert.deepEqual(both, { customer: { sends, receives }, seller: { sends: true, receives: true } });
  });
}
