import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SipError, type SipErrorCode } from '../sip-error.js';
import { tagOf } from './name-addr.js';
import { type ParseOptions, parseMessage } from './parse-message.js';
import { serialiseMessage } from './serialise-message.js';
import type { SipRequest } from './sip-message.js';

const basic: Record<string, string> = {
  Via: 'SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc',
  From: '"Alice" <sip:alice@example.com>;tag=1',
  To: '<sip:bob@example.com>',
  'Call-ID': 'abc@192.0.2.1',
  CSeq: '1 OPTIONS',
  'Max-Forwards': '70',
};

/** An OPTIONS request; a changed field replaces, `undefined` leaves out, `extra` is put in as it is. */
function message(change: Record<string, string | undefined> = {}, extra = '', body: string | Buffer = ''): Buffer {
  const fields = Object.entries({ ...basic, ...change }).filter(([, value]) => value !== undefined);
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.concat([Buffer.from(`OPTIONS sip:bob@example.com SIP/2.0\r\n${lines}${extra}\r\n`), Buffer.from(body)]);
}

function withStartLine(line: string): Buffer {
  return Buffer.from(String(message()).replace(/^[^\r]*/, line));
}

function request(bytes: Buffer, options?: ParseOptions): SipRequest {
  const parsed = parseMessage(bytes, options);
  assert.equal(parsed.kind, 'request');
  return parsed;
}

function refused(bytes: Buffer, words: RegExp, code: SipErrorCode = 'malformed', options?: ParseOptions): void {
  assert.throws(
    () => parseMessage(bytes, options),
    (error) => error instanceof SipError && error.code === code && words.test(error.message),
    `${words} for ${bytes.subarray(0, 400)}`,
  );
}

describe('start line', () => {
  test('RFC 3261 §7.1: method, Request-URI and version', () => {
    const parsed = request(message());
    assert.equal(parsed.method, 'OPTIONS');
    assert.equal(parsed.uri, 'sip:bob@example.com');
  });

  test('RFC 3261 §7.2: status and reason, which may be empty (RFC 4475 §3.1.1.13 noreason)', () => {
    for (const [line, status, reason] of [
      ['SIP/2.0 200 OK', 200, 'OK'],
      ['SIP/2.0 100 ', 100, ''],
      ['SIP/2.0 699 Größe = 2**3', 699, 'Größe = 2**3'],
    ] as const) {
      const parsed = parseMessage(withStartLine(line));
      assert.equal(parsed.kind, 'response');
      assert.deepEqual([parsed.status, parsed.reason], [status, reason]);
    }
  });

  test('RFC 3261 §21.5.6: another version is unsupported-version with 505, no version at all is malformed', () => {
    assert.throws(() => parseMessage(withStartLine('OPTIONS sip:bob@example.com SIP/7.0')), {
      code: 'unsupported-version',
      status: 505,
    });
    refused(withStartLine('SIP/3.0 200 OK'), /version/, 'unsupported-version');
    refused(withStartLine('OPTIONS sip:bob@example.com HTTP/1.1'), /not a SIP version/);
  });

  test('status codes outside 100 to 699 are refused (RFC 4475 §3.1.2.19 bigcode)', () => {
    for (const status of ['099', '700', '4294967301', '20', '2 0']) {
      refused(withStartLine(`SIP/2.0 ${status} better not`), /100 to 699/);
    }
  });

  test('RFC 4475 §3.1.2.7 to §3.1.2.10: brackets, spaces, doubled or trailing spaces', () => {
    for (const line of [
      'OPTIONS <sip:bob@example.com> SIP/2.0',
      'OPTIONS sip:bob@example.com; lr SIP/2.0',
      'OPTIONS  sip:bob@example.com  SIP/2.0',
      'OPTIONS sip:bob@example.com SIP/2.0  ',
      'OPTIONS bob SIP/2.0',
      'OPTIONS sip: SIP/2.0',
      'OPTIONS sip:[::1 SIP/2.0',
      'OPTIONS SIP/2.0',
      'OPT{ONS sip:bob@example.com SIP/2.0',
      '',
    ]) {
      refused(withStartLine(line), /line|URI/);
    }
  });

  test('RFC 4475 §3.1.2.11 escruri: headers in the Request-URI are refused', () => {
    refused(withStartLine('OPTIONS sip:bob@example.com?Route=%3Csip:a%3E SIP/2.0'), /headers/);
  });

  test('RFC 4475 §3.1.1.5 esc02: an escape in a method is never decoded', () => {
    const bytes = Buffer.from(String(message({ CSeq: '1 RE%47IST%45R' })).replace('OPTIONS', 'RE%47IST%45R'));
    assert.equal(request(bytes).method, 'RE%47IST%45R');
  });

  test('RFC 3261 §7.5: empty lines before the start line are ignored', () => {
    assert.equal(request(Buffer.concat([Buffer.from('\r\n\r\n'), message()])).method, 'OPTIONS');
  });

  test('RFC 4475 §3.3.2: an unknown scheme is not bad syntax', () => {
    assert.equal(request(withStartLine('OPTIONS novel:thing SIP/2.0')).uri, 'novel:thing');
  });
});

