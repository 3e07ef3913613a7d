import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMetadata } from './metadata/parse-metadata.js';
import { endRecordingModel } from './metadata/recording-model.js';
import { parseMultipart } from './mime/parse-multipart.js';
import { dynamics365, rfc7866 } from './recorder-profile.js';
import { byeBody, initialBody } from './recording-body.js';
import { exampleOffer, exampleRecording, stopTime } from './testing/example-recording.js';
import { packageFile } from './testing/package-file.js';
import { schemaErrors } from './testing/schema-errors.js';

const newBoundary = () => 'sidestream-golden';
const model = exampleRecording();

test('the body of an INVITE is the golden one', () => {
  const { contentType, body } = initialBody({ model, offerSdp: exampleOffer(), profile: dynamics365, newBoundary });
  assert.equal(contentType, 'multipart/mixed;boundary="sidestream-golden"');
  assert.equal(body.toString('utf8'), packageFile('golden/invite-body.txt'));
});

test('RFC 7866 §9.1: an update of what flows is partial where the profile has it so, and the full snapshot else', () => {
  for (const [profile, datamode] of [
    [rfc7866, 'partial'],
    [dynamics365, 'complete'],
  ] as const) {
    const { contentType, body } = initialBody({
      model,
      offerSdp: exampleOffer({ profile }),
      profile,
      flowsAlone: true,
    });
    const [offer, metadata] = parseMultipart(contentType, body);
    assert.equal(offer?.contentType, 'application/sdp');
    assert.equal(parseMetadata(String(metadata?.body)).datamode, datamode);
  }
});

test('the body of a BYE is the golden one', () => {
  const { body } = byeBody({ model, profile: dynamics365, stopTime, newBoundary });
  assert.equal(body.toString('utf8'), packageFile('golden/bye-body.txt'));
});

test('profile rfc7866: the bodies of INVITE and BYE are the golden ones', async () => {
  const offerSdp = exampleOffer({ profile: rfc7866 });
  const invite = initialBody({ model, offerSdp, profile: rfc7866, newBoundary });
  const bye = byeBody({ model, profile: rfc7866, stopTime, newBoundary });
  assert.equal(invite.body.toString('utf8'), packageFile('golden/rfc7866/invite-body.txt'));
  assert.equal(bye.body.toString('utf8'), packageFile('golden/rfc7866/bye-body.txt'));
  const documents = [invite, bye].map(({ contentType, body }) =>
    String(parseMultipart(contentType, body).find(({ mediaType }) => mediaType === rfc7866.metadataType)?.body),
  );
  assert.deepEqual(await schemaErrors(...documents), []);
  assert.doesNotMatch(documents.join(''), /ExtensionParameters/);
});

test('a recording that has ended already keeps its stop time in the BYE', () => {
  const ended = endRecordingModel(model, stopTime);
  const { body } = byeBody({ model: ended, profile: dynamics365, stopTime: new Date(), newBoundary });
  assert.equal(body.toString('utf8'), packageFile('golden/bye-body.txt'));
});

test('RFC 7866 §9.1: the labels of the metadata are those of the offer beside it', () => {
  const { contentType, body } = initialBody({ model, offerSdp: exampleOffer(), profile: dynamics365 });
  const [sdp, metadata] = parseMultipart(contentType, body).map((part) => part.body.toString('utf8'));
  const offered = [...(sdp ?? '').matchAll(/a=label:(\S+)/g)].map(([, label]) => label);
  assert.deepEqual(
    parseMetadata(metadata ?? '').streams.map(({ label }) => label),
    offered,
  );
});
