import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SiprecError, type SiprecErrorCode } from '../siprec-error.js';
import { crypto, exampleOffer } from '../testing/example-recording.js';
import { expectSiprecError } from '../testing/expect-siprec-error.js';
import { packageFile } from '../testing/package-file.js';
import { type AnswerOptions, validateAnswer } from './answer-validation.js';

const offer = exampleOffer();
const stream = (port: number, key: number) => [
  `m=audio ${port} RTP/SAVP 0 8 101`,
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:101 telephone-event/8000',
  'a=fmtp:101 0-15',
  `a=crypto:${crypto(key)}`,
  'a=recvonly',
  'a=ptime:20',
];
const head = ['v=0', 'o=srs 9 9 IN IP4 198.51.100.7', 's=srs', 'c=IN IP4 198.51.100.7', 't=0 0'];
const good = `${[...head, ...stream(34372, 11), 'a=label:1', ...stream(53592, 12)].join('\r\n')}\r\n`;
const validate = (sdp: string, options?: AnswerOptions) =>
  validateAnswer(offer, 'application/sdp', Buffer.from(sdp), options);
/** Changes the second stream of the good answer, so that the first one cannot hide a check. */
const second = (from: string | RegExp, to: string) => {
  const at = good.lastIndexOf('m=audio');
  const changed = good.slice(at).replace(from, to);
  assert.notEqual(changed, good.slice(at));
  return good.slice(0, at) + changed;
};
const relayed = (port: number, key: number, label: string, payloadTypes = '0 8 101') => [
  `m=audio ${port} RTP/SAVP ${payloadTypes}`,
  'c=IN IP4 198.51.100.7',
  ...['0 PCMU/8000', '8 PCMA/8000', '101 telephone-event/8000']
    .filter((line) => payloadTypes.split(' ').includes(line.split(' ')[0] ?? ''))
    .map((line) => `a=rtpmap:${line}`),
  'a=recvonly',
  `a=crypto:${crypto(key)}`,
  `a=label:${label}`,
];
const relayHead = ['v=0', 'o=- 9 9 IN IP4 0.0.0.0', 's=-', 'c=IN IP4 0.0.0.0', 't=0 0'];
const text = (...lines: string[]) => `${lines.join('\r\n')}\r\n`;

test('a good answer is accepted and rewritten with nothing but what was checked', () => {
  const answer = validate(good);
  assert.equal(answer.sdp, text(...relayHead, ...relayed(34372, 11, 'inbound'), ...relayed(53592, 12, 'outbound')));
  assert.deepEqual(answer.streams[0], {
    label: 'inbound',
    answeredLabel: '1',
    accepted: true,
    direction: 'recvonly',
    payloadTypes: [0, 8, 101],
    address: '198.51.100.7',
    port: 34372,
    rtcpPort: 34373,
    cryptoTag: 1,
  });
});

test('the SDP is found in a multipart answer', () => {
  const body = `--b\r\nContent-Type: application/rs-metadata+xml\r\n\r\n<x/>\r\n--b\r\nContent-Type: Application/SDP\r\n\r\n${good}\r\n--b--\r\n`;
  assert.deepEqual(validateAnswer(offer, 'multipart/mixed; boundary=b', Buffer.from(body)), validate(good));
});

test('bare LF, a blank first line and IPv6 are read', () => {
  assert.deepEqual(validate(`\n${good.replaceAll('\r\n', '\n')}`), validate(good));
  const six = validate(good.replace('c=IN IP4 198.51.100.7', 'c=IN IP6 2001:db8::7'));
  assert.ok(six.sdp.includes('c=IN IP6 2001:db8::7'));
});

