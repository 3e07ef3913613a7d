// What recording clients of other makers send, in shapes of our own making: fixtures/*.sip. A recorder reads them all alike.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { parseMessage } from '@sidestream/sip';
import { lint } from './lint/lint.js';
import { parseMetadata } from './metadata/parse-metadata.js';
import { bodyParts } from './mime/parse-multipart.js';
import { rfc7866 } from './recorder-profile.js';
import { packageFile } from './testing/package-file.js';

const files = readdirSync(new URL('../fixtures', import.meta.url)).filter((name) => name.endsWith('.sip'));

test('there is a fixture for each maker', () => {
  const makers = [
    'audiocodes',
    'avaya',
    'broadworks',
    'cisco-cube',
    'jambonz',
    'metaswitch',
    'opensips',
    'oracle',
    'ribbon',
  ];
  assert.deepEqual(
    files.sort(),
    makers.map((name) => `${name}.sip`),
  );
});

for (const file of files) {
  test(`${file}: two participants in one session, each sending a stream that the SDP labels`, () => {
    const message = parseMessage(Buffer.from(packageFile(`fixtures/${file}`)));
    const parts = bodyParts(message.headers.get('Content-Type') ?? '', message.body);
    const sdp = parts.find(({ mediaType }) => mediaType === 'application/sdp');
    const xml = parts.find(({ mediaType }) => /^application\/rs-metadata(\+xml)?$/.test(mediaType));
    assert.deepEqual(String(sdp?.body).match(/(?<=a=label:)\w+/g), ['1', '2']);
    assert.equal(xml?.disposition, 'recording-session');
    const metadata = parseMetadata(String(xml.body));
    assert.equal(metadata.datamode, 'complete');
    const [session, ...sessions] = metadata.sessions;
    assert.ok(session);
    assert.deepEqual(sessions, []);
    const senders = metadata.participants.map(({ id, nameIds }) => {
      assert.equal(nameIds.length, 1);
      assert.notEqual(nameIds[0]?.aor, '');
      const [sent] = metadata.participantStreams.find(({ participantId }) => participantId === id)?.send ?? [];
      return metadata.streams.find((stream) => stream.id === sent)?.label;
    });
    assert.deepEqual(senders, ['1', '2']);
    for (const { sessionId } of metadata.streams) assert.equal(sessionId, session.id);
    assert.deepEqual(
      metadata.participantSessions.map(({ participantId, sessionId }) => [participantId, sessionId]),
      metadata.participants.map(({ id }) => [id, session.id]),
    );
  });
}

test('the lint names what is wrong with each of them', () => {
  const errors = Object.fromEntries(
    files.map((file) => {
      const { findings } = lint(Buffer.from(packageFile(`fixtures/${file}`)), { profile: rfc7866 });
      const names = findings.filter(({ severity }) => severity === 'error').map(({ name }) => name);
      return [file.replace('.sip', ''), [...new Set(names)].sort()];
    }),
  );
  const attributes = ['metadata-attribute-missing', 'metadata-attribute-unknown'];
  assert.deepEqual(errors, {
    audiocodes: ['contact-sip-src', ...attributes, 'metadata-element-unknown', 'metadata-namespace', 'metadata-value'],
    avaya: ['contact-sip-src', 'metadata-element-order', 'metadata-element-unknown'],
    broadworks: ['contact-sip-src', 'metadata-element-unknown'],
    'cisco-cube': ['metadata-element-order'],
    jambonz: ['metadata-element-order', 'metadata-element-unknown', 'metadata-value'],
    metaswitch: [
      'line-ends',
      'metadata-attribute-missing',
      'metadata-attribute-unknown',
      'metadata-element-order',
      'metadata-value',
      'multipart-malformed',
    ],
    opensips: [],
    oracle: [...attributes, 'metadata-element-unknown', 'metadata-namespace'],
    ribbon: ['metadata-element-order', 'metadata-value'],
  });
});
