import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { type Authority, type CredentialFiles, CredentialFolder, createAuthority } from '@sidestream/pki';
import { SidestreamError } from '@sidestream/service';
import { dynamics365, newRecordingCallId } from '@sidestream/siprec';
import type { IncomingOffer, RecorderDialog, RecorderHandlers, RecordingInvite } from '../domain/ports.js';
import { silent } from '../testing/fake-world.js';
import { TestRecorder } from '../testing/test-recorder.js';
import { SipRecorderClient } from './recorder-client.js';

let authority: Authority;
let stranger: Authority;
let folder: CredentialFolder;
const closing: (() => Promise<void>)[] = [];

before(async () => {
  authority = await createAuthority('test authority');
  stranger = await createAuthority('another authority');
  folder = await CredentialFolder.create();
});

after(async () => {
  for (const close of closing) await close();
  await folder.remove();
});

const here = { ipAddresses: ['127.0.0.1'] };

/** Files of a recorder with these names, whoever issued its certificate; it trusts our authority. */
async function server(
  names: { dnsNames?: string[]; ipAddresses?: string[] } = here,
  by = authority,
): Promise<CredentialFiles> {
  return await folder.write(await by.issue({ commonName: 'server', ...names }), 'server', authority);
}

async function recorderThat(
  onInvite: Parameters<typeof TestRecorder.start>[1],
  files = server(),
): Promise<TestRecorder> {
  const recorder = await TestRecorder.start(await files, onInvite);
  closing.push(() => recorder.close());
  return recorder;
}

async function client(finalTimeoutMs = 3_000, provisionalTimeoutMs = finalTimeoutMs): Promise<SipRecorderClient> {
  const credential = await authority.issue({ commonName: 'client', dnsNames: ['client.example'] });
  const { certFile, keyFile, trustFile } = await folder.write(credential, 'client');
  const tenant = {
    identity: { certFile, keyFile },
    trustFile,
    profile: dynamics365,
    domain: 'sbc.example',
    provisionalTimeoutMs,
    finalTimeoutMs,
    recorders: [],
  };
  const made = new SipRecorderClient({ contoso: tenant }, silent);
  closing.push(() => made.close());
  return made;
}

function inviteTo(recorder: string): RecordingInvite {
  return {
    tenant: 'contoso',
    recorder,
    sipCallId: newRecordingCallId(),
    headers: [
      ['Require', 'siprec'],
      ['X-AccountId', 'AC0123'],
    ],
    contentType: 'application/sdp',
    body: Buffer.from('offer'),
    goodbye: () => goodbye,
  };
}

const never = new AbortController().signal;
const goodbye = {
  contentType: 'text/plain',
  body: Buffer.from('stop time'),
  headers: [['X-AccountId', 'AC0123']] as const,
};

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

async function failure(attempt: Promise<unknown>): Promise<SidestreamError> {
  try {
    await attempt;
  } catch (error) {
    assert.ok(error instanceof SidestreamError);
    return error;
  }
  throw new assert.AssertionError({ message: 'the recorder accepted' });
}

test('what goes on the wire: mutual TLS, our Call-ID, +sip.src in Contact, BYE with metadata, one connection for all', async () => {
  const recorder = await recorderThat((invite, self) => self.accept(invite, 'answer'));
  const recorders = await client();
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
  assert.equal(headers.get('supported'), undefined);

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
});

test('a refusal names the recorder and its status', async () => {
  const recorder = await recorderThat((invite) => void invite.respond(403));
  const error = await failure((await client()).invite(inviteTo(recorder.uri()), never));
  assert.equal(error.code, 'recorder-refused');
  assert.match(error.message, /127\.0\.0\.1.*403/);
});

test('a silent recorder is given up in time', async () => {
  const recorder = await recorderThat(() => {});
  const error = await failure((await client(200)).invite(inviteTo(recorder.uri()), never));
  assert.equal(error.code, 'recorder-unreachable');
});

test('RFC 3261 §9.1: the call that ends cancels the INVITE; a late 2xx is acknowledged and ended', async () => {
  const recorder = await recorderThat((invite) => void invite.respond(180));
  const work = new AbortController();
  const attempt = failure((await client()).invite(inviteTo(recorder.uri()), work.signal));
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
  const recorder = await recorderThat(
    (invite, self) => self.accept(invite, 'answer'),
    server({ dnsNames: ['other.example'] }),
  );
  const error = await failure((await client()).invite(inviteTo(recorder.uri()), never));
  assert.equal(error.code, 'recorder-unreachable');
  assert.equal(recorder.invites.length, 0);
});

test('a recorder with a certificate of another authority is refused', async () => {
  const recorder = await recorderThat((invite, self) => self.accept(invite, 'answer'), server(here, stranger));
  const error = await failure((await client()).invite(inviteTo(recorder.uri()), never));
  assert.equal(error.code, 'recorder-unreachable');
  assert.equal(recorder.invites.length, 0);
});