const refused: readonly [why: string, code: SiprecErrorCode, sdp: string][] = [
  ['RTP/AVP', 'answer-not-encrypted', second('RTP/SAVP', 'RTP/AVP')],
  [
    'RTP/AVP without crypto',
    'answer-not-encrypted',
    second('RTP/SAVP', 'RTP/AVP').replace(/a=crypto[^\r]*\r\n(?=a=recvonly\r\na=ptime:20\r\n$)/, ''),
  ],
  ['UDP/TLS/RTP/SAVP, whose keys were not offered', 'answer-not-encrypted', second('RTP/SAVP', 'UDP/TLS/RTP/SAVP')],
  ['no crypto', 'answer-crypto-missing', second(/a=crypto.*\r\n/, '')],
  [
    'a crypto of the session only',
    'answer-crypto-missing',
    second(/a=crypto.*\r\n/, '').replace('t=0 0', `t=0 0\r\na=crypto:${crypto(9)}`),
  ],
  ['two cryptos', 'answer-crypto-several', second('a=recvonly', `a=crypto:${crypto(13, 2)}\r\na=recvonly`)],
  ['another suite', 'answer-crypto-suite', second('SHA1_80', 'SHA1_32')],
  ['a suite that looks like a number', 'answer-crypto-suite', second('AES_CM_128_HMAC_SHA1_80', '80')],
  ['an address that looks like a number', 'answer-address', good.replace('c=IN IP4 198.51.100.7', 'c=IN IP4 7')],
  ['a protocol that looks like a number', 'answer-not-encrypted', second('RTP/SAVP', '5')],
  ['another tag', 'answer-crypto-tag', second('a=crypto:1', 'a=crypto:2')],
  ['no tag', 'answer-crypto-tag', second('a=crypto:1', 'a=crypto:')],
  ['a short key', 'answer-crypto-key', second(/inline:\S+/, `inline:${Buffer.alloc(29, 3).toString('base64')}`)],
  ['a long key', 'answer-crypto-key', second(/inline:\S+/, `inline:${Buffer.alloc(33, 3).toString('base64')}`)],
  ['two keys', 'answer-crypto-key', second(/(inline:\S+)/, '$1;$1')],
  ['our own key', 'answer-crypto-key', second(/inline:\S+/, `inline:${Buffer.alloc(30, 1).toString('base64')}`)],
  ['UNENCRYPTED_SRTP', 'answer-crypto-session-parameter', second(/(inline:\S+)/, '$1 UNENCRYPTED_SRTP')],
  [
    'a later session parameter',
    'answer-crypto-session-parameter',
    second(/(inline:\S+)/, '$1 WSH=64 UNENCRYPTED_SRTP'),
  ],
  ['one m-line', 'answer-stream-count', good.slice(0, good.lastIndexOf('m=audio'))],
  ['three m-lines', 'answer-stream-count', good + good.slice(good.lastIndexOf('m=audio'))],
  ['no m-line', 'answer-stream-count', text(...head)],
  ['video', 'answer-media-type', second('m=audio', 'm=video')],
  ['every stream refused', 'answer-all-refused', good.replaceAll(/m=audio \d+/g, 'm=audio 0')],
  ['only codecs that were not offered', 'answer-codec', second('0 8 101', '9 18 101')],
  ['only telephone-event', 'answer-codec', second('0 8 101', '101')],
  ['an offered number that means something else', 'answer-codec', second('0 8 101', '0').replaceAll('PCMU', 'G729')],
  ['sendonly', 'answer-direction', second('recvonly', 'sendonly')],
  ['a port beyond 65535', 'answer-port', second('53592', '99999')],
  ['a host name as address', 'answer-address', good.replace('c=IN IP4 198.51.100.7', 'c=IN IP4 srs.example')],
  ['no address', 'answer-address', good.replace('c=IN IP4 198.51.100.7\r\n', '')],
  ['a broken m-line', 'answer-not-sdp', second('m=audio 53592', 'm=audio 53592/2')],
  ['no SDP inside', 'answer-not-sdp', '<html/>'],
  ['no body', 'answer-not-sdp', ''],
];
for (const [why, code, sdp] of refused) {
  test(`refused: ${why}`, () => {
    const { message, clause } = expectSiprecError(code, () => validate(sdp));
    assert.match(clause ?? '', /^RFC /);
    assert.doesNotMatch(message, /[A-Za-z0-9+/]{38}/);
  });
}

test('refused: an answer without SDP', () => {
  expectSiprecError('answer-without-sdp', () => validateAnswer(offer, 'text/plain', Buffer.from(good)));
  expectSiprecError('answer-without-sdp', () => validateAnswer(offer, '', Buffer.alloc(0)));
});

test('RFC 7866 §8.3: port 0 refuses one stream, the other is used', () => {
  const answer = validate(second('m=audio 53592', 'm=audio 0'));
  assert.deepEqual(answer.streams[1], { label: 'outbound', accepted: false });
  assert.equal(answer.sdp, text(...relayHead, ...relayed(34372, 11, 'inbound'), 'm=audio 0 RTP/SAVP 0 8 101'));
});

