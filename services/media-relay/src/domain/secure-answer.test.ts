import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SidestreamError } from '@sidestream/service';
import fc from 'fast-check';
import { secureAnswer } from './secure-answer.js';

const key = 'A'.repeat(40);
const head = ['v=0', 'o=r 1 1 IN IP4 192.0.2.1', 's=r', 'c=IN IP4 192.0.2.1', 't=0 0'];
const good = (port: number) => [
  `m=audio ${port} RTP/SAVP 0 8 101`,
  'a=rtpmap:101 telephone-event/8000',
  `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${key}`,
  'a=recvonly',
];
const sdp = (...lines: readonly (readonly string[])[]) => [...lines.flat(), ''].join('\r\n');
const two = [undefined, undefined];

function unusable(pattern: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof SidestreamError);
    assert.equal(error.code, 'recorder-answer-unusable');
    assert.match(error.message, pattern);
    return true;
  };
}

test('a secure answer passes as it is', () => {
  const answer = sdp(head, good(4000), good(4002));
  assert.equal(secureAnswer(answer, two), answer);
  assert.equal(secureAnswer(answer.replaceAll('\r\n', '\n'), two), answer);
});

for (const [what, pattern, line] of [
  ['RTP/AVP', /media line 2 is not audio over RTP\/SAVP/, ['m=audio 4002 RTP/AVP 0']],
  ['RTP/AVP with a key', /media line 2/, ['m=audio 4002 RTP/AVP 0', ...good(1).slice(1)]],
  ['RTP/SAVPF', /media line 2/, ['m=audio 4002 RTP/SAVPF 0', ...good(1).slice(1)]],
  ['no key', /a=crypto/, ['m=audio 4002 RTP/SAVP 0', 'a=recvonly']],
  ['two keys', /a=crypto/, [...good(4002), `a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:${key}`]],
  ['another suite', /a=crypto/, ['m=audio 4002 RTP/SAVP 0', `a=crypto:1 NULL_HMAC_SHA1_80 inline:${key}`]],
  ['another tag', /a=crypto/, ['m=audio 4002 RTP/SAVP 0', `a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:${key}`]],
  ['a session parameter', /a=crypto/, [...good(4002).slice(0, 2), `${good(1)[2]} UNENCRYPTED_SRTP`]],
  ['a short key', /a=crypto/, ['m=audio 4002 RTP/SAVP 0', 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:QUJD']],
  ['video', /media line 2 is not audio/, ['m=video 4002 RTP/SAVP 96', ...good(1).slice(1)]],
  ['a port out of range', /media line 2/, ['m=audio 70000 RTP/SAVP 0', ...good(1).slice(1)]],
  ['a lone CR', /SDP lines/, [...good(4002), 'a=x:\rm=audio 9 RTP/AVP 0']],
  ['a line that is none', /SDP lines/, [...good(4002), ' m=audio 9 RTP/AVP 0']],
  ['a third media line', /3 media lines where 2/, [...good(4002), ...good(4004)]],
  ['one media line less', /1 media lines where 2/, []],
] as const) {
  test(`${what} is refused, whatever the other line says`, () => {
    assert.throws(() => secureAnswer(sdp(head, good(4000), line), two), unusable(pattern));
  });
}

test('no address, no media, too much: refused', () => {
  const homeless = head.filter((line) => !line.startsWith('c='));
  assert.throws(() => secureAnswer(sdp(homeless, good(4000), good(4002)), two), unusable(/no address/));
  assert.throws(() => secureAnswer(sdp(head), two), unusable(/no media line/));
  assert.throws(() => secureAnswer('', two), unusable(/SDP lines/));
  assert.throws(() => secureAnswer(sdp(head, Array(300).fill('a=x')), two), unusable(/too long/));
});

test('an error never holds the key', () => {
  assert.throws(
    () => secureAnswer(sdp(head, good(4000), ['m=audio 1 RTP/AVP 0', `a=crypto:1 X inline:${key}`]), two),
    (error: Error) => !error.message.includes(key),
  );
});

test('a refused line passes without a key', () => {
  assert.match(secureAnswer(sdp(head, good(4000), ['m=audio 0 RTP/AVP 0']), two), /m=audio 0 RTP\/AVP 0\r\n$/);
});

test('what nobody offered is left out: DTLS, ICE, rtcp-mux', () => {
  const extra = ['a=fingerprint:sha-256 AA', 'a=setup:active', 'a=ice-ufrag:x', 'a=candidate:1', 'a=rtcp-mux'];
  const plain = sdp(head, good(4000), good(4002));
  assert.equal(secureAnswer(sdp(head, extra, good(4000), extra, good(4002), extra), two), plain);
});

for (const direction of ['inactive', 'sendonly']) {
  test(`rtpengine ignores a=${direction}: such a line gets port 0, also when the session says so`, () => {
    const [media = '', map = '', crypto = ''] = good(4000);
    assert.match(
      secureAnswer(sdp(head, [media, map, crypto, `a=${direction}`], good(4002)), two),
      /m=audio 0 RTP\/SAVP 0 8 101\r\nm=audio 4002/,
    );
    const whole = secureAnswer(sdp(head, [`a=${direction}`], [media, map, crypto], good(4002)), two);
    assert.match(whole, /m=audio 0 RTP\/SAVP 0 8 101\r\nm=audio 4002/);
  });
}

test('RFC 4566 §5.7: an answer whose lines take no media still has an address for the engine', () => {
  const homeless = head.filter((line) => !line.startsWith('c='));
  const off = ['m=audio 0 RTP/SAVP 0'];
  assert.equal(
    secureAnswer(sdp(homeless, off, [...off, 'c=IN IP4 0.0.0.0']), two),
    sdp([...homeless.slice(0, 3), 'c=IN IP4 0.0.0.0', 't=0 0'], off, off),
  );
  const own = [good(4000)[0] ?? '', 'c=IN IP4 192.0.2.1', ...good(4000).slice(1)];
  assert.match(secureAnswer(sdp(homeless, own, off), two), /s=r\r\nc=IN IP4 0\.0\.0\.0\r\nt=0 0\r\nm=audio 4000/);
});

test("the engine's other lines are refused in their places", () => {
  const video = 'm=video 0 RTP/SAVP 96';
  const answer = secureAnswer(sdp(head, good(4000), good(4002)), [undefined, video, undefined, video]);
  assert.deepEqual(
    answer.split('\r\n').filter((line) => line.startsWith('m=')),
    ['m=audio 4000 RTP/SAVP 0 8 101', video, 'm=audio 4002 RTP/SAVP 0 8 101', video],
  );
});

test('whatever passes has a key on every line that takes media', () => {
  const lines = fc.array(
    fc.oneof(
      fc.constantFrom(...head, ...good(4000), 'm=audio 4002 RTP/AVP 0', 'm=audio 0 RTP/SAVP 0', 'a=inactive', ''),
      fc.string({ maxLength: 20 }),
    ),
    { maxLength: 20 },
  );
  const separator = fc.constantFrom('\r\n', '\n', '\r', '\n\r');
  fc.assert(
    fc.property(lines, separator, fc.integer({ min: 0, max: 3 }), (body, between, streams) => {
      const offered = Array<undefined>(streams).fill(undefined);
      let passed: string;
      try {
        passed = secureAnswer(body.join(between), offered);
      } catch (error) {
        assert.ok(error instanceof SidestreamError);
        return;
      }
      for (const section of passed.split(/^(?=m=)/m).slice(1)) {
        if (!section.startsWith('m=audio 0 '))
          assert.match(section, /^m=audio \d+ RTP\/SAVP [\s\S]*^a=crypto:1 AES_CM/m);
      }
    }),
    { numRuns: 500 },
  );
});
