// The recording client's case: TLS with certificates on both sides, and no listener of its own.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { CredentialFolder, createAuthority } from '@sidestream/pki';
import { createResponse } from '../message/create-response.js';
import { Headers } from '../message/headers.js';
import { serialiseMessage } from '../message/serialise-message.js';
import { SipRequest } from '../message/sip-message.js';
import { TransactionLayer } from '../transaction/transaction-layer.js';
import type { Target } from '../transport/flow.js';
import { TlsIdentity } from '../transport/tls-identity.js';
import { Transports } from '../transport/transports.js';
import type { UaDialog } from './ua-dialog.js';
import { UserAgent } from './user-agent.js';

const sdp = { body: 'v=0\r\n', contentType: 'application/sdp' };

interface Recorder {
  readonly transports: Transports;
  readonly target: Target;
  readonly client: UserAgent;
}

async function withRecorder(work: (recorder: Recorder) => Promise<void>): Promise<void> {
  const authority = await createAuthority('Test authority');
  const folder = await CredentialFolder.create();
  const recorder = await authority.issue({ commonName: 'recorder', dnsNames: ['recorder.test'] });
  const server = await folder.write(recorder, 'recorder');
  const own = await folder.write(await authority.issue({ commonName: 'sidestream' }), 'sidestream');
  const transports = new Transports();
  const dialling = new Transports();
  const client = new UserAgent({ transports: dialling, supported: ['siprec'] });
  try {
    const tls = { identity: new TlsIdentity(server), requestClientCertificate: true };
    const address = await transports.listen({ protocol: 'tls', host: '127.0.0.1', port: 0, tls });
    const identity = new TlsIdentity(own);
    await work({ transports, client, target: { protocol: 'tls', ...address, servername: 'recorder.test', identity } });
  } finally {
    await client.close();
    await dialling.close();
    await transports.close();
    await folder.remove();
  }
}

function record({ client, target }: Recorder) {
  return client.invite({
    target,
    uri: `sip:SRS@recorder.test:${target.port};transport=tls`,
    from: '<sip:src@192.0.2.1>',
    contact: ({ local }) => `<sip:src@${local.host}:${local.port};transport=tls>;+sip.src`,
    headers: new Headers([['Require', 'siprec']]),
    finalTimeoutMs: 5000,
    ...sdp,
  });
}

test('the recorder re-INVITEs and hangs up over the connection that the client opened', async () => {
  await withRecorder(async (world) => {
    const recorder = new UserAgent({ transports: world.transports, supported: ['siprec'] });
    const sessions: UaDialog[] = [];
    recorder.on('invite', (invite) =>
      sessions.push(invite.accept({ contact: '<sip:srs@10.1.2.3:5061;transport=tls>', ...sdp })),
    );
    const { dialog, flow } = await record(world);
    assert.equal(flow.tls?.authorized, true);
    assert.equal(dialog.state.remoteTarget, 'sip:srs@10.1.2.3:5061;transport=tls');
    dialog.on('reinvite', (offer) => offer.accept(sdp));
    const [session] = sessions;
    assert.ok(session);
    assert.equal((await session.reinvite(sdp)).headers.get('Contact'), dialog.state.localContact);
    const ended = once(dialog, 'ended');
    assert.equal((await session.bye())?.status, 200);
    assert.deepEqual(await ended, ['remote']);
    await recorder.close();
  });
});

test('a reset of the connection is no end of the session: BYE goes over a new one', async () => {
  await withRecorder(async (world) => {
    const recorder = new UserAgent({ transports: world.transports, supported: ['siprec'] });
    recorder.on('invite', (invite) => {
      invite.accept({ contact: '<sip:srs@10.1.2.3:5061;transport=tls>', ...sdp });
      invite.on('ack', () => invite.flow.close());
    });
    const { dialog, flow } = await record(world);
    if (!flow.closed) await once(dialog, 'flowClosed');
    assert.equal(world.client.dialogs, 1);
    assert.equal((await dialog.bye())?.status, 200);
    assert.notEqual(dialog.flow?.id, flow.id);
    await recorder.close();
  });
});

test('a request that comes in the same packet as the 2xx reaches whoever waits for the session', async () => {
  await withRecorder(async (world) => {
    const layer = new TransactionLayer({ transports: world.transports });
    layer.on('request', ({ request, flow }) => {
      const headers = new Headers([
        ['Via', 'SIP/2.0/TLS 127.0.0.1:5061;branch=z9hG4bKupdate'],
        ['From', `${request.headers.get('To')};tag=srs`],
        ['To', request.headers.get('From') ?? ''],
        ['Call-ID', request.callId],
        ['CSeq', '1 INFO'],
      ]);
      const contact = new Headers([['Contact', '<sip:srs@127.0.0.1;transport=tls>']]);
      const accepted = createResponse(request, 200, { toTag: 'srs', headers: contact });
      const info = new SipRequest({ method: 'INFO', uri: 'sip:src@127.0.0.1', headers });
      void flow.send(Buffer.concat([serialiseMessage(accepted), serialiseMessage(info)]));
    });
    const { dialog } = await record(world);
    const [incoming] = await once(dialog, 'request', { signal: AbortSignal.timeout(5000) });
    assert.equal(await incoming.respond(200), true);
    layer.close();
  });
});
