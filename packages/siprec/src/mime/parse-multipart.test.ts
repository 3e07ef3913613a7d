import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SiprecError } from '../siprec-error.js';
import { expectSiprecError } from '../testing/expect-siprec-error.js';
import { bodyParts, parseMultipart } from './parse-multipart.js';
import { writeMultipart } from './write-multipart.js';

const lines = (...text: string[]) => Buffer.from(text.join('\r\n'));
const sdpAndMetadata = (boundary: string) =>
  lines(
    `--${boundary}`,
    'Content-Type: application/sdp',
    '',
    'v=0',
    `--${boundary}`,
    'Content-Type: application/rs-metadata+xml',
    'Content-Disposition: recording-session',
    '',
    '<recording/>',
    `--${boundary}--`,
    '',
  );
const read = (contentType: string, body: Buffer) =>
  parseMultipart(contentType, body).map((part) => [part.mediaType, part.body.toString('utf8')]);
const both = [
  ['application/sdp', 'v=0'],
  ['application/rs-metadata+xml', '<recording/>'],
];

const contentTypes: readonly [why: string, contentType: string, boundary: string][] = [
  ['a quoted boundary', 'multipart/mixed;boundary="b1"', 'b1'],
  ['a bare boundary', 'multipart/mixed;boundary=b1', 'b1'],
  ['a bare boundary with = and .', 'multipart/mixed;boundary=----=_Part_1.2', '----=_Part_1.2'],
  ['a quoted boundary with spaces and a semicolon', 'multipart/mixed; boundary="b 1;x"', 'b 1;x'],
  ['an escaped quote in the boundary', 'multipart/mixed; boundary="b\\"1"', 'b"1'],
  ['capitals in type and parameter', 'Multipart/Mixed; Boundary=b1', 'b1'],
  ['the boundary before other parameters', 'multipart/mixed;boundary=b1;charset=utf-8', 'b1'],
  ['the boundary after other parameters', 'multipart/mixed; charset="utf;8" ; boundary = b1', 'b1'],
  ['a folded field', 'multipart/mixed;\r\n boundary=b1', 'b1'],
  ['multipart/alternative', 'multipart/alternative;boundary=b1', 'b1'],
  ['a quoted boundary with a space at its end', 'multipart/mixed;boundary="b1 "', 'b1'],
  ['every character that a boundary may have', `multipart/mixed;boundary="aZ9'()+_,-./:=? x"`, `aZ9'()+_,-./:=? x`],
  ['a boundary whose quotes never close', 'multipart/mixed;boundary="b1', 'b1'],
  ['a boundary that begins with hyphens', 'multipart/mixed;boundary=--', '--'],
];
for (const [why, contentType, boundary] of contentTypes) {
  test(`RFC 2046 §5.1.1: ${why}`, () => assert.deepEqual(read(contentType, sdpAndMetadata(boundary)), both));
}

const bodies: readonly [why: string, body: Buffer][] = [
  ['preamble and epilogue', Buffer.concat([lines('preamble', 'x--b1', ''), sdpAndMetadata('b1'), lines('--b1', 'x')])],
  ['bare LF', Buffer.from(sdpAndMetadata('b1').toString().replaceAll('\r\n', '\n'))],
  ['no line end after the closing delimiter', sdpAndMetadata('b1').subarray(0, -2)],
  ['no closing delimiter', sdpAndMetadata('b1').subarray(0, -10)],
  ['white space after delimiters', Buffer.from(sdpAndMetadata('b1').toString().replaceAll('--b1\r', '--b1 \t\r'))],
  [
    'fields without a space, in capitals',
    Buffer.from(sdpAndMetadata('b1').toString().replace('Content-Type: ', 'CONTENT-TYPE:')),
  ],
  [
    'a folded part field',
    Buffer.from(sdpAndMetadata('b1').toString().replace('Content-Type: ', 'Content-Type:\r\n\t')),
  ],
  ['a charset on the part', Buffer.from(sdpAndMetadata('b1').toString().replace('/sdp', '/SDP;charset=utf-8'))],
  [
    'longer boundaries and text that looks like one',
    Buffer.from(sdpAndMetadata('b1').toString().replace('--b1', '--b12\r\n--b1')),
  ],
];
for (const [why, body] of bodies) {
  test(`lenient: ${why}`, () => assert.deepEqual(read('multipart/mixed;boundary=b1', body), both));
}

