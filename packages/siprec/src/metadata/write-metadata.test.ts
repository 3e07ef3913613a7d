import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dynamics365, rfc7866 } from '../recorder-profile.js';
import { exampleRecording, stopTime } from '../testing/example-recording.js';
import { expectSiprecError } from '../testing/expect-siprec-error.js';
import { packageFile } from '../testing/package-file.js';
import { schemaErrors } from '../testing/schema-errors.js';
import { parseMetadata } from './parse-metadata.js';
import { anonymousParticipant } from './participant-identity.js';
import { endRecordingModel, newRecordingModel, replaceParticipant } from './recording-model.js';
import { newUuid, uuidFromWire, uuidToWire } from './uuid.js';
import { writeMetadata } from './write-metadata.js';
import { xmlText } from './xml-text.js';

const complete = { datamode: 'complete', labels: true, profile: dynamics365 } as const;
const partial = { datamode: 'partial', labels: false, profile: dynamics365 } as const;

// What strangers put into display names: any UTF-16 at all, and what XML writers trip over.
const hostileText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 }).map((units) => String.fromCharCode(...units)),
  fc.constantFrom(
    'a]]>b',
    '&#x41;',
    '&amp;amp;',
    '&a;',
    '<!--',
    '\u202e\u05d0\u05d1',
    '\ud800',
    'a\r\n\tb',
    '\u0000',
    '"\'<>',
    '\ufffe',
  ),
);
const identity = fc.record({
  aor: fc.oneof(
    hostileText,
    hostileText.map((user) => `sip:${user}@host.example`),
    fc.constant('tel:+1-425-555;ext=[1]'),
  ),
  name: hostileText,
});
const recording = fc.record({
  direction: fc.constantFrom('inbound' as const, 'outbound' as const),
  startTime: fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }),
  customer: identity,
  seller: identity,
  sipSessionIds: fc.array(hostileText, { maxLength: 2 }),
});

test('the complete snapshot is the golden document', () => {
  assert.equal(writeMetadata(exampleRecording(), complete), packageFile('golden/metadata-complete.xml'));
});

test('RFC 7865 §6.6: a party on hold neither sends nor receives, and the other one receives nothing from it', async () => {
  const flows = { customer: { sends: false, receives: false }, seller: { sends: true, receives: true } };
  const xml = writeMetadata({ ...exampleRecording(), flows }, complete);
  assert.deepEqual(await schemaErrors(xml), []);
  const associations = [...xml.matchAll(/<participantstreamassoc[^>]*?(?:\/>|>([\s\S]*?)<\/participantstreamassoc>)/g)];
  const names = associations.map(([, content = '']) => [...content.matchAll(/<(send|recv)>/g)].map(([, name]) => name));
  assert.deepEqual(names, [[], ['send']]);
});

test('RFC 8068 §3.2.4: the end of the session is the golden document', () => {
  assert.equal(
    writeMetadata(endRecordingModel(exampleRecording(), stopTime), partial),
    packageFile('golden/metadata-bye.xml'),
  );
});

test('RFC 7865 §9: the golden documents are valid, and one with its elements out of order is not', async () => {
  const document = packageFile('golden/metadata-complete.xml');
  assert.deepEqual(await schemaErrors(document, packageFile('golden/metadata-bye.xml')), []);
  const extensionFirst = document.replace(
    /( *<start-time>.*<\/start-time>\r\n)([\s\S]*<\/ExtensionParameters>\r\n)/,
    '$2$1',
  );
  assert.notEqual(extensionFirst, document);
  assert.notDeepEqual(await schemaErrors(extensionFirst), []);
});