test('RFC 7866 §7.2: an inactive recorder waits; on request the relay gets port 0 for it', () => {
  for (const sdp of [second('a=recvonly', 'a=inactive'), second('a=rtpmap:0', 'c=IN IP4 0.0.0.0\r\na=rtpmap:0')]) {
    const { streams } = validate(sdp);
    assert.deepEqual(
      streams.map((each) => each.accepted && each.direction),
      ['recvonly', 'inactive'],
    );
  }
  const waiting = second('a=recvonly', 'a=inactive');
  assert.equal(validate(waiting).sdp.match(/a=inactive/g)?.length, 1);
  const { sdp } = validate(waiting, { inactiveAsPortZero: true });
  assert.ok(sdp.endsWith('m=audio 0 RTP/SAVP 0 8 101\r\n'), sdp);
});

for (const [what, file, answer] of [
  ['both streams', 'relay-answer.sdp', good],
  ['one stream refused', 'relay-answer-one-refused.sdp', second('m=audio 53592', 'm=audio 0')],
  ['both inactive', 'relay-answer-inactive.sdp', good.replaceAll('a=recvonly', 'a=inactive')],
] as const) {
  test(`RFC 4566 §5.7: the relay's SDP has an address for every line: ${what}`, () => {
    assert.equal(validate(answer, { inactiveAsPortZero: true }).sdp, packageFile(`golden/${file}`));
  });
}

test('RFC 3264 §6.1: an inactive offer has no active answer', () => {
  const paused = exampleOffer({ direction: 'inactive' });
  const { streams } = validateAnswer(paused, 'application/sdp', Buffer.from(good));
  assert.deepEqual(
    streams.map((each) => each.accepted && each.direction),
    ['inactive', 'inactive'],
  );
});

test('a recorder that says sendrecv or nothing is meant to receive; a direction of the session counts', () => {
  for (const lenient of [good.replaceAll('a=recvonly', 'a=sendrecv'), good.replaceAll('a=recvonly\r\n', '')]) {
    assert.deepEqual(validate(lenient), validate(good));
  }
  const session = good.replaceAll('a=recvonly\r\n', '').replace('t=0 0', 't=0 0\r\na=inactive');
  assert.equal(validate(session).sdp.match(/a=inactive/g)?.length, 2);
});

test('a subset of the codecs is kept in its order, and what was not offered is left out', () => {
  assert.ok(validate(second('0 8 101', '8')).sdp.endsWith(text(...relayed(53592, 12, 'outbound', '8'))));
  assert.ok(validate(second('0 8 101', '0 9 18')).sdp.endsWith(text(...relayed(53592, 12, 'outbound', '0'))));
  const remapped = validate(second('a=rtpmap:101 telephone-event/8000', 'a=rtpmap:101 opus/48000/2'));
  assert.ok(remapped.sdp.endsWith(text(...relayed(53592, 12, 'outbound', '0 8'))));
});

test('the feedback profile is answered in the one that was offered', () => {
  assert.deepEqual(validate(second('RTP/SAVP', 'RTP/SAVPF')), validate(good));
});

test('lifetime, MKI and an RTCP port of its own reach the relay', () => {
  const { sdp, streams } = validate(second(/(inline:\S+)/, '$1|2^20|1:4\r\na=rtcp:40001'));
  assert.ok(sdp.includes(`a=crypto:${crypto(12)}|2^20|1:4\r\n`));
  assert.ok(sdp.includes('a=rtcp:40001\r\n'));
  assert.equal(streams[1]?.accepted && streams[1].rtcpPort, 40001);
});

test('an accepted answer never lets anything unencrypted through, whatever is done to it', () => {
  const mutation = fc.record({
    at: fc.nat(good.length),
    length: fc.nat(30),
    insert: fc.oneof(
      fc.string({ maxLength: 8 }),
      fc.constantFrom('\r\n', 'RTP/AVP', 'a=inactive', '0', ' ', 'a=crypto:1 X inline:y'),
    ),
  });
  const property = fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
    const sdp = mutations.reduce(
      (before, { at, length, insert }) => before.slice(0, at) + insert + before.slice(at + length),
      good,
    );
    try {
      const answer = validate(sdp);
      const sections = answer.sdp.split(/^m=/m).slice(1);
      assert.equal(sections.length, 2);
      for (const section of sections) {
        assert.match(section, /^audio \d+ RTP\/SAVP /);
        if (!section.startsWith('audio 0 ')) {
          assert.equal(section.match(/^a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:[A-Za-z0-9+/]{40}/gm)?.length, 1);
        }
      }
    } catch (error) {
      assert.ok(error instanceof SiprecError, String(error));
    }
  });
  fc.assert(property, { numRuns: 2000 });
});