describe('header section', () => {
  test('RFC 3261 §7.3.1: folding, white space around the colon, any case, compact forms', () => {
    const bytes = Buffer.from(
      'OPTIONS sip:bob@example.com SIP/2.0\r\nv : SIP / 2.0\r\n / UDP [2001:db8::1] : 5060 ; branch=z9hG4bKabc\r\n' +
        'f\t:\r\n "A \\"B\\" C"\r\n\t<sip:a@b> ; tag = 1\r\nTO: sip:b@c\r\ni: x\r\ncseq: 0009\r\n  OPTIONS\r\nm: *\r\nl: 0\r\n\r\n',
    );
    const parsed = request(bytes);
    assert.equal(parsed.topVia.host, '2001:db8::1');
    assert.equal(parsed.topVia.port, 5060);
    assert.equal(parsed.from.displayName, 'A "B" C');
    assert.equal(tagOf(parsed.from), '1');
    assert.deepEqual(parsed.cseq, { number: 9, method: 'OPTIONS' });
    assert.equal(parsed.contacts[0]?.uri, '*');
    assert.equal(parsed.headers.get('Content-Length'), '0');
    assert.deepEqual(parseMessage(serialiseMessage(parsed)).topVia, parsed.topVia);
  });

  test('RFC 3261 §20.10: the wildcard is for Contact only; as From or To it is malformed', () => {
    for (const field of ['From', 'To']) {
      assert.throws(
        () => parseMessage(message({ [field]: '*' })),
        (error: unknown) => {
          assert.ok(error instanceof SipError);
          assert.equal(error.code, 'malformed');
          return true;
        },
      );
    }
  });

  test('a bare LF or CR is refused', () => {
    refused(Buffer.from(String(message()).replaceAll('\r\n', '\n')), /empty line/);
    refused(message({}, 'X-A: one\nX-B: two\r\n'), /CR or LF/);
    refused(message({}, 'X-A: one\rX-B: two\r\n'), /CR or LF/);
  });

  test('NUL and control characters are refused, save as quoted pairs (RFC 4475 §3.1.1.2 intmeth)', () => {
    for (const value of ['a\x00b', '\x07', '\x7f', '"\x01" <sip:a@b>', '"a" \\\x01', '\\\x00 "', '"ab\\\\\x01"']) {
      refused(message({}, `Subject: ${value}\r\n`), /control character/);
    }
    const named = request(message({ To: '"BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f" <sip:a@b>' }));
    assert.equal(named.to.displayName, 'BEL:\x07 NUL:\x00 DEL:\x7f');
  });

  test('UTF-8 stays byte for byte, invalid UTF-8 is refused', () => {
    const bytes = message({ Subject: 'Grüße \u{1f4de} 日本', 'Content-Length': '0' });
    assert.deepEqual(serialiseMessage(parseMessage(bytes)), bytes);
    refused(Buffer.from(message({ Subject: 'Gr\xfc\xdfe' }).toString('utf8'), 'latin1'), /UTF-8/);
  });

  test('a line without a colon, without a name, or with a name that is no token', () => {
    for (const line of ['nothing', ': value', 'a b: c', '\u00fc: x']) {
      refused(message({}, `X: y\r\n${line}\r\n`), /colon|token/);
    }
    refused(Buffer.from(String(message()).replace('\r\n', '\r\n folded\r\n')), /cannot be folded/);
  });

  test('RFC 3261 §8.1.1: mandatory fields are there exactly once', () => {
    for (const name of ['From', 'To', 'Call-ID', 'CSeq']) {
      refused(message({ [name]: undefined }), new RegExp(`${name}: missing`));
      refused(message({}, `${name}: ${basic[name]}\r\n`), new RegExp(`${name}: given more than once`));
    }
    refused(message({ Via: undefined }), /Via: missing/);
    refused(message({}, 'Max-Forwards: 1\r\n'), /Max-Forwards: given more than once/);
    refused(message({}, 'Content-Length: 0\r\nl: 0\r\n'), /Content-Length: given more than once/);
  });

  test('RFC 3261 §25.1: a tag is a token', () => {
    for (const field of ['From', 'To']) {
      for (const tag of ['tag', 'tag=""', 'tag="x"', 'TAG = a|b', 'tag=a:b']) {
        const bytes = message({ [field]: `<sip:bob@example.com>;${tag}` });
        const words = new RegExp(`${field}: the tag is not a token`);
        refused(bytes, words);
        refused(Buffer.from(String(bytes).replace(/^[^\r]*/, 'SIP/2.0 200 OK')), words);
      }
    }
    assert.equal(tagOf(request(message({ To: "<sip:b@c>;tag=a-.!%*_+`'~9" })).to), "a-.!%*_+`'~9");
  });

  test('RFC 3261 §25.1: a Call-ID is word or word@word', () => {
    for (const callId of ['-.!%*_+`\'~()<>:\\"/[]?{}', 'a9@[::1]:5060', 'f81d4fae-7dec-11d0@<"x">']) {
      assert.equal(request(message({ 'Call-ID': callId })).callId, callId);
    }
    for (const callId of [
      'a|b',
      'a@b|c',
      'a b',
      'a,b',
      'a;b',
      'a=b',
      'a@b@c',
      '@b',
      'a@',
      'ü',
      'a$b',
      'a#b',
      'a&b',
      'a^b',
    ]) {
      refused(message({ 'Call-ID': callId }), /Call-ID: not word/);
    }
  });

  test('RFC 3261 §16.3: a missing Max-Forwards is let through, a bad one is not', () => {
    assert.equal(request(message({ 'Max-Forwards': undefined })).headers.has('max-forwards'), false);
    for (const value of ['256', '-1', 'x', '']) refused(message({ 'Max-Forwards': value }), /Max-Forwards/);
  });

  test('RFC 3261 §8.1.1.5: CSeq is below 2^31 and has the method of the request', () => {
    assert.equal(request(message({ CSeq: '2147483647 OPTIONS' })).cseq.number, 2 ** 31 - 1);
    refused(message({ CSeq: '2147483648 OPTIONS' }), /CSeq: number/);
    refused(message({ CSeq: '1 INVITE' }), /CSeq: its method/);
    refused(message({ CSeq: '1 options' }), /CSeq: its method/);
    for (const value of ['OPTIONS', '1OPTIONS', '-1 OPTIONS', '1 OPTIONS x']) refused(message({ CSeq: value }), /CSeq/);
  });

  test('RFC 4475 §3.1.2.1, .6, .13, .14, .15: bad addresses and parameters', () => {
    refused(message({ Via: 'SIP/2.0/UDP 192.0.2.15;;,;,,' }), /Via/);
    refused(message({ To: '"Mr. J. User <sip:j.user@example.com>' }), /To: a quoted string/);
    refused(message({ From: 'Bell, Alexander <sip:a.g.bell@example.com>;tag=43' }), /From: a display name/);
    refused(message({ To: '"Watson" < sip:t.watson@example.org >' }), /To: bad URI/);
    refused(message({ Contact: 'sip:user@example.com?Route=%3Csip:sip.example.com%3E' }), /Contact: bad URI/);
    refused(message({ From: '<sip:a@b>;tag=1;tag=2' }), /From: parameter tag is given twice/);
    refused(message({ 'Content-Type': 'nonsense' }), /Content-Type/);
  });

  test('limits on header bytes and header lines', () => {
    const many = message({}, 'A: b\r\n'.repeat(300));
    refused(many, /header lines/, 'too-large');
    assert.equal(request(many, { limits: { maxHeaderFields: 400 } }).headers.size, 306);
    refused(message({}, `A: ${'b'.repeat(40_000)}\r\n`), /header above 32768 bytes/, 'too-large');
    refused(Buffer.alloc(40_000, 'a'), /header above/, 'too-large');
    assert.throws(() => parseMessage(many), { status: 513 });
  });
});

