import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidestream/peers';
import type { IncomingRequest } from '@sidestream/sip';
import { bodyParts } from '@sidestream/siprec';
import { renameLabels } from './answers.js';
import { combine } from './behaviour.js';
import { byeAfter, floodWithReinvites, inactiveThenRecvonly, refreshSession, requestSnapshot } from './initiatives.js';
import { answering, meet, TIMEOUT } from './misbehaving-recorder.js';

test('hangs up after a time', TIMEOUT, async (t) => {
  await meet(t, combine(renameLabels(), byeAfter(50)), async (src, recorder) => {
    await src.invite();
    await src.hungUp();
    assert.equal(await recorder.sessions[0]?.ended, 'recorder');
  });
});

test('RFC 4028 §9: asks for a session timer and refreshes by itself, by re-INVITE or UPDATE', TIMEOUT, async (t) => {
  await meet(t, refreshSession(50), async (src) => {
    await src.invite();
    assert.equal(src.session?.response.headers.get('Session-Expires'), '90;refresher=uas');
    const came = answering(src);
    await eventually(() => came.length >= 3, 'three refreshes');
    const [first, second] = came.map(({ request }) => request);
    assert.equal(first?.headers.get('Session-Expires'), '90;refresher=uac');
    // RFC 3264 §8: the version stays where nothing changes.
    assert.equal(String(first?.body), String(src.session?.response.body));
    assert.equal(String(second?.body), String(first?.body));
  });
  await meet(t, refreshSession(50, 'UPDATE'), async (src) => {
    await src.invite();
    const came: IncomingRequest[] = [];
    src.session?.dialog.on('request', (request) => {
      came.push(request);
      void request.respond(200);
    });
    await eventually(() => came.length >= 2, 'two refreshes');
    assert.ok(came.every(({ request }) => request.method === 'UPDATE' && request.body.length === 0));
  });
});

test('RFC 7866 §9.2: asks for a snapshot by UPDATE, or by re-INVITE beside its offer', TIMEOUT, async (t) => {
  await meet(t, requestSnapshot(50), async (src) => {
    await src.invite();
    const asked = await new Promise<IncomingRequest>((resolve) => src.session?.dialog.once('request', resolve));
    void asked.respond(200);
    assert.match(String(asked.request.body), /<requestsnapshot xmlns="urn:ietf:params:xml:ns:recording:1">/);
    assert.equal(asked.request.headers.get('Content-Disposition'), 'recording-session');
  });
  await meet(t, requestSnapshot(50, 're-INVITE'), async (src) => {
    await src.invite();
    const came = answering(src);
    await eventually(() => came.length === 1, 'the request');
    const { headers, body } = came[0]?.request ?? assert.fail();
    const types = bodyParts(headers.get('Content-Type') ?? '', body).map(({ mediaType }) => mediaType);
    assert.deepEqual(types, ['application/sdp', 'application/rs-metadata+xml']);
  });
});

test('RFC 7866 §7.2: answers inactive, wants the media later, and takes it under the same keys', TIMEOUT, async (t) => {
  await meet(t, inactiveThenRecvonly(50), async (src, recorder) => {
    await src.invite();
    const first = String(src.session?.response.body);
    assert.equal(first.match(/a=inactive/g)?.length, 2);
    const came = answering(src);
    await eventually(() => came.length === 1, 'the re-INVITE');
    const second = String(came[0]?.request.body);
    assert.equal(second.match(/a=recvonly/g)?.length, 2);
    assert.deepEqual(second.match(/inline:\S+/g), first.match(/inline:\S+/g));
    src.send(0, [1, 2]);
    await eventually(() => recorder.sessions[0]?.streams[0]?.statistics.received === 2, 'the packets are there');
  });
});

test('floods its client with re-INVITEs, each once the one before is answered', TIMEOUT, async (t) => {
  await meet(t, floodWithReinvites(20), async (src) => {
    await src.invite();
    const came = answering(src);
    await eventually(() => came.length === 20, 'all of them');
    await src.bye();
  });
});
