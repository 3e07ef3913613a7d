import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { after, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { type CredentialFiles, CredentialFolder, createAuthority } from '@sidestream/pki';
import { SipError } from '../sip-error.js';
import type { Flow, Target } from './flow.js';
import { TlsIdentity } from './tls-identity.js';
import { Transports, type TransportsOptions } from './transports.js';

const authority = await createAuthority('Test authority');
const stranger = await createAuthority('Unknown authority');
const folder = await CredentialFolder.create();
const recorderName = { dnsNames: ['recorder.test'] };
let written = 0;
const options = Buffer.from('OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n');
const answer = Buffer.from('SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n');

after(() => folder.remove());

/** Files of their own for a certificate with these names or addresses, whoever issued it; they trust our authority. */
async function files(
  commonName: string,
  names: { dnsNames?: string[]; ipAddresses?: string[] } = {},
  issuer = authority,
): Promise<CredentialFiles> {
  written += 1;
  return await folder.write(await issuer.issue({ commonName, ...names }), `${commonName} ${written}`, authority);
}

async function identity(...named: Parameters<typeof files>): Promise<TlsIdentity> {
  return new TlsIdentity(await files(...named));
}

interface Pair {
  readonly server: Transports;
  readonly client: Transports;
  readonly target: Target;
}

/** A server for `recorder.test` and 127.0.0.1, and a client; both closed at the end. */
async function withPair(
  o: { server?: TlsIdentity; mutual?: boolean; options?: TransportsOptions },
  run: (pair: Pair) => Promise<void>,
): Promise<void> {
  const server = new Transports(o.options);
  const client = new Transports();
  try {
    const tls = {
      identity: o.server ?? (await identity('recorder', recorderName)),
      requestClientCertificate: o.mutual,
    };
    const { host, port } = await server.listen({ protocol: 'tls', host: '127.0.0.1', port: 0, tls });
    await run({ server, client, target: { protocol: 'tls', host, port, servername: 'recorder.test' } });
  } finally {
    await client.close();
    await server.close();
    assert.equal(server.connections + client.connections, 0);
  }
}

function refusedWith(words: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof SipError && error.code === 'tls-refused' && words.test(error.message);
}

describe('TLS client', () => {
  test('a verified peer, and requests and responses both ways on one connection', async () => {
    const own = await identity('tenant contoso');
    await withPair({ mutual: true }, async ({ server, client, target }) => {
      const request = once(server, 'message');
      const flow = await client.flow({ ...target, identity: own });
      assert.equal(flow.tls?.version, 'TLSv1.3');
      assert.equal(flow.tls?.peerSubject, 'CN=recorder');
      assert.equal(flow.tls?.peerIssuer, 'CN=Test authority');
      assert.equal(flow.tls?.ownSubject, 'CN=tenant contoso');
      assert.equal(flow.tls?.servername, 'recorder.test');
      assert.equal(flow.tls?.authorized, true);
      await flow.send(options);
      const [bytes, serverFlow] = await request;
      assert.deepEqual(bytes, options);
      assert.equal(serverFlow.tls.peerSubject, 'CN=tenant contoso');
      assert.equal(serverFlow.tls.servername, 'recorder.test');
      for (const message of [answer, options]) {
        const received = once(client, 'message');
        await serverFlow.send(message);
        assert.deepEqual(await received, [message, flow]);
      }
      assert.equal(server.connections, 1);
    });
  });

  test('a certificate for another name is refused, naming both', async () => {
    await withPair({}, async ({ client, target }) => {
      const other = { ...target, servername: 'eastus.recorder.test', identity: await identity('client') };
      await assert.rejects(client.flow(other), refusedWith(/certificate for another name.*eastus\.recorder\.test/s));
      assert.equal(client.connections, 0);
    });
  });

  test('without a servername the host is checked, and an IP address is never sent as SNI (RFC 6066 §3)', async () => {
    const byAddress = await identity('recorder', { ipAddresses: ['127.0.0.1'] });
    await withPair({ server: byAddress }, async ({ server, client, target }) => {
      const request = once(server, 'message');
      const flow = await client.flow({
        protocol: 'tls',
        host: target.host,
        port: target.port,
        identity: await identity('client'),
      });
      await flow.send(options);
      const [, serverFlow] = await request;
      assert.equal(serverFlow.tls.servername, undefined);
    });
    await withPair({}, async ({ client, target }) => {
      const { host, port } = target;
      await assert.rejects(
        client.flow({ protocol: 'tls', host, port, identity: await identity('client') }),
        refusedWith(/certificate for another name/),
      );
    });
  });

  test('a certificate of an authority that is not trusted is refused', async () => {
    const foreign = await identity('recorder', recorderName, stranger);
    await withPair({ server: foreign }, async ({ client, target }) => {
      const own = await identity('client');
      await assert.rejects(client.flow({ ...target, identity: own }), refusedWith(/not trusted|unable to verify/));
      await assert.rejects(
        client.flow(target),
        refusedWith(/not trusted|unable to verify/),
        'nor by the roots of Node',
      );
    });
  });

  test('a peer that speaks no TLS is refused as such, one that is silent within the deadline', async () => {
    const plain = createServer((socket) => socket.on('error', () => undefined).end('SIP/2.0 400 Bad Request\r\n\r\n'));
    const silent = createServer((socket) => socket.on('error', () => undefined));
    const client = new Transports({ dialTimeoutMs: 50 });
    try {
      const ports: number[] = [];
      for (const server of [plain, silent]) {
        await once(server.listen(0, '127.0.0.1'), 'listening');
        const address = server.address();
        ports.push(typeof address === 'object' && address !== null ? address.port : 0);
      }
      const [plainPort = 0, silentPort = 0] = ports;
      const target = { protocol: 'tls', host: '127.0.0.1' } as const;
      await assert.rejects(client.flow({ ...target, port: plainPort }), refusedWith(/does not speak TLS/));
      await assert.rejects(client.flow({ ...target, port: silentPort }), { code: 'transport-failed' });
    } finally {
      await client.close();
      plain.close();
      silent.close();
    }
  });

  test('one connection per client identity', async () => {
    await withPair({ mutual: true }, async ({ server, client, target }) => {
      const contoso = await identity('contoso');
      const fabrikam = await identity('fabrikam');
      const first = await client.flow({ ...target, identity: contoso });
      assert.equal(await client.flow({ ...target, identity: contoso }), first);
      const second = await client.flow({ ...target, identity: fabrikam });
      assert.notEqual(second, first);
      const seen: string[] = [];
      server.on('message', (_, flow) => seen.push(flow.tls?.peerSubject ?? ''));
      const both = Promise.all([once(server, 'message'), first.send(options)]);
      await both;
      await Promise.all([once(server, 'message'), second.send(options)]);
      assert.deepEqual(seen, ['CN=contoso', 'CN=fabrikam']);
    });
  });
});

describe('TLS server', () => {
  for (const [what, own] of [
    ['no client certificate', undefined],
    ['a client certificate of an authority that is not trusted', stranger],
  ] as const) {
    test(`${what}: refused and counted, and no message of it is heard`, async () => {
      // A client that shows nothing still has to trust the server for this test to get as far as the server's refusal.
      const shown = own === undefined ? undefined : await identity('client', {}, own);
      await withPair({ mutual: true }, async ({ server, client, target }) => {
        server.on('message', () => assert.fail('heard a message of a refused client'));
        const refused = once(server, 'refused');
        if (shown === undefined) {
          const socket = connectTls({
            host: target.host,
            port: target.port,
            servername: 'recorder.test',
            ca: authority.certificate,
          });
          socket.on('error', () => undefined);
          socket.write(options);
          await Promise.all([refused, new Promise((resolve) => socket.once('close', resolve))]);
        } else {
          const closed = once(client, 'closed');
          // In TLS 1.3 the client is done before the server has looked at its certificate.
          const flow = await client.flow({ ...target, identity: shown });
          flow.send(options).catch(() => undefined);
          assert.equal((await closed)[0], flow);
        }
        const [remote, protocol, because, reason] = await refused;
        assert.equal(remote.host, '127.0.0.1');
        assert.deepEqual([protocol, because], ['tls', 'handshake']);
        assert.match(reason, own === undefined ? /did not return a certificate/ : /UNABLE_TO_VERIFY_LEAF_SIGNATURE/);
      });
    });
  }

  test('asking for client certificates without a trustFile is not possible', async () => {
    const { certFile, keyFile } = await files('server');
    const server = new Transports();
    const tls = { identity: new TlsIdentity({ certFile, keyFile }), requestClientCertificate: true };
    await assert.rejects(server.listen({ protocol: 'tls', host: '127.0.0.1', port: 0, tls }), { code: 'not-possible' });
    await server.close();
  });

  test('a refused peer gets no byte of a handshake', async () => {
    await withPair({ options: { accept: () => false } }, async ({ server, target }) => {
      const refused = once(server, 'refused');
      const socket = connect(target.port, target.host);
      socket.on('error', () => undefined);
      socket.on('data', () => assert.fail('got a byte'));
      socket.write('\x16\x03\x01');
      await Promise.all([refused, once(socket, 'close')]);
      assert.equal(socket.bytesRead, 0);
    });
  });

  test('tlsMinVersion 1.3 refuses a 1.2 client', async () => {
    await withPair({ options: { tlsMinVersion: 'TLSv1.3' } }, async ({ server, target }) => {
      const refused = once(server, 'refused');
      const socket = connectTls({
        host: target.host,
        port: target.port,
        ca: authority.certificate,
        maxVersion: 'TLSv1.2',
      });
      const [error] = await once(socket, 'error');
      assert.match(error.code, /ERR_SSL/);
      await refused;
    });
  });
});

describe('certificate files', () => {
  test('reload without restart: new connections show the new certificate, open ones stay', async () => {
    const renewed = async (name: string, commonName: string): Promise<CredentialFiles> =>
      folder.write(await authority.issue({ commonName, ...recorderName }), name);
    const client = await renewed('client', 'client one');
    const server = await renewed('server', 'server one');
    const own = new TlsIdentity(client);
    await withPair({ mutual: true, server: new TlsIdentity(server) }, async (pair) => {
      const target = { ...pair.target, identity: own };
      const first = await pair.client.flow(target);
      assert.equal(first.tls?.peerSubject, 'CN=server one');
      await renewed('client', 'client two');
      await renewed('server', 'server two');
      const second = await pair.client.flow(target);
      assert.notEqual(second, first);
      assert.equal(second.tls?.peerSubject, 'CN=server two');
      assert.equal(second.tls?.ownSubject, 'CN=client two');
      const subjects: string[] = [];
      pair.server.on('message', (_, flow) => subjects.push(flow.tls?.peerSubject ?? ''));
      for (const flow of [first, second]) await Promise.all([once(pair.server, 'message'), flow.send(options)]);
      assert.deepEqual(subjects, ['CN=client one', 'CN=client two']);
    });
  });

  test('RFC 5626 §3.5.1: keep-alives do not keep the connection of a certificate that was renewed', {
    timeout: 10_000,
  }, async () => {
    await withPair({ mutual: true }, async ({ server, target }) => {
      const renew = async (): Promise<CredentialFiles> =>
        folder.write(await authority.issue({ commonName: 'rotating' }), 'rotating');
      const identity = new TlsIdentity(await renew());
      const client = new Transports({ keepAliveMs: 10, idleTimeoutMs: 150 });
      const flows = new Set<Flow>();
      for (let i = 0; i < 3; i += 1) {
        const flow = await client.flow({ ...target, identity });
        flows.add(flow);
        await Promise.all([once(server, 'message'), flow.send(options)]);
        await renew();
      }
      assert.equal(flows.size, 3);
      while (client.connections > 0) await once(client, 'closed');
      await client.close();
    });
  });

  test('a half-written pair keeps the old one in use and is reported once, until the pair is whole', async () => {
    const made = await files('first');
    const problems: Error[] = [];
    const own = new TlsIdentity(made, (error) => problems.push(error));
    const { key } = own;
    const next = await authority.issue({ commonName: 'second' });
    writeFileSync(made.certFile, next.certificate);
    assert.equal(own.subject(), 'CN=first');
    assert.equal(own.key, key);
    assert.equal(problems.length, 1);
    assert.match(problems[0]?.message ?? '', /first_\d+\.crt/);
    writeFileSync(made.keyFile, next.key);
    assert.equal(own.subject(), 'CN=second');
    assert.notEqual(own.key, key);
    assert.equal(problems.length, 1);
  });

  test('a new certificate waits until it may replace the one in use; of several that came meanwhile the last one does', async () => {
    const made = await files('first');
    let may = false;
    const asked: string[] = [];
    const own = new TlsIdentity(made, undefined, (current, next) => {
      asked.push(`${current.subject} ${next.subject}`);
      return may;
    });
    const { key } = own;
    for (const commonName of ['second', 'third']) {
      const next = await authority.issue({ commonName });
      writeFileSync(made.keyFile, next.key);
      writeFileSync(made.certFile, next.certificate);
      assert.deepEqual([own.subject(), own.key], ['CN=first', key]);
    }
    assert.equal(asked.at(-1), 'CN=first CN=third');
    may = true;
    assert.equal(own.subject(), 'CN=third');
    assert.notEqual(own.key, key);
    const { length } = asked;
    own.subject();
    assert.equal(asked.length, length, 'nothing waits any more');
  });

  test('files that are unusable to begin with are refused, naming the file', async () => {
    const made = await files('first');
    assert.throws(() => new TlsIdentity({ ...made, certFile: '/nonexistent/cert.pem' }), {
      code: 'not-possible',
      message: /nonexistent\/cert\.pem/,
    });
  });
});
