import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMetadata } from './metadata/parse-metadata.js';
import { endRecordingModel } from './metadata/recording-model.js';
import { parseMultipart } from './mime/parse-multipart.js';
import { dynamics365 } from './recorder-profile.js';
import { byeBody, initialBody } from './recording-body.js';
import { exampleOffer, exampleRecording, stopTime } from './testing/example-recording.js';
import { packageFile } from './testing/package-file.js';

const newBoundary = () => 'sidestream-golden';
const model = exampleRecording();

test('the body of an INVITE is the golden one', () => {
  const { contentType, body } = initialBody({ model, offerSdp: exampleOffer(), profile: dynamics365, newBoundary });
  assert.equal(contentType, 'multipart/mixed;boundary="sidestream-golden"');
  assert.equal(body.toString('utf8'), packageFile('golden/invite-body.txt'));
});

test('the body of a BYE is the golden one', () => {
  const { body } = byeBody({ model, profile: dynamics365, stopTime, newBoundary });
  assert.equal(body.toString('utf8'), packageFile('golden/bye-body.txt'));
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
