import assert from 'node:assert/strict';
import { test } from 'node:test';
import { standInAnswer } from './stand-in-answer.js';

const offered = [
  'v=0',
  'o=- 1 1 IN IP4 192.0.2.1',
  's=-',
  'c=IN IP4 192.0.2.1',
  't=0 0',
  'm=audio 30000 RTP/SAVP 8 101',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:101 telephone-event/8000',
  'a=sendonly',
  'a=rtcp:30001',
  'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz',
  'm=video 0 RTP/AVP 96',
  '',
].join('\r\n');

test('the stand-in takes every codec on the discard port, and has no key, candidate or address of anybody', () => {
  assert.equal(
    standInAnswer(offered),
    [
      'v=0',
      'o=- 0 0 IN IP4 127.0.0.1',
      's=-',
      'c=IN IP4 127.0.0.1',
      't=0 0',
      'm=audio 9 RTP/SAVP 8 101',
      'a=rtpmap:8 PCMA/8000',
      'a=rtpmap:101 telephone-event/8000',
      'm=video 0 RTP/AVP 96',
      '',
    ].join('\r\n'),
  );
});

test('it speaks the address family of the offer', () => {
  assert.match(standInAnswer(offered.replaceAll('IP4 192.0.2.1', 'IP6 2001:db8::1')), /^c=IN IP6 ::1\r$/m);
});
