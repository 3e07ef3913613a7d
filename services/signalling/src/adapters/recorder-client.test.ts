import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { createAuthority } from '@sidestream/pki';
import type { IncomingOffer, RecorderDialog, RecorderHandlers } from '../domain/ports.js';
import { failure, goodbye, inviteTo, never, RecorderStage } from '../testing/recorder-stage.js';

const stage = await RecorderStage.open();
after(() => stage.close());

function listening(dialog: RecorderDialog): {
  offers: Promise<IncomingOffer>;
  ended: Promise<string>;
  snapshotWanted: Promise<void>;
} {
  const handlers: Partial<RecorderHandlers> = {};
  const offers = new Promise<IncomingOffer>((resolve) => {
    handlers.offer = resolve;
  });
  const ended = new Promise<string>((resolve) => {
    handlers.ended = (cause) => resolve(cause);
  });
  const snapshotWanted = new Promise<void>((resolve) => {
    handlers.snapshotWanted = resolve;
  });
  dialog.listen({
    offer: (offer) => handlers.offer?.(offer),
    snapshotWanted: () => handlers.snapshotWanted?.(),
    doubtful: () => handlers.doubtful?.(),
    ended: (cause, text) => handlers.ended?.(cause, text),
  });
  return { offers, ended, snapshotWanted };
}

test('what goes on the wire: mutual TLS, our Call-ID, +sip.src in Contact, BYE with metadata, one connection for all', async () => {
  const recorder = await stage.recorder();
  const recorders = await stage.client([recorder.uri()]);
  const invite = inviteTo(recorder.uri());
  const dialog = await recorders.invite(invite, never);
  assert.equal(dialog.tlsVersion, 'TLSv1.3');
  assert.match(dialog.clientCertificateSubject, /CN\s*=\s*client/);
  assert.equal(dialog.answer.body.toString(), 'answer');
  const [received] = recorder.invites;
  assert.ok(received);
  const { headers, uri } = received.request;
  assert.match(uri, /^sip:SRS@127\.0\.0\.1:\d+;transport=tls$/);
  assert.equal(headers.get('call-id'), invite.sipCallId);
  assert.match(headers.get('contact') ?? '', /^<sip:SRC@127\.0\.0\.1:\d+;transport=tls>;\+sip\.src$/);
  assert.match(headers.get('from') ?? '', /^<sip:SRC@sbc\.example>;tag=/);
  assert.equal(headers.get('x-accountid'), 'AC0123');
  assert.deepEqual([headers.get('supported'), headers.get('session-expires')], ['timer', '1800']);

  const second = await recorders.invite(inviteTo(recorder.uri()), never);
  assert.equal(recorder.invites[1]?.flow, received.flow);
  await dialog.bye(goodbye, never);
  await second.bye(goodbye, never);
  assert.deepEqual(
    recorder.byes.map((bye) => [bye.headers.get('x-accountid'), bye.body.toString()]),
    [
      ['AC0123', 'stop time'],
      ['AC0123', 'stop time'],
    ],
  );
  assert.equal(recorder.openDialogs, 0);
  for (const method of ['INVITE', 'BYE'])
    assert.equal(await recorders.metric('request_seconds', { method, status: '2xx', le: '+Inf' }), 2, method);
});

test('a refusal names the recorder and its status', async () => {
  const recorder = await stage.recorder((invite) => void invite.respond(403));
  const recorders = await stage.client([recorder.uri()]);
  const error = await failure(recorders.invite(inviteTo(recorder.uri()), never));
  assert.equal(error.code, 'recorder-refused');
  assert.match(error.message, /127\.0\.0\.1.*403/);
  assert.equal(await recorders.metric('request_seconds', { method: 'INVITE', status: '4xx', le: '+Inf' }), 1);
});

test('a silent recorder is given up in time', async () => {
  const recorder = await stage.recorder(() => {});
  const error = await failure(
    (await stage.client([recorder.uri()], { finalTimeoutMs: 200 })).invite(inviteTo(recorder.uri()), never),
  );
  assert.equal(error.code, 'recorder-unreachable');
});

test('RFC 3261 §9.1: the call that ends cancels the INVITE; a late 2xx is acknowledged and ended', async () => {
  const recorder = await stage.recorder((invite) => void invite.respond(180));
  const work = new AbortController();
  const attempt = failure((await stage.client([recorder.uri()])).invite(inviteTo(recorder.uri()), work.signal));
  const invite = await recorder.nextInvite();
  // The 200 is on its way when the call ends.
  const dialog = recorder.accept(invite, 'answer');
  work.abort(new DOMException('over', 'AbortError'));
  const error = await Promise.race([attempt, once(dialog, 'bye').then(() => undefined)]);
  assert.ok(error === undefined || error.code === 'cancelled');
  if (error !== undefined) await once(dialog, 'ended');
  // Whoever sends it, the BYE of a recording says the same.
  assert.deepEqual(
    recorder.byes.map((bye) => [bye.headers.get('x-accountid'), bye.body.toString()]),
    [['AC0123', 'stop time']],
  );
  assert.equal(recorder.openDialogs, 0);
});

test('a recorder with a certificate for another name is refused', async () => {
  const recorder = await stage.recorder(
    (invite, self) => self.accept(invite, 'answer'),
    stage.server({ dnsNames: ['other.example'] }),
  );
  const error = await failure((await stage.client([recorder.uri()])).invite(inviteTo(recorder.uri()), never));
  assert.equal(error.code, 'recorder-unreachable');
  assert.equal(recorder.invites.length, 0);
});

