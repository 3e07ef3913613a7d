// Whatever comes from the wire costs time in proportion to its length, and throws nothing but SiprecError.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lint } from './lint/lint.js';
import { parseMetadata } from './metadata/parse-metadata.js';
import { bodyParts } from './mime/parse-multipart.js';
import { dynamics365 } from './recorder-profile.js';
import { validateAnswer } from './sdp/answer-validation.js';
import { SiprecError } from './siprec-error.js';
import { exampleOffer } from './testing/example-recording.js';
import { exampleInvite } from './testing/example-request.js';

const readers: Readonly<Record<string, (bytes: Buffer) => unknown>> = {
  multipart: (bytes) => bodyParts('multipart/mixed;boundary=b', bytes),
  'content type': (bytes) => bodyParts(bytes.toString('latin1'), Buffer.from('--b\r\n\r\nx\r\n--b--')),
  metadata: (bytes) => parseMetadata(bytes.toString('utf8')),
  answer: (bytes) => validateAnswer(exampleOffer(), 'application/sdp', bytes),
  lint: (bytes) => lint(bytes),
};

function run(reader: (bytes: Buffer) => unknown, bytes: Buffer): void {
  try {
    reader(bytes);
  } catch (error) {
    assert.ok(error instanceof SiprecError, String(error));
  }
}

const invite = exampleInvite(dynamics365).toString('latin1');
const pieces = fc.constantFrom(
  ...[
    '\r\n',
    '\n',
    '\r',
    ' ',
    ':',
    ';',
    '"',
    '<',
    '>',
    '&',
    '=',
    '--b',
    '--',
    '\0',
    'é',
    '<!--',
    '<![CDATA[',
    ']]>',
    '<?',
    '/>',
  ],
  ...[
    'm=audio 1 RTP/SAVP 0',
    'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:',
    'v=0',
    'Content-Type:',
    'boundary=',
    '<session',
    ' session_id=""',
  ],
);
const hostile = fc.oneof(
  fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
  fc.array(pieces, { maxLength: 60 }).map((some) => Buffer.from(some.join(''))),
  fc
    .array(fc.tuple(fc.nat(invite.length), fc.nat(40), fc.oneof(pieces, fc.string({ maxLength: 6 }))), {
      minLength: 1,
      maxLength: 5,
    })
    .map((changes) =>
      Buffer.from(
        changes.reduce((text, [at, length, insert]) => text.slice(0, at) + insert + text.slice(at + length), invite),
        'latin1',
      ),
    ),
);

for (const [name, reader] of Object.entries(readers)) {
  test(`random and mutilated bytes make ${name} throw nothing but SiprecError`, () => {
    fc.assert(
      fc.property(hostile, (bytes) => run(reader, bytes)),
      { numRuns: 700 },
    );
  });
}

/** Shapes that make careless parsers look at everything again and again. */
const shapes: Readonly<Record<string, (count: number) => string>> = {
  'line ends': (count) => '\r\n'.repeat(count),
  spaces: (count) => ' '.repeat(count),
  delimiters: (count) => '--b\r\n\r\n'.repeat(count / 8),
  'delimiters that are none': (count) => `--b\r\n\r\n${'\n--bx'.repeat(count / 5)}`,
  'header fields': (count) => `INVITE sip:a SIP/2.0\r\n${'A: b\r\n'.repeat(count / 6)}\r\n`,
  'folded lines': (count) => `INVITE sip:a SIP/2.0\r\nA: b\r\n${' c\r\n'.repeat(count / 4)}\r\n`,
  'one long field': (count) => `INVITE sip:a SIP/2.0\r\nContact: ${'<'.repeat(count)}\r\n\r\n`,
  'quoted pairs': (count) => `INVITE sip:a SIP/2.0\r\nContact: "${'\\"'.repeat(count / 2)}\r\n\r\n`,
  parameters: (count) => `multipart/mixed${';a= '.repeat(count / 4)}`,
  'open elements': (count) => '<a>'.repeat(count / 3),
  'open comments': (count) => `<recording>${'<!--'.repeat(count / 4)}`,
  'comments in a section': (count) => `<recording><![CDATA[${'<!--'.repeat(count / 4)}]]></recording>`,
  attributes: (count) => `<recording ${Array.from({ length: count / 12 }, (_, index) => `a${index}=""`).join(' ')}/>`,
  siblings: (count) => `<recording>${'<a/>'.repeat(count / 4)}</recording>`,
  'siblings of the grammar': (count) =>
    `<recording xmlns="urn:ietf:params:xml:ns:recording:1">${'<label>x</label><stream/>'.repeat(count / 25)}</recording>`,
  references: (count) => `<recording>${'&'.repeat(count)}</recording>`,
  'attribute quotes': (count) => `<recording a="${`='`.repeat(count / 2)}`,
  'm-lines': (count) =>
    `v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\nt=0 0\r\n${'m=audio 1 RTP/SAVP 0\r\n'.repeat(count / 22)}`,
  'm-line formats': (count) =>
    `v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\nt=0 0\r\nm=audio 1 RTP/SAVP${' 0'.repeat(count / 2)}\r\n`,
  'crypto lines': (count) => `v=0\r\nm=audio 1 RTP/SAVP 0\r\n${'a=crypto:1 A inline:b\r\n'.repeat(count / 23)}`,
};

/** As a part of a message of ours, where the lint looks closest. */
function withinInvite(text: string): Buffer {
  const parts = [
    ['application/sdp', text.startsWith('v=0') ? text : 'v=0\r\n'],
    ['application/rs-metadata+xml', text.startsWith('<') ? text : '<recording/>'],
  ].map(([type, body]) => `--b\r\nContent-Type: ${type}\r\n\r\n${body}\r\n`);
  return Buffer.from(
    `INVITE sip:a SIP/2.0\r\nContent-Type: multipart/mixed;boundary=b\r\n\r\n${parts.join('')}--b--\r\n`,
  );
}

// What is quadratic takes minutes at these lengths; what is linear, some hundredths of a second.
const boundMs = 5_000;
for (const [shape, make] of Object.entries(shapes)) {
  test(`half a million characters of ${shape} are read in time`, () => {
    for (const length of [60_000, 250_000, 500_000]) {
      const text = make(length);
      const inputs = [Buffer.from(text), withinInvite(text)];
      for (const [name, reader] of Object.entries(readers)) {
        for (const bytes of inputs) {
          const begin = performance.now();
          run(reader, bytes);
          const took = performance.now() - begin;
          assert.ok(took < boundMs, `${name} took ${Math.round(took)} ms for ${length} characters`);
        }
      }
    }
  });
}
