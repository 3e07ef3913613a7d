import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rfc7866 } from '../recorder-profile.js';
import { crypto, exampleOffer } from '../testing/example-recording.js';
import { exampleAnswer } from '../testing/example-request.js';
import { lint } from './lint.js';
import type { LintOptions } from './lint-options.js';

type Change = (text: string) => string;
const swap =
  (from: string | RegExp, to: string): Change =>
  (text) => {
    const changed = text.replace(from, to);
    assert.notEqual(changed, text, `nothing to change: ${from}`);
    return changed;
  };
/** Without the second stream. */
const oneStream: Change = (text) => text.slice(0, text.lastIndexOf('m=audio'));
const found = (change?: Change, options: LintOptions = {}) =>
  lint(exampleAnswer(change), options).findings.map(({ severity, name }) => `${severity} ${name}`);

const offer = exampleOffer();

test("a recorder's 200 is clean, alone and beside the offer", () => {
  for (const options of [{}, { offer }, { profile: rfc7866 }, { profile: rfc7866, offer }]) {
    assert.deepEqual(lint(exampleAnswer(), options), { kind: 'answer', findings: [] });
  }
  assert.deepEqual(found(swap('a=recvonly', 'a=inactive'), { offer }), [], 'RFC 7866 §7.2: not ready yet');
  const inMultipart = swap(
    /Content-Type: application\/sdp\r\n\r\n([\s\S]*)/,
    'Content-Type: multipart/mixed;boundary="b"\r\n\r\n--b\r\nContent-Type: application/sdp\r\n\r\n$1\r\n--b--\r\n',
  );
  assert.deepEqual(found(inMultipart, { offer }), []);
});

/** A changed answer, the one finding that it has without the offer, and where. */
const answers: readonly (readonly [name: string, clause: RegExp, path: RegExp, change: Change])[] = [
  ['header-missing', /3261 §8\.2\.6\.2/, /header Via/, swap(/^Via:.*\r\n/m, '')],
  ['header-malformed', /3261 §12\.1/, /header To/, swap(';tag=theirs', '')],
  ['contact-sip-srs', /7866 §6\.2/, /Contact/, swap('>;+sip.srs', ';+sip.srs>')],
  ['contact-sip-srs', /7866 §6\.2/, /Contact/, swap(/^Contact:.*\r\n/m, '')],
  ['content-length', /3261 §18\.3/, /Content-Length/, swap('Content-Type', 'Content-Length: 7\r\nContent-Type')],
  ['sdp-missing', /3261 §13\.2\.1/, /Content-Type/, swap(/Content-Type[\s\S]*/, '\r\n')],
  ['sdp-malformed', /4566 §5/, /SDP/, swap('s=srs\r\n', '')],
  ['stream-count', /3264 §6/, /SDP/, oneStream],
  ['stream-direction', /7866 §7\.2/, /m-line 1/, swap('a=recvonly', 'a=sendonly')],
  ['stream-direction', /7866 §7\.2/, /m-line 1/, swap('a=recvonly\r\n', '')],
  ['stream-protocol', /7866 §12\.2/, /m-line 1/, swap('RTP/SAVP', 'RTP/AVP')],
  ['stream-crypto', /4568 §5\.1\.1/, /m-line 1/, swap(/a=crypto.*\r\n/, '')],
  ['stream-crypto', /4568 §5\.1\.2/, /m-line 1 a=crypto/, swap('a=crypto', `a=crypto:${crypto(13, 2)}\r\na=crypto`)],
  ['stream-crypto', /4568 §6\.1/, /m-line 1 a=crypto/, swap('inline:', 'inline:AAAA')],
  ['stream-key-reused', /4568 §6\.1/, /m-line 2 a=crypto/, swap(crypto(12), crypto(11))],
  ['stream-address', /4566 §5\.7/, /m-line 1/, swap('c=IN IP4 198.51.100.7\r\n', '')],
];
for (const [name, clause, path, change] of answers) {
  test(`answer: ${name} at ${path.source}, ${clause.source}`, () => {
    const { findings } = lint(exampleAnswer(change));
    assert.ok(findings.length > 0);
    for (const finding of findings) assert.equal(finding.name, name, JSON.stringify(findings));
    assert.match(findings[0]?.clause ?? '', clause);
    assert.match(findings[0]?.place.path ?? '', path);
  });
}

test('profile rfc7866 lets an answer in clear and any number of streams pass, beside the offer no more', () => {
  const options = { profile: rfc7866 };
  assert.deepEqual(found(oneStream, options), []);
  assert.deepEqual(found(oneStream, { ...options, offer }), ['error stream-count']);
  const clear = swap(/RTP\/SAVP/g, 'RTP/AVP');
  assert.deepEqual(found(clear, { ...options, offer: clear(offer) }), found(clear, options), 'as it was offered');
  assert.deepEqual(found(clear, options), ['warning stream-protocol', 'warning stream-protocol']);
  assert.ok(found(clear, { ...options, offer }).includes('error answer-refused'));
});

test('beside the offer, what our own client would refuse is one finding with its clause', () => {
  for (const [change, clause, text] of [
    [swap('crypto:1 ', 'crypto:2 '), 'RFC 4568 §5.1.2', /stream 1 \(inbound\): .*tag 2/],
    [swap(crypto(11), crypto(1)), 'RFC 4568 §7.1.2', /repeats the offered key/],
    [swap('SAVP 0 101', 'SAVP 9 101'), 'RFC 3264 §6.1', /no offered codec/],
    [swap(/m=audio \d+/g, 'm=audio 0'), 'RFC 7866 §8.3', /refused every stream/],
  ] as const) {
    assert.deepEqual(found(change), [], 'alone it is right');
    const { findings } = lint(exampleAnswer(change), { offer });
    assert.deepEqual(
      findings.map((finding) => [finding.name, finding.clause]),
      [['answer-refused', clause]],
    );
    assert.match(findings[0]?.text ?? '', text);
  }
});

test('a response that carries no answer is not read', () => {
  for (const change of [swap('200 OK', '183 Session Progress'), swap('200 OK', '488'), swap('1 INVITE', '1 BYE')]) {
    assert.deepEqual(found(change), ['error not-readable']);
  }
});

test('no finding about an answer holds a key', () => {
  const key = crypto(11).split('inline:')[1] ?? '';
  for (const change of [swap('inline:', 'inline: '), swap(crypto(12), crypto(11)), swap('a=crypto:1 ', 'a=crypto:')]) {
    const text = JSON.stringify(lint(exampleAnswer(change), { offer }).findings);
    assert.ok(text.length > 2 && !text.includes(key), text);
  }
});