test('a recorder with a certificate of another authority is refused', async () => {
  const recorder = await stage.recorder(
    (invite, self) => self.accept(invite, 'answer'),
    stage.server(undefined, await createAuthority('another authority')),
  );
  const error = await failure((await stage.client([recorder.uri()])).invite(inviteTo(recorder.uri()), never));
  assert.equal(error.code, 'recorder-unreachable');
  assert.equal(recorder.invites.length, 0);
});

test("the recorder's BYE and re-INVITE reach the recording", async () => {
  const recorder = await stage.recorder();
  const dialog = await (await stage.client([recorder.uri()])).invite(inviteTo(recorder.uri()), never);
  const { offers, ended } = listening(dialog);
  const [peer] = recorder.dialogs;
  assert.ok(peer);
  const answered = peer.reinvite({ body: 'recorder offer', contentType: 'application/sdp' });
  const offer = await offers;
  assert.equal(offer.sdp, 'recorder offer');
  await offer.answer('standing offer');
  const response = await answered;
  assert.deepEqual([response.status, response.body.toString()], [200, 'standing offer']);
  assert.match(response.headers.get('contact') ?? '', /\+sip\.src/);
  assert.equal((await peer.request('OPTIONS')).status, 200);
  await peer.bye();
  assert.equal(await ended, 'hangup');
});

test('a re-INVITE of ours brings the new answer', async () => {
  const recorder = await stage.recorder((invite, self) => {
    self.accept(invite, 'answer').on('reinvite', (again) => {
      again.accept({ body: Buffer.from('answer 2'), contentType: 'application/sdp' });
    });
  });
  const dialog = await (await stage.client([recorder.uri()])).invite(inviteTo(recorder.uri()), never);
  const response = await dialog.reinvite({ ...goodbye, contentType: 'application/sdp' }, never);
  assert.deepEqual([response.status, response.body.toString()], [200, 'answer 2']);
  await dialog.bye(goodbye, never);
});

test('RFC 7866 §9.2: a request for a snapshot is answered 200 and reaches the recording', async () => {
  const recorder = await stage.recorder();
  const dialog = await (await stage.client([recorder.uri()])).invite(inviteTo(recorder.uri()), never);
  const { snapshotWanted } = listening(dialog);
  const [peer] = recorder.dialogs;
  assert.ok(peer);
  const body = "<requestsnapshot xmlns='urn:ietf:params:xml:ns:recording:1'/>";
  const response = await peer.request('UPDATE', { body, contentType: 'application/rs-metadata' });
  assert.equal(response.status, 200);
  await snapshotWanted;
});

test("the outcome of BYE is the recorder's answer, or nothing", async () => {
  const recorder = await stage.recorder();
  const recorders = await stage.client([recorder.uri()]);
  const confirmed = await recorders.invite(inviteTo(recorder.uri()), never);
  assert.equal(await confirmed.bye(goodbye, never), 200);
  const forgotten = await recorders.invite(inviteTo(recorder.uri()), never);
  recorder.dialogs[1]?.dispose();
  assert.equal(await forgotten.bye(goodbye, never), 481);
  const silent = await recorders.invite(inviteTo(recorder.uri()), never);
  await recorder.close();
  assert.equal(await silent.bye(goodbye, AbortSignal.timeout(1_000)), undefined);
});

test('RFC 3263 §4.3: a warm connection that is silent costs one time-out, then a new one carries all', async () => {
  const recorder = await stage.recorder();
  const proxy = await stage.proxyTo(recorder);
  const recorders = await stage.client([proxy.uri], { provisionalTimeoutMs: 300 });
  const first = await recorders.invite(inviteTo(proxy.uri), never);
  proxy.silence();
  const invite = inviteTo(proxy.uri, { last: true });
  const second = await recorders.invite(invite, never);
  assert.equal(recorder.invites.at(-1)?.request.headers.get('call-id'), invite.sipCallId);
  assert.equal(recorder.invites.length, 2);
  const third = await recorders.invite(inviteTo(proxy.uri), never);
  assert.equal(recorder.invites[1]?.flow, recorder.invites[2]?.flow);
  assert.equal(proxy.connections(), 2);
  // The dialog that lived on the dead connection ends on the new one.
  for (const dialog of [first, second, third]) assert.equal(await dialog.bye(goodbye, AbortSignal.timeout(2_000)), 200);
});

test('a connection that was opened for a BYE may be silent as well', async () => {
  const recorder = await stage.recorder();
  const proxy = await stage.proxyTo(recorder);
  const recorders = await stage.client([proxy.uri], { provisionalTimeoutMs: 300 });
  const first = await recorders.invite(inviteTo(proxy.uri), never);
  proxy.reset();
  assert.equal(await first.bye(goodbye, AbortSignal.timeout(2_000)), 200);
  proxy.silence();
  const second = await recorders.invite(inviteTo(proxy.uri, { last: true }), never);
  assert.equal(await second.bye(goodbye, AbortSignal.timeout(2_000)), 200);
});

test('a recorder that is silent on a new connection is not asked twice', async () => {
  const { certFile, keyFile } = await stage.server();
  let invites = 0;
  const mute = createTlsServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      if (bytes.toString().startsWith('INVITE')) invites += 1;
    });
  });
  mute.listen(0, '127.0.0.1');
  await once(mute, 'listening');
  stage.closing.push(async () => void mute.close());
  const address = mute.address();
  assert.ok(address !== null && typeof address === 'object');
  const uri = `sip:SRS@127.0.0.1:${address.port}`;
  const recorders = await stage.client([uri], { provisionalTimeoutMs: 100 });
  const error = await failure(recorders.invite(inviteTo(uri, { last: true }), never));
  assert.match(error.message, /no response within 100 ms/);
  assert.equal(invites, 1);
});