test('a Content-Length of a part drops line ends beyond it, and is ignored when it is false', () => {
  const withLength = (length: string) =>
    read(
      'multipart/mixed;boundary=b',
      lines('--b', 'Content-Type: a/b', `Content-Length: ${length}`, '', 'v=0', '', '--b--'),
    );
  assert.deepEqual(withLength('3'), [['a/b', 'v=0']]);
  assert.deepEqual(withLength('5'), [['a/b', 'v=0\r\n']]);
  for (const wrong of ['2', '999', '-1', 'x']) assert.deepEqual(withLength(wrong), [['a/b', 'v=0\r\n']]);
});

test('RFC 5621 §3: nested multiparts are flattened in their order', () => {
  const body = lines(
    '--o',
    'Content-Type: multipart/mixed;boundary=b1',
    '',
    sdpAndMetadata('b1').toString(),
    '--o',
    '',
    'text',
    '--o--',
  );
  assert.deepEqual(read('multipart/mixed;boundary=o', body), [...both, ['text/plain', 'text']]);
});

test('parts keep their disposition and bytes', () => {
  const [, metadata] = parseMultipart('multipart/mixed;boundary=b', sdpAndMetadata('b'));
  assert.equal(metadata?.disposition, 'recording-session');
  assert.equal(metadata?.headers.get('content-disposition'), 'recording-session');
});

test('any other body is its own only part', () => {
  assert.deepEqual(
    bodyParts('Application/SDP; charset=x', Buffer.from('v=0')).map(({ mediaType }) => mediaType),
    ['application/sdp'],
  );
});

test('what cannot be read is refused with its reason', () => {
  const many = Buffer.from('--b\r\n\r\nx\r\n'.repeat(17));
  expectSiprecError('multipart-type', () => parseMultipart('application/sdp', Buffer.alloc(0)));
  expectSiprecError('multipart-boundary', () => parseMultipart('multipart/mixed', sdpAndMetadata('b1')));
  expectSiprecError('multipart-boundary', () => parseMultipart('multipart/mixed;boundary=b2', sdpAndMetadata('b1')));
  expectSiprecError('multipart-too-many-parts', () => parseMultipart('multipart/mixed;boundary=b', many));
  expectSiprecError('multipart-too-large', () =>
    parseMultipart('multipart/mixed;boundary=b', Buffer.alloc(1024 * 1024 + 1)),
  );
  const longHeader = lines('--b', `X: ${'x'.repeat(9000)}`, '', 'x', '--b--');
  expectSiprecError('multipart-header', () => parseMultipart('multipart/mixed;boundary=b', longHeader));
});

test('whatever bytes are written come back', () => {
  const part = fc.record(
    {
      contentType: fc.constantFrom('application/sdp', 'application/rs-metadata+xml'),
      body: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    },
    { noNullPrototype: true },
  );
  const property = fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
    const { contentType, body } = writeMultipart(parts);
    assert.deepEqual(
      parseMultipart(contentType, body).map((read) => ({
        contentType: read.contentType,
        body: Buffer.from(read.body),
      })),
      parts,
    );
  });
  fc.assert(property, { numRuns: 300 });
});

test('hostile bytes never get past as anything but a SiprecError', () => {
  const pieces = fc.array(
    fc.constantFrom('--b', '--', '\r\n', '\n', 'Content-Type:', 'multipart/mixed;boundary=b', ' ', 'x'),
  );
  const property = fc.property(fc.string(), pieces, (contentType, body) => {
    for (const type of [contentType, 'multipart/mixed;boundary=b']) {
      try {
        bodyParts(type, Buffer.from(body.join('')));
      } catch (error) {
        assert.ok(error instanceof SiprecError, String(error));
      }
    }
  });
  fc.assert(property, { numRuns: 500 });
});