describe('body', () => {
  const binary = Buffer.from([0, 0xff, 0x0d, 0x0a, 0x0d, 0x0a, 0x80, 0]);

  test('RFC 3261 §18.3: a datagram is cut to Content-Length, without one the body is all the rest', () => {
    assert.deepEqual(request(message({ 'Content-Length': '8' }, '', Buffer.concat([binary, binary]))).body, binary);
    assert.deepEqual(request(message({}, '', binary)).body, binary);
    refused(message({ 'Content-Length': '9' }, '', binary), /larger than the message/);
  });

  test('on a stream Content-Length must be there and fit', () => {
    const stream = { stream: true };
    assert.deepEqual(request(message({ 'Content-Length': '8' }, '', binary), stream).body, binary);
    refused(message(), /missing on a stream/, 'malformed', stream);
    refused(message({ 'Content-Length': '4' }, '', binary), /smaller/, 'malformed', stream);
  });

  test('RFC 4475 §3.1.2.3 ncl, §3.3.9 mcl01: Content-Length is one number', () => {
    for (const value of ['-999', '0x10', '1, 1', '', '1e3'])
      refused(message({ 'Content-Length': value }), /Content-Length/);
    refused(message({ 'Content-Length': '99999999999999999999' }), /body above/, 'too-large');
  });

  test('binary bodies come through untouched, Content-Length is always recomputed', () => {
    const parsed = request(message({ 'Content-Length': '8' }, '', binary));
    parsed.body = Buffer.concat([binary, binary]);
    const again = parseMessage(serialiseMessage(parsed));
    assert.deepEqual(again.body, parsed.body);
    assert.deepEqual(again.headers.all('content-length'), ['16']);
  });
});

