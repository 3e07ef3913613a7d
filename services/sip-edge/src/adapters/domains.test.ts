// Calls to domains: where their SRV records say (RFC 3263 §4), on real sockets and a real DNS server.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { type TransportProtocol, Transports, UserAgent } from '@sidestream/sip';
import { type AppMessage, connectApp, type DrachtioApp } from '../contract/drachtio-app.js';
import { startEmbeddedEdge } from '../contract/embedded-edge.js';
import { type SrvRecord, startTestDns } from '../testing/test-dns.js';

/** A peer on loopback that answers OPTIONS with this status: its port. */
async function peer(t: TestContext, protocol: TransportProtocol, status: number): Promise<number> {
  const transports = new Transports();
  const agent = new UserAgent({ transports });
  t.after(() => transports.close());
  agent.on('request', (request) => void request.respond(status));
  return (await transports.listen({ protocol, host: '127.0.0.1', port: 0 })).port;
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  server.close();
  await once(server, 'close');
  return address.port;
}

/** An edge that asks this DNS, and an application of it. */
async function stage(t: TestContext, protocol: TransportProtocol, records: readonly SrvRecord[]): Promise<DrachtioApp> {
  const dns = await startTestDns({ [`_sip._${protocol}.carrier.test`]: records });
  const domains = [{ domain: 'carrier.test', protocol }];
  const edge = await startEmbeddedEdge({ t1: 10, peers: [], domains, dnsServers: [dns.address] });
  const app = await connectApp(edge, () => undefined);
  t.after(async () => {
    app.disconnect();
    await edge.stop();
    dns.close();
  });
  return app;
}

function ask(app: DrachtioApp, uri: string): Promise<number> {
  return new Promise((resolve, reject) => {
    app.request(uri, { method: 'OPTIONS' }, (error, request) => {
      if (error) reject(error);
      else request.once('response', ({ status }: AppMessage) => resolve(status));
    });
  });
}

describe('RFC 3263 §4: a domain', () => {
  test('is reached where its record of the lowest priority says, by a peer that the record makes one', async (t) => {
    const [first, second] = [await peer(t, 'udp', 200), await peer(t, 'udp', 404)];
    const app = await stage(t, 'udp', [
      { priority: 20, port: second, target: 'localhost' },
      { priority: 10, port: first, target: 'localhost' },
    ]);
    assert.equal(await ask(app, 'sip:carrier.test'), 200);
    // A port leaves nothing to ask DNS for (§4.2): no such host.
    assert.equal(await ask(app, `sip:carrier.test:${second}`), 503);
  });

  test('§4.3: over TCP the first place that takes a connection is reached, whatever stands before it', async (t) => {
    const open = await peer(t, 'tcp', 200);
    const app = await stage(t, 'tcp', [
      { priority: 10, port: await closedPort(), target: 'localhost' },
      { priority: 15, port: await closedPort(), target: 'localhost' },
      { priority: 20, port: open, target: 'localhost' },
    ]);
    assert.equal(await ask(app, 'sip:carrier.test;transport=tcp'), 200);
  });

  test('§4.3: over UDP a place that never answers is the last one from then on', async (t) => {
    const silent = createSocket('udp4').bind(0, '127.0.0.1');
    t.after(() => silent.close());
    await once(silent, 'listening');
    const app = await stage(t, 'udp', [
      { priority: 10, port: silent.address().port, target: 'localhost' },
      { priority: 20, port: await peer(t, 'udp', 200), target: 'localhost' },
    ]);
    assert.equal(await ask(app, 'sip:carrier.test'), 408);
    assert.equal(await ask(app, 'sip:carrier.test'), 200);
  });

  test('that offers no SIP is answered like one that cannot be reached', async (t) => {
    const app = await stage(t, 'udp', [{ port: 0, target: '.' }]);
    assert.equal(await ask(app, 'sip:carrier.test'), 503);
  });
});