test('RFC 7865 §9: every document is valid and reads back, whatever the participants are called', async () => {
  const property = fc.asyncProperty(fc.array(recording, { minLength: 40, maxLength: 40 }), async (recordings) => {
    const models = recordings.map((input) => newRecordingModel({ ...input, groupId: newUuid() }));
    const documents = models.flatMap((model) => [
      writeMetadata(model, complete),
      writeMetadata(model, { ...complete, labels: false }),
      writeMetadata(endRecordingModel(model, stopTime), complete),
      writeMetadata(endRecordingModel(model, stopTime), partial),
    ]);
    assert.deepEqual(await schemaErrors(...documents), []);
    for (const model of models) {
      const { participants, sessions } = parseMetadata(writeMetadata(model, complete));
      const { customer, seller } = model.participants;
      const expected = [customer, seller].map(({ id, aor, name }) => ({
        id: uuidToWire(id),
        nameIds: [name === undefined ? { aor } : { aor, name }],
      }));
      assert.deepEqual(participants, expected);
      assert.equal(sessions[0]?.extensionParameters.get('Role'), model.direction);
    }
  });
  await fc.assert(property, { numRuns: 5, endOnFailure: true });
});

test('a display name comes back as it was written, but for what XML cannot hold', () => {
  const property = fc.property(hostileText, (name) => {
    const model = exampleRecording({ customer: { aor: 'tel:+14255550123', name } });
    const parsed = parseMetadata(writeMetadata(model, complete));
    const shown = xmlText(name) === '' ? '+14255550123' : xmlText(name);
    assert.equal(parsed.sessions[0]?.extensionParameters.get('CallerDisplayName'), shown);
  });
  fc.assert(property, { numRuns: 300 });
});

test('right-to-left names stay as they are', () => {
  const name = '\u05d3\u05d5\u05d3 \u0645\u062d\u0645\u062f';
  const xml = writeMetadata(exampleRecording({ customer: { aor: 'tel:+14255550123', name } }), complete);
  assert.ok(xml.includes(`<name>${name}</name>`));
});

test('the caller is the customer of an inbound call and the seller of an outbound one; names fall back to the number', () => {
  const parties = {
    customer: { aor: '+1 (425) 555-0123' },
    seller: { aor: 'sip:%2B4930901820@pbx.example', name: ' ' },
  };
  const shown = (direction: 'inbound' | 'outbound') =>
    Object.fromEntries(
      parseMetadata(writeMetadata(exampleRecording({ ...parties, direction }), complete)).sessions[0]
        ?.extensionParameters ?? [],
    );
  const [customer, seller] = ['+14255550123', '+4930901820'];
  assert.deepEqual(shown('inbound'), { Role: 'inbound', CallerDisplayName: customer, CalleeDisplayName: seller });
  assert.deepEqual(shown('outbound'), { Role: 'outbound', CallerDisplayName: seller, CalleeDisplayName: customer });
});

test('RFC 8068 §3.2.3: whoever was transferred away is disassociated, and the newcomer has the stream and the label', async () => {
  const before = exampleRecording();
  const at = new Date('2026-03-02T09:17:00.000Z');
  const after = replaceParticipant(before, 'seller', { aor: 'sip:+4930901821@pbx.example', name: 'Bob' }, at);
  const xml = writeMetadata(after, complete);
  assert.deepEqual(await schemaErrors(xml, writeMetadata(endRecordingModel(after, stopTime), partial)), []);
  const { participants, participantStreams, participantSessions, sessions } = parseMetadata(xml);
  assert.deepEqual(
    participants.map(({ nameIds }) => nameIds[0]?.name),
    ['Kiana Anderson', 'Bob', 'Tomás Ričardson & Co <sales>'],
  );
  assert.deepEqual(
    participantSessions.map(({ associateTime, disassociateTime }) => [associateTime, disassociateTime]),
    [
      [before.startTime.toISOString(), undefined],
      [at.toISOString(), undefined],
      [before.startTime.toISOString(), at.toISOString()],
    ],
  );
  assert.deepEqual(participantStreams[1]?.send, [uuidToWire(before.streams.seller.id)]);
  assert.equal(participantStreams.length, 2);
  assert.equal(sessions[0]?.extensionParameters.get('CalleeDisplayName'), 'Bob');
  assert.equal(
    replaceParticipant(after, 'seller', { aor: 'sip:+4930901821@pbx.example:5060', name: 'Bob' }, at),
    after,
  );
});

