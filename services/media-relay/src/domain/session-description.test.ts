import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SidestreamError } from '@sidestream/service';
import fc from 'fast-check';
import { PartyDescription } from './party-description.js';
import { readDescription } from './session-description.js';

const head = ['v=0', 'o=pbx 77 3 IN IP4 10.1.2.3', 's=Acme PBX 9.1', 'c=IN IP4 10.1.2.3', 't=0 0'];
const audio = ['m=audio 4000 RTP/AVP 0 101', 'a=rtpmap:101 telephone-event/8000', 'a=sendrecv'];
const key = 'inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';

function sdp(...lines: readonly string[]): string {
  return [...head, ...lines, ''].join('\r\n');
}

function refusal(text: RegExp) {
  return { code: 'not-acceptable-here', message: text };
}

describe('what is read of a description', () => {
  test('one audio stream, and what refuses everything else in its order (RFC 3264 §6)', () => {
    const text = ['m=text 5000 RTP/AVP 98'];
    const video = ['m=video 6000 RTP/AVP 31', 'a=rtpmap:31 H261/90000'];
    const { sdp: heard, layout } = readDescription(
      sdp(...text, ...audio, ...video, 'm=audio 4002 RTP/AVP 8', 'm=application 9 TCP/BFCP *'),
    );
    assert.deepEqual(layout, [
      'm=text 0 RTP/AVP 98',
      undefined,
      'm=video 0 RTP/AVP 31',
      'm=audio 0 RTP/AVP 8',
      'm=application 0 TCP/BFCP *',
    ]);
    assert.deepEqual(heard.match(/^m=.*$/gm), ['m=audio 4000 RTP/AVP 0 101']);
    assert.match(heard, /^a=rtpmap:101 telephone-event\/8000\r$/m);
  });

  test('a fax beside the audio is refused in its place; a fax alone, or instead of it, is not acceptable here', () => {
    const fax = 'm=image 4100 udptl t38';
    assert.deepEqual(readDescription(sdp(...audio, fax)).layout, [undefined, 'm=image 0 udptl t38']);
    assert.throws(() => readDescription(sdp(fax)), refusal(/m=image udptl is not relayed/));
    assert.throws(
      () => readDescription(sdp('m=audio 0 RTP/AVP 0', fax)),
      refusal(/m=audio RTP\/AVP is switched off; m=image udptl is not relayed/),
    );
  });

  test('ICE and BUNDLE are answered plainly: nothing of them reaches the engine', () => {
    const offer = [...head, 'a=group:BUNDLE 0', 'a=msid-semantic: WMS', 'a=ice-options:trickle', 'a=sendonly'];
    const media = ['a=mid:0', 'a=ice-ufrag:x', 'a=ice-pwd:y', 'a=candidate:1 1 udp 1 10.1.2.3 4000 typ host'];
    const { sdp: heard } = readDescription(
      [...offer, ...audio.slice(0, 2), ...media, 'a=ssrc:1 cname:x', ''].join('\n'),
    );
    assert.deepEqual(heard.split('\r\n'), [
      ...['v=0', 'o=pbx 77 3 IN IP4 10.1.2.3', 's=-', 'c=IN IP4 10.1.2.3', 't=0 0', 'a=sendonly'],
      ...audio.slice(0, 2),
      '',
    ]);
  });

  test('keys by DTLS alone are refused, and the text says what is taken', () => {
    const dtls = ['m=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=fingerprint:sha-256 00:11', 'a=setup:actpass'];
    assert.throws(() => readDescription(sdp(...dtls)), refusal(/neither RTP nor SRTP with SDES keys \(RFC 4568\)/));
  });

  test('RFC 4568: a suite that neither encrypts nor authenticates is no suite', () => {
    const secure = (...cryptos: string[]) => sdp('m=audio 4000 RTP/SAVP 0', ...cryptos.map((one) => `a=crypto:${one}`));
    const good = `2 AES_CM_128_HMAC_SHA1_80 ${key}`;
    for (const bad of [`1 NULL_HMAC_SHA1_80 ${key}`, `1 F8_128_HMAC_SHA1_80 ${key}`, `${good} UNENCRYPTED_SRTP`]) {
      assert.throws(() => readDescription(secure(bad)), refusal(/no usable a=crypto/));
      assert.deepEqual(readDescription(secure(bad, good)).sdp.match(/^a=crypto:.*$/gm), [`a=crypto:${good}`]);
    }
  });

  test('what is too long, has too many lines or is no description is refused in so many words', () => {
    assert.throws(
      () => readDescription(sdp(...audio, `a=x:${'y'.repeat(16_384)}`)),
      refusal(/bytes, the most that is taken/),
    );
    assert.throws(() => readDescription(sdp(...Array(33).fill(audio[0]))), refusal(/33 media lines, the most/));
    assert.throws(() => readDescription('<xml/>'), refusal(/does not begin with v=0/));
    assert.throws(() => readDescription(sdp()), refusal(/no media line/));
    assert.throws(() => readDescription(sdp('m=audio 70000 RTP/AVP 0')), refusal(/neither RTP nor SRTP/));
  });
});

test('whatever comes is refused in so many words, or becomes one audio stream', () => {
  const line = fc.oneof(
    fc.constantFrom(...head, ...audio, 'm=video 9 RTP/AVP 31', `a=crypto:1 AES_CM_128_HMAC_SHA1_80 ${key}`, 'a=mid:0'),
    fc.string().map((text) => `a=${text}`),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
      try {
        const { sdp: heard, layout } = readDescription(['v=0', ...lines].join('\r\n'));
        assert.equal(heard.match(/^m=/gm)?.length, 1);
        assert.equal(layout.filter((refusal) => refusal === undefined).length, 1);
      } catch (error) {
        assert.ok(error instanceof SidestreamError && error.code === 'not-acceptable-here');
      }
    }),
  );
});

describe('what a party is given', () => {
  const engine = ['v=0', 'o=acme 5 1 IN IP4 192.0.2.1', 's=Acme', 't=0 0', 'm=audio 30000 RTP/AVP 0'];
  const given = [...engine, 'c=IN IP4 192.0.2.1', 'a=sendrecv', ''].join('\r\n');

  test('its own lines in their order, an address for each of them, and no word of the other party', () => {
    const party = new PartyDescription();
    party.offers(['m=video 0 RTP/AVP 31', undefined]);
    const [version, origin, ...rest] = party.describe(given).split('\r\n');
    assert.equal(version, 'v=0');
    assert.match(origin ?? '', /^o=- \d+ 1 IN IP4 192\.0\.2\.1$/);
    assert.deepEqual(rest, [
      ...['s=-', 'c=IN IP4 192.0.2.1', 't=0 0'],
      ...['m=video 0 RTP/AVP 31', 'm=audio 30000 RTP/AVP 0', 'a=sendrecv', ''],
    ]);
  });

  test('RFC 3264 §8: the version counts changes, whoever the audio comes from', () => {
    const party = new PartyDescription();
    const origin = (text: string) => /^o=- (\d+) (\d+) /m.exec(party.describe(text))?.slice(1) ?? [];
    const [id, first] = origin(given);
    assert.equal(first, '1');
    assert.deepEqual(origin(given.replace('o=acme 5 1', 'o=other 9 9')), [id, '1']);
    assert.deepEqual(origin(given.replace('sendrecv', 'inactive')), [id, '2']);
    assert.deepEqual(origin(given), [id, '3']);
  });
});