describe('typed fields', () => {
  test('Content-Type: type in lower case, parameters without quotes', () => {
    const parsed = request(message({ 'Content-Type': 'Multipart/Mixed ; boundary="a;\\"b\\"" ; x=y' }));
    assert.equal(parsed.contentType?.type, 'multipart/mixed');
    assert.deepEqual(
      [...(parsed.contentType?.parameters ?? [])],
      [
        ['boundary', 'a;"b"'],
        ['x', 'y'],
      ],
    );
    assert.equal(request(message()).contentType, undefined);
  });

  test('are read once, and again after the headers changed', () => {
    const parsed = request(message());
    const { from } = parsed;
    assert.equal(parsed.from, from);
    parsed.headers.set('From', '<sip:carol@example.com>;tag=2');
    assert.equal(parsed.from.uri, 'sip:carol@example.com');
    parsed.headers.delete('From');
    assert.throws(() => parsed.from, { code: 'malformed', message: /From: missing/ });
  });

  test('several Via in one line and in several (RFC 3261 §7.3.1)', () => {
    const two = 'SIP/2.0/TLS a.example;branch=z9hG4bK1;x="1,2", SIP/2.0/TCP b.example:5070;received=2001:db8::9';
    const parsed = request(message({ Via: two }, 'v: SIP/2.0/UDP c.example\r\n'));
    assert.equal(parsed.topVia.transport, 'TLS');
    assert.equal(parsed.topVia.parameters.get('x'), '"1,2"');
    assert.equal(parsed.headers.values('Via').length, 3);
  });

  test('a clone has headers of its own', () => {
    const parsed = request(message());
    const copy = parsed.clone();
    copy.headers.set('To', '<sip:x@y>');
    assert.equal(parsed.to.uri, 'sip:bob@example.com');
    assert.equal(copy.to.uri, 'sip:x@y');
  });
});