test('of many who were transferred away the latest are told', async () => {
  const identity = (index: number) => ({ aor: `sip:${index}@pbx.example` });
  let model = exampleRecording();
  for (let index = 0; index < 20; index += 1) model = replaceParticipant(model, 'seller', identity(index), stopTime);
  assert.deepEqual(await schemaErrors(writeMetadata(model, complete)), []);
  assert.deepEqual(
    model.former?.map(({ aor }) => aor),
    [11, 12, 13, 14, 15, 16, 17, 18].map((index) => identity(index).aor),
  );
});

test('an anonymous customer leaves nothing but the word', () => {
  const parsed = parseMetadata(writeMetadata(exampleRecording({ customer: anonymousParticipant() }), complete));
  assert.deepEqual(parsed.participants[0]?.nameIds, [{ aor: 'sip:anonymous@anonymous.invalid', name: 'Anonymous' }]);
  assert.equal(parsed.sessions[0]?.extensionParameters.get('CallerDisplayName'), 'Anonymous');
});

test('RFC 7866 §9.1: a snapshot without an offer has no labels', () => {
  assert.ok(!writeMetadata(exampleRecording(), { ...complete, labels: false }).includes('<label>'));
});

test('each party sends its own voice and receives the other one', () => {
  const { participantStreams, streams } = parseMetadata(writeMetadata(exampleRecording(), complete));
  const [inbound, outbound] = streams;
  assert.deepEqual([inbound?.label, outbound?.label], ['inbound', 'outbound']);
  assert.deepEqual(
    participantStreams.map(({ send, recv }) => [send, recv]),
    [
      [[inbound?.id], [outbound?.id]],
      [[outbound?.id], [inbound?.id]],
    ],
  );
});

test('the namespace of the extension is configurable, and without one there is no extension', () => {
  const own = { ...dynamics365, extensionNamespace: 'http://provider.example/siprec' };
  assert.ok(
    writeMetadata(exampleRecording(), { ...complete, profile: own }).includes(
      '<ExtensionParameters xmlns="http://provider.example/siprec">',
    ),
  );
  const { extensionNamespace, ...none } = dynamics365;
  assert.ok(!writeMetadata(exampleRecording(), { ...complete, profile: none }).includes('ExtensionParameters'));
});

test('RFC 7866 §9.1: a partial update of a recording that goes on says what flows now, and nothing else', async () => {
  const flows = { customer: { sends: false, receives: true }, seller: { sends: true, receives: true } };
  const xml = writeMetadata({ ...exampleRecording(), flows }, { ...partial, profile: rfc7866 });
  assert.deepEqual(await schemaErrors(xml), []);
  assert.deepEqual(
    [...xml.matchAll(/^ ?<(\w[\w-]*)/gm)].map(([, name]) => name),
    ['recording', 'datamode', 'participantstreamassoc', 'participantstreamassoc'],
  );
  assert.match(xml, /<datamode>partial</);
  assert.equal([...xml.matchAll(/<send>/g)].length, 1);
});

test('a recording ends once', () => {
  const ended = endRecordingModel(exampleRecording(), stopTime);
  assert.equal(endRecordingModel(ended, new Date()), ended);
  assert.equal(ended.participants.seller.disassociateTime, stopTime);
});

test('RFC 7865 §6.10: an id is the base64 of the 16 bytes of its UUID', () => {
  assert.equal(uuidFromWire('Wd/putWgTWCW2z1lI5Db9w=='), '59dfe9ba-d5a0-4d60-96db-3d652390dbf7');
  fc.assert(fc.property(fc.uuid(), (text) => uuidFromWire(uuidToWire(exampleId(text))) === text));
  for (const wrong of ['', 'Wd/putWgTWCW2z1lI5Db9w', 'AAAA', '59dfe9ba-d5a0-4d60-96db-3d652390dbf7']) {
    expectSiprecError('uuid', () => uuidFromWire(wrong));
  }
});

function exampleId(text: string) {
  return uuidFromWire(Buffer.from(text.replaceAll('-', ''), 'hex').toString('base64'));
}
