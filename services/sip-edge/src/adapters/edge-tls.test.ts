// SIP over TLS: both directions, and what the edge shows of itself.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { eventually } from '@sidestream/peers';
import { type Authority, type Credential, CredentialFolder, createAuthority } from '@sidestream/pki';
import { TlsIdentity } from '@sidestream/sip';
import { type AppReply, type AppRequest, connectApp, next } from '../contract/drachtio-app.js';
import { address, type EmbeddedEdge, startEmbeddedEdge } from '../contract/embedded-edge.js';
import { answer, RawCall, sdp } from '../contract/raw-call.js';
import { RawPeer } from '../contract/raw-peer.js';

describe('SIP over TLS', () => {
  let folder: CredentialFolder;
  let credential: Credential;
  let edge: EmbeddedEdge;

  before(async () => {
    const authority = await createAuthority('Simulated CA');
    credential = await authority.issue({ commonName: 'edge', ipAddresses: ['127.0.0.1'], usages: 'both' });
    folder = await CredentialFolder.create();
    const files = await folder.write(credential, 'edge');
    edge = await startEmbeddedEdge({
      listen: [
        { protocol: 'udp', host: '127.0.0.1', port: 0 },
        { protocol: 'tcp', host: '127.0.0.1', port: 0 },
        { protocol: 'tls', host: '127.0.0.1', port: 0 },
      ],
      tls: { identity: new TlsIdentity(files), requestClientCertificate: false },
    });
  });
  after(async () => {
    await edge.stop();
    await folder.remove();
  });

  test('a call that comes in: the application sees tls, Contact leads back to the TLS listener', async () => {
    const app = await connectApp(edge, (srf) =>
      srf.invite(async (request, reply) => {
        await srf.createUAS(request, reply, { localSdp: sdp(41_000) });
        srf.emit('answered', request);
      }),
    );
    const listener = address(edge.edge.addresses['sip.tls'] ?? '');
    const socket = connect({ ...listener, ca: credential.trust });
    await once(socket, 'secureConnect');
    const caller = RawPeer.over(socket, 'TLS', listener);
    const answered = next(app, 'answered');
    const call = new RawCall(caller);
    const ok = await call.establish();
    const [request] = (await answered) as [AppRequest];
    assert.equal(request.protocol, 'tls');
    assert.equal(ok.headers.get('Contact'), `<sips:127.0.0.1:${listener.port};transport=tls>`);
    call.send('BYE');
    await caller.response(200, 'BYE');
    app.disconnect();
    await caller.close();
  });

  test('a call that goes out over TLS: the certificate is verified, our own shown', async () => {
    const app = await connectApp(edge, () => undefined);
    const { certificate: cert, key, trust: ca } = credential;
    const server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const bound = server.address();
    const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
    const connected = once(server, 'secureConnection');
    const calling = app.createUAC(`sip:bob@127.0.0.1:${port};transport=tls`, { localSdp: sdp(42_000) });
    const rejected = assert.rejects(calling, { status: 486 });
    const [socket] = (await connected) as [TLSSocket];
    assert.equal(socket.authorized, true);
    const callee = RawPeer.over(socket, 'TLS', { host: '127.0.0.1', port: 0 });
    const invite = await callee.request('INVITE');
    assert.equal(invite.headers.get('To'), `<sip:bob@127.0.0.1:${port};transport=tls>`);
    assert.match(invite.contacts[0]?.uri ?? '', /^sips:127\.0\.0\.1:\d+;transport=tls$/);
    answer(callee, invite, 486);
    await rejected;
    app.disconnect();
    await callee.close();
    server.close();
  });
});

describe('SIP over mutual TLS: who a peer is stands in its certificate', () => {
  let authority: Authority;
  let folder: CredentialFolder;
  let trust: string;
  let edge: EmbeddedEdge;

  before(async () => {
    authority = await createAuthority('Simulated CA');
    const own = await authority.issue({ commonName: 'edge', ipAddresses: ['127.0.0.1'], usages: 'both' });
    trust = own.trust;
    folder = await CredentialFolder.create();
    edge = await startEmbeddedEdge({
      listen: [
        { protocol: 'udp', host: '127.0.0.1', port: 0 },
        { protocol: 'tcp', host: '127.0.0.1', port: 0 },
        { protocol: 'tls', host: '127.0.0.1', port: 0 },
      ],
      peers: ['127.0.0.9'],
      certificateNames: ['pbx.example'],
      tls: { identity: new TlsIdentity(await folder.write(own, 'edge')), requestClientCertificate: true },
    });
  });
  after(async () => {
    await edge.stop();
    await folder.remove();
  });

  async function dial(dnsName: string): Promise<{ peer: RawPeer; socket: TLSSocket }> {
    const { certificate: cert, key } = await authority.issue({
      commonName: 'peer',
      dnsNames: [dnsName],
      usages: 'client',
    });
    const listener = address(edge.edge.addresses['sip.tls'] ?? '');
    const socket = connect({ ...listener, ca: trust, cert, key });
    await once(socket, 'secureConnect');
    return { peer: RawPeer.over(socket, 'TLS', listener), socket };
  }

  test('RFC 5922 §7.1: one of the names makes a peer of any address, and the application is told it, whatever the peer says', async () => {
    const app = await connectApp(edge, (srf) =>
      srf.invite((request, reply) => void srf.emit('arrived', request, reply)),
    );
    const { peer } = await dial('PBX.example');
    const arrived = next(app, 'arrived');
    const call = new RawCall(peer);
    call.send('INVITE', { body: sdp(40_000), headers: { 'x-sidestream-certificate-names': 'carrier.example' } });
    const [request, reply] = (await arrived) as [AppRequest, AppReply];
    assert.equal(request.get('X-Sidestream-Certificate-Names'), 'pbx.example');
    reply.send(486);
    await peer.response(486, 'INVITE');
    app.disconnect();
    await peer.close();
  });

  test('another name, signed by the same authority, is not answered: the connection ends', async () => {
    const { peer, socket } = await dial('other.example');
    const closed = once(socket, 'close');
    new RawCall(peer).send('INVITE', { body: sdp(40_000) });
    await closed;
    assert.equal(peer.bytesReceived, 0);
    await peer.close();
  });

  test('without TLS the address counts', async () => {
    const caller = await RawPeer.udp(edge.udp);
    new RawCall(caller).send('INVITE', {
      body: sdp(40_000),
      headers: { 'X-Sidestream-Certificate-Names': 'pbx.example', 'X-Sidestream-Trace': '00-1-1-01' },
    });
    await eventually(async () => (await edge.metric('sidestream_edge_refused_total')) >= 2, 'it was refused');
    assert.equal(caller.bytesReceived, 0);
    await caller.close();
  });
});
