import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { after, describe, test } from 'node:test';
import { CredentialFolder, createAuthority } from '@sidestream/pki';
import { openBlackHole } from './black-hole.js';
import { TlsIdentity } from './tls-identity.js';
import { Transports } from './transports.js';

const authority = await createAuthority('Test authority');
const stranger = await createAuthority('Unknown authority');
const folder = await CredentialFolder.create();
const names = { dnsNames: ['recorder.test'] };
const closing: (() => Promise<void>)[] = [];

after(async () => {
  for (const close of closing) await close();
  await folder.remove();
});

async function identity(name: string, by = authority): Promise<TlsIdentity> {
  const credential = await by.issue({ commonName: name, ...names });
  return new TlsIdentity(await folder.write(credential, name, authority));
}

/** A TLS server for recorder.test. */
async function serverAt(host: string, port = 0, own = identity(`server ${host}`)): Promise<number> {
  const server = new Transports();
  closing.push(() => server.close());
  const tls = { identity: await own };
  return (await server.listen({ protocol: 'tls', host, port, tls })).port;
}

/** Accepts connections and says nothing. */
async function mute(host: string, port = 0): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.on('error', () => undefined));
  await once(server.listen(port, host), 'listening');
  closing.push(async () => void server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return { server, port: address.port };
}

/** Dials recorder.test at these addresses; gives the remote address and the time that it took. */
async function dialled(addresses: readonly string[], port: number, dialTimeoutMs = 1_000) {
  const asked: string[] = [];
  const client = new Transports({
    dialTimeoutMs,
    lookup: async (host) => {
      asked.push(host);
      return addresses;
    },
  });
  closing.push(() => client.close());
  const target = { protocol: 'tls', host: 'recorder.test', port, identity: await identity('client') } as const;
  const begun = performance.now();
  const flow = await client.flow(target).finally(() => assert.deepEqual(asked, ['recorder.test']));
  return { flow, client, target, asked, tookMs: performance.now() - begun };
}

describe('RFC 8305 §5: the addresses of a host are raced', { timeout: 20_000 }, () => {
  test('an address that swallows SYNs costs 250 ms, and SNI and the name to check stay the host name', async () => {
    const hole = await openBlackHole('127.0.0.2');
    closing.push(() => hole.close());
    await serverAt('127.0.0.3', hole.port);
    const { flow, tookMs } = await dialled(['127.0.0.2', '127.0.0.3'], hole.port);
    assert.equal(flow.remote.host, '127.0.0.3');
    assert.equal(flow.tls?.servername, 'recorder.test');
    assert.ok(tookMs >= 245 && tookMs < 900, `took ${tookMs} ms`);
  });

  test('an address that accepts and does not handshake costs the same; its connection is given up', async () => {
    const { server, port } = await mute('127.0.0.2');
    await serverAt('127.0.0.3', port);
    const [[socket], { flow }] = await Promise.all([
      once(server, 'connection'),
      dialled(['127.0.0.2', '127.0.0.3'], port),
    ]);
    assert.equal(flow.remote.host, '127.0.0.3');
    if (!socket.closed) await once(socket.resume(), 'close');
  });

  test('an address that refuses costs nothing', async () => {
    const port = await serverAt('127.0.0.3');
    const { flow, tookMs } = await dialled(['127.0.0.2', '127.0.0.4', '127.0.0.3'], port);
    assert.equal(flow.remote.host, '127.0.0.3');
    assert.ok(tookMs < 490, `took ${tookMs} ms`);
  });

  test('a wrong certificate at one address does not hide the right one at the next', async () => {
    const port = await serverAt('127.0.0.3');
    await serverAt('127.0.0.2', port, identity('foreign', stranger));
    const { flow } = await dialled(['127.0.0.2', '127.0.0.3'], port);
    assert.equal(flow.remote.host, '127.0.0.3');
  });

  test('everything has one budget, look-up and handshake included, whatever the number of addresses', async () => {
    const { port } = await mute('127.0.0.2');
    const begun = performance.now();
    await assert.rejects(dialled(['127.0.0.2', '127.0.0.2', '127.0.0.2', '127.0.0.2'], port, 400), {
      code: 'transport-failed',
      message: /^recorder\.test:\d+: no connection within 400 ms/,
    });
    assert.ok(performance.now() - begun < 900);
  });

  test('what TLS refused anywhere is said before what was just not reached', async () => {
    const port = await serverAt('127.0.0.2', 0, identity('foreign', stranger));
    await assert.rejects(dialled(['127.0.0.2', '127.0.0.3'], port), {
      code: 'tls-refused',
      message: /^recorder\.test:\d+ \(127\.0\.0\.2\): certificate from an authority that is not trusted/,
    });
  });

  test('the name is looked up at each dial', async () => {
    const port = await serverAt('127.0.0.3');
    const { flow, client, target, asked } = await dialled(['127.0.0.3'], port);
    const closed = once(client, 'closed');
    flow.close();
    await closed;
    await client.flow(target);
    assert.equal(asked.length, 2);
  });
});
