import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseMultipart } from '../mime/parse-multipart.js';
import { SiprecError } from '../siprec-error.js';
import { expectSiprecError } from '../testing/expect-siprec-error.js';
import { packageFile } from '../testing/package-file.js';
import { schemaErrors } from '../testing/schema-errors.js';
import { parseMetadata } from './parse-metadata.js';

test('the documented sample of the recorder is valid and reads', async () => {
  const body = Buffer.from(packageFile('golden/documented-invite-body.txt').replace(/\n/g, '\r\n'));
  const parts = parseMultipart('multipart/mixed;boundary="----=_Part_1253_283419664.1674116473425"', body);
  assert.deepEqual(
    parts.map(({ mediaType, disposition }) => [mediaType, disposition]),
    [
      ['application/sdp', undefined],
      ['application/rs-metadata+xml', 'recording-session'],
    ],
  );
  const xml = parts[1]?.body.toString('utf8') ?? '';
  assert.deepEqual(await schemaErrors(xml), []);
  const metadata = parseMetadata(xml);
  assert.equal(metadata.datamode, 'complete');
  assert.deepEqual(Object.fromEntries(metadata.sessions[0]?.extensionParameters ?? []), {
    Role: 'inbound',
    CallerDisplayName: 'Kiana Anderson',
    CalleeDisplayName: 'Tomas Richardson',
  });
  assert.deepEqual(
    metadata.streams.map(({ label }) => label),
    ['inbound', 'outbound'],
  );
  assert.equal(metadata.participants[1]?.nameIds[0]?.aor, '230908');
  assert.equal(metadata.sessionRecordings[0]?.associateTime, '2023-01-19T08:21:13.382512Z');
  assert.deepEqual(metadata.participantStreams[0]?.recv, ['f/Qezx4jTMqiWSB1vW7oJA==']);
});

test('prefixes, other namespaces, order, letter case, CDATA and references do not matter', () => {
  const metadata = parseMetadata(
    `\ufeff<?xml version="1.0"?>\n<!-- c --><rs:recording xmlns:rs='urn:ietf:params:xml:ns:siprec'>
      <rs:stream Stream_ID="s" session_id="c"><rs:label> 1 </rs:label></rs:stream>
      <rs:participant participant_id="p"><rs:nameID aor="tel:+1&#x32;3"><rs:name>A &amp;#65; <![CDATA[<&amp;>]]>&#66;</rs:name></rs:nameID></rs:participant>
      <rs:session session_id="c"/><rs:dataMode>Partial</rs:dataMode></rs:recording>`,
  );
  assert.equal(metadata.datamode, 'partial');
  assert.deepEqual(metadata.streams, [{ id: 's', sessionId: 'c', label: '1' }]);
  assert.deepEqual(metadata.participants, [{ id: 'p', nameIds: [{ aor: 'tel:+123', name: 'A &#65; <&amp;>B' }] }]);
});

test('what cannot be read is refused with its reason', () => {
  const message = (code: Parameters<typeof expectSiprecError>[0], xml: string) =>
    expectSiprecError(code, () => parseMetadata(xml)).message;
  assert.match(message('metadata-content', '<recording><session/></recording>'), /session has no attribute session_id/);
  assert.match(message('metadata-content', '<recording><datamode>some</datamode></recording>'), /datamode is "some"/);
  assert.match(message('metadata-root', '<requestsnapshot/>'), /requestsnapshot/);
  assert.match(message('metadata-not-xml', '<recording><session></recording>'), /line 1/);
  message('metadata-not-xml', '');
  message('metadata-not-xml', '<recording/><recording/>');
  message('metadata-not-xml', '<a>'.repeat(100) + '</a>'.repeat(100));
  message('metadata-not-xml', '<recording><__proto__/></recording>');
  message('metadata-doctype', '<!DOCTYPE recording [<!ENTITY a "b">]><recording>&a;</recording>');
  message('metadata-too-large', ' '.repeat(256 * 1024 + 1));
});

test('hostile text never gets past as anything but a SiprecError', () => {
  const sample = packageFile('golden/metadata-complete.xml');
  const mutated = fc
    .tuple(fc.nat(sample.length), fc.nat(40), fc.string({ unit: 'binary', maxLength: 10 }))
    .map(([at, length, insert]) => sample.slice(0, at) + insert + sample.slice(at + length));
  const property = fc.property(fc.oneof(mutated, fc.string({ unit: 'binary' })), (xml) => {
    try {
      parseMetadata(xml);
    } catch (error) {
      assert.ok(error instanceof SiprecError, String(error));
    }
  });
  fc.assert(property, { numRuns: 1000 });
});