test("the recorder's BYE and re-INVITE reach the recording", async () => {
  const recorder = await recorderThat((invite, self) => self.accept(invite, 'answer'));
  const dialog = await (await client()).invite(inviteTo(recorder.uri()), never);
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
  const recorder = await recorderThat((invite, self) => {
    self.accept(invite, 'answer').on('reinvite', (again) => {
      again.accept({ body: Buffer.from('answer 2'), contentType: 'application/sdp' });
    });
  });
  const dialog = await (await client()).invite(inviteTo(recorder.uri()), never);
  const response = await dialog.reinvite({ ...goodbye, contentType: 'application/sdp' }, never);
  assert.deepEqual([response.status, response.body.toString()], [200, 'answer 2']);
  await dialog.bye(goodbye, never);
});

test('RFC 7866 §9.2: a request for a snapshot is answered 200 and reaches the recording', async () => {
  const recorder = await recorderThat((invite, self) => self.accept(invite, 'answer'));
  const dialog = await (await client()).invite(inviteTo(recorder.uri()), never);
  const { snapshotWanted } = listening(dialog);
  const [peer] = recorder.dialogs;
  assert.ok(peer);
  const body = "<requestsnapshot xmlns='urn:ietf:params:xml:ns:recording:1'/>";
  const response = await peer.request('UPDATE', { body, contentType: 'application/rs-metadata' });
  assert.equal(response.status, 200);
  await snapshotWanted;
});

test("the outcome of BYE is the recorder's answer, or nothing", async () => {
  const recorder = await recorderThat((invite, self) => self.accept(invite, 'answer'));
  const recorders = await client();
  const confirmed = await recorders.invite(inviteTo(recorder.uri()), never);
  assert.equal(await confirmed.bye(goodbye, never), 200);
  const forgotten = await recorders.invite(inviteTo(recorder.uri()), never);
  recorder.dialogs[1]?.dispose();
  assert.equal(await forgotten.bye(goodbye, never), 481);
  const silent = await recorders.invite(inviteTo(recorder.uri()), never);
  await recorder.close();
  assert.equal(await silent.bye(goodbye, AbortSignal.timeout(1_000)), undefined);
});

/** Forwards connections to a recorder until they are told to go silent. */
async function proxyTo(port: number) {
  const pairs: [Socket, Socket][] = [];
  const server = createServer((from) => {
    const to = connect(port, '127.0.0.1');
    pairs.push([from, to]);
    from.pipe(to).pipe(from);
    for (const socket of [from, to]) socket.on('error', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    for (const socket of pairs.flat()) socket.destroy();
    server.close();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return {
    uri: `sip:SRS@127.0.0.1:${address.port}`,
    connections: () => pairs.length,
    reset: () => {
      for (const [from, to] of pairs.splice(0)) for (const socket of [from, to]) socket.resetAndDestroy();
    },
    silence: () => {
      for (const [from, to] of pairs) {
        from.unpipe(to);
        to.unpipe(from);
        from.resume();
      }
    },
  };
}

test('RFC 3263 §4.3: a warm connection that is silent costs one time-out, then a new one carries all', async () => {
  const recorder = await recorderThat((invite, self) => self.accept(invite, 'answer'));
  const proxy = await proxyTo(Number(recorder.uri().split(':').at(-1)));
  const recorders = await client(3_000, 300);
  const first = await recorders.invite(inviteTo(proxy.uri), never);
  proxy.silence();
  const invite = inviteTo(proxy.uri);
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
  const recorder = await recorderThat((invite, self) => self.accept(invite, 'answer'));
  const proxy = await proxyTo(Number(recorder.uri().split(':').at(-1)));
  const recorders = await client(3_000, 300);
  const first = await recorders.invite(inviteTo(proxy.uri), never);
  proxy.reset();
  assert.equal(await first.bye(goodbye, AbortSignal.timeout(2_000)), 200);
  proxy.silence();
  const second = await recorders.invite(inviteTo(proxy.uri), never);
  assert.equal(await second.bye(goodbye, AbortSignal.timeout(2_000)), 200);
});

test('a recorder that is silent on a new connection is not asked twice', async () => {
  const { certFile, keyFile } = await server();
  let invites = 0;
  const mute = createTlsServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      if (bytes.toString().startsWith('INVITE')) invites += 1;
    });
  });
  mute.listen(0, '127.0.0.1');
  await once(mute, 'listening');
  closing.push(async () => void mute.close());
  const address = mute.address();
  assert.ok(address !== null && typeof address === 'object');
  const error = await failure((await client(3_000, 100)).invite(inviteTo(`sip:SRS@127.0.0.1:${address.port}`), never));
  assert.match(error.message, /no response within 100 ms/);
  assert.equal(invites, 1);
});
