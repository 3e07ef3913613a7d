import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { type Authority, type Credential, createAuthority } from './authority.js';

async function handshake(server: Credential, client: Credential, trust: Authority, name: string): Promise<string> {
  const listener = createServer({
    key: server.key,
    cert: server.certificate,
    ca: trust.certificate,
    requestCert: true,
  });
  listener.on('tlsClientError', () => undefined);
  listener.on('secureConnection', (socket: TLSSocket) => {
    socket.on('error', () => undefined);
    socket.end(String(socket.getPeerCertificate().subject.CN));
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const socket = connect({
    host: '127.0.0.1',
    port,
    servername: name,
    key: client.key,
    cert: client.certificate,
    ca: trust.certificate,
  });
  try {
    const [seen] = await once(socket, 'data');
    return String(seen);
  } finally {
    socket.destroy();
    listener.close();
    await once(listener, 'close');
  }
}

test('an issued pair makes a mutual TLS handshake with host-name verification', async () => {
  const authority = await createAuthority('Simulated CA');
  const server = await authority.issue({ commonName: 'recorder', dnsNames: ['recorder.example'], usages: 'server' });
  const client = await authority.issue({ commonName: 'contoso', usages: 'client' });
  assert.equal(await handshake(server, client, authority, 'recorder.example'), 'contoso');
  await assert.rejects(handshake(server, client, authority, 'other.example'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
});

test('another authority of the same name is not trusted', async () => {
  const authority = await createAuthority('Simulated CA');
  const impostor = await createAuthority('Simulated CA');
  const server = await impostor.issue({ commonName: 'recorder', dnsNames: ['recorder.example'], usages: 'server' });
  const client = await authority.issue({ commonName: 'contoso', usages: 'client' });
  await assert.rejects(handshake(server, client, authority, 'recorder.example'), /certificate|signature/i);
});

test('a certificate carries the names, usages and end that were asked for', async () => {
  const authority = await createAuthority('Simulated CA');
  const notAfter = new Date(Date.now() - 60_000);
  const made = await authority.issue({
    commonName: 'a, CN=b',
    ipAddresses: ['127.0.0.1', '::1'],
    usages: 'client',
    notAfter,
  });
  const certificate = new X509Certificate(made.certificate);
  assert.equal(certificate.toLegacyObject().subject.CN, 'a, CN=b');
  assert.ok(certificate.checkIP('127.0.0.1'));
  assert.ok(certificate.checkIP('::1'));
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.2']);
  assert.ok(new Date(certificate.validTo) < new Date());
  assert.ok(certificate.checkIssued(new X509Certificate(authority.certificate)));
});

test('a certificate has an RSA key when asked, and its authority vouches for it all the same', async () => {
  const authority = await createAuthority('Simulated CA');
  const made = await authority.issue({ commonName: 'app', usages: 'client', key: 'rsa' });
  const certificate = new X509Certificate(made.certificate);
  assert.equal(certificate.publicKey.asymmetricKeyType, 'rsa');
  assert.ok(certificate.checkPrivateKey(createPrivateKey(made.key)));
  assert.ok(certificate.verify(new X509Certificate(authority.certificate).publicKey));
});

test('files are written with the key for the owner alone, and a second write replaces the first', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sidestream-pki-'));
  try {
    const authority = await createAuthority('Simulated CA');
    const first = await authority.issue({ commonName: '../evil' });
    const files = await first.writeFiles(join(directory, 'identity'), 'tenant');
    assert.equal((await stat(files.keyFile)).mode & 0o777, 0o600);
    assert.equal(await readFile(files.certFile, 'utf8'), first.certificate);
    assert.equal(await readFile(files.trustFile, 'utf8'), authority.certificate);
    const second = await authority.issue({ commonName: 'tenant' });
    await second.writeFiles(join(directory, 'identity'));
    assert.equal(await readFile(files.keyFile, 'utf8'), second.key);
    const escaped = await first.writeFiles(directory);
    assert.ok(escaped.keyFile.startsWith(join(directory, '_')));
  } finally {
    await rm(directory, { recursive: true });
  }
});
