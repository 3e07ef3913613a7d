import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Headers } from '../message/headers.js';
import { settle } from '../transaction/scripted-flow.js';
import { invite } from './scripted-invite.js';

const sdp = 'application/sdp';

test('RFC 3261 §13.2.2.4: the offer of a 2xx is answered in the ACK, and every copy gets the same ACK', async () => {
  let asked = 0;
  const answerOffer = async () => {
    asked += 1;
    await settle();
    return { body: 'answer', contentType: sdp };
  };
  const { respond, sent } = await invite({ answerOffer });
  await respond(200, 'a', undefined, { body: 'offer' });
  await respond(200, 'a', undefined, { body: 'offer' });
  await settle();
  assert.equal(asked, 1);
  assert.deepEqual(
    sent('ACK').map((ack) => [String(ack.body), ack.headers.get('Content-Type'), ack.topVia.parameters.get('branch')]),
    Array.from({ length: 2 }, () => ['answer', sdp, sent('ACK')[0]?.topVia.parameters.get('branch')]),
  );
});

test('RFC 3261 §13.2.2.4: an offer that cannot be answered is acknowledged, and the session ended by BYE', async () => {
  const { respond, sent } = await invite({ answerOffer: () => Promise.reject(new Error('no common codec')) });
  await respond(200, 'a', undefined, { body: 'offer' });
  await settle();
  assert.deepEqual([sent('ACK').length, sent('ACK')[0]?.body.length, sent('BYE').length], [1, 0, 1]);
});

test('RFC 3261 §13.2.2.4: an answer to our own offer is not asked about; the offer of another fork neither', async () => {
  const answerOffer = () => assert.fail('asked');
  const offered = await invite({ body: 'offer', answerOffer });
  await offered.respond(200, 'a', undefined, { body: 'answer' });
  assert.equal(offered.sent('ACK')[0]?.body.length, 0);
});

test('RFC 3261 §13.2.2.4: a re-INVITE without offer answers that of its 2xx', async () => {
  const { respond, sent, session } = await invite();
  await respond(200);
  const changed = session().dialog.reinvite({
    answerOffer: ({ body }) => ({ body: `answer to ${body}`, contentType: sdp }),
  });
  await settle();
  await respond(200, 'fork-1', sent('INVITE')[1], { body: 'offer' });
  assert.equal((await changed).status, 200);
  assert.equal(String(sent('ACK')[1]?.body), 'answer to offer');
});

test('RFC 3261 §13.2.2.4: the ACK has the credentials of its INVITE', async () => {
  const headers = new Headers([
    ['Authorization', 'Digest username="a"'],
    ['Proxy-Authorization', 'Digest username="b"'],
  ]);
  const { respond, sent } = await invite({ headers });
  await respond(200);
  assert.deepEqual(
    ['Authorization', 'Proxy-Authorization'].map((name) => sent('ACK')[0]?.headers.get(name)),
    ['Digest username="a"', 'Digest username="b"'],
  );
});

test('RFC 3261 §8.1.1: a SIPS target makes the Contact SIPS; a To with a tag is refused', async () => {
  const { sent } = await invite({ uri: 'sips:srs@192.0.2.2', contact: '<sip:src@192.0.2.1:5061>;+sip.src' });
  assert.equal(sent('INVITE')[0]?.headers.get('Contact'), '<sips:src@192.0.2.1:5061>;+sip.src');
  const tagged = await invite({ to: '<sip:srs@192.0.2.2>;tag=x' });
  assert.deepEqual([tagged.outcome(), tagged.sent('INVITE').length], ['malformed 400', 0]);
});
