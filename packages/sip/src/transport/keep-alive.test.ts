import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import type { Target } from './flow.js';
import { Transports, type TransportsOptions } from './transports.js';

const options = Buffer.from('OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n');
const ping = '\r\n\r\n';

/** A client, and a server that calls `onData` with what each connection has received so far. */
async function withPeer(
  o: { client: TransportsOptions; onData?: (socket: Socket, received: string, connection: number) => void },
  run: (client: Transports, target: Target) => Promise<void>,
): Promise<void> {
  let connections = 0;
  const peer = createServer((socket) => {
    const connection = connections;
    connections += 1;
    let received = '';
    socket
      .on('error', () => undefined)
      .on('data', (chunk) => {
        received += chunk;
        o.onData?.(socket, received, connection);
      });
  });
  await once(peer.listen(0, '127.0.0.1'), 'listening');
  const address = peer.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const client = new Transports(o.client);
  try {
    await run(client, { protocol: 'tcp', host: '127.0.0.1', port });
  } finally {
    await client.close();
    peer.close();
    assert.equal(client.connections, 0);
  }
}

const pings = (received: string): number => received.split(ping).length - 1;

test('RFC 5626 §4.4.1: pings go out on a connection that we opened, and the pongs keep it open', async () => {
  const onData = (socket: Socket, received: string): void => {
    socket.write('\r\n');
    if (pings(received) >= 3) socket.end();
  };
  await withPeer({ client: { keepAliveMs: 5, keepAliveTimeoutMs: 2000 }, onData }, async (client, target) => {
    const closed = once(client, 'closed');
    await client.flow(target);
    assert.equal((await closed)[1], undefined, 'closed by the peer, not for silence');
  });
});

test('RFC 5626 §4.4.1: silence after a ping closes the flow to a peer that has answered one before', {
  timeout: 10_000,
}, async () => {
  const onData = (socket: Socket, received: string): void => {
    if (received === ping) socket.write('\r\n');
  };
  await withPeer({ client: { keepAliveMs: 5, keepAliveTimeoutMs: 20 }, onData }, async (client, target) => {
    const closed = once(client, 'closed');
    const openedAtMs = performance.now();
    const flow = await client.flow(target);
    assert.match(String((await closed)[1]), /no answer to a keep-alive/);
    const { silentSinceMs = 0 } = flow;
    assert.ok(silentSinceMs >= openedAtMs && silentSinceMs <= performance.now() - 20, 'since the pong');
  });
});

test('RFC 5626 §4.4: a peer that answers no ping, but may ping itself, is not taken for dead', async () => {
  const onData = (socket: Socket, received: string): void => {
    if (pings(received) === 2) socket.write(ping);
    if (pings(received) >= 20) socket.end();
  };
  // The twentieth ping goes out 80 ms after the first at the earliest.
  await withPeer({ client: { keepAliveMs: 5, keepAliveTimeoutMs: 20 }, onData }, async (client, target) => {
    const closed = once(client, 'closed');
    await client.flow(target);
    assert.equal((await closed)[1], undefined, 'closed by the peer, not for silence');
  });
});

test('keep-alives do not keep an idle connection, SIP messages either way do', { timeout: 10_000 }, async () => {
  let answered = 0;
  const onData = (socket: Socket, received: string): void => {
    socket.write('\r\n');
    const asked = received.split('OPTIONS').length - 1;
    if (asked > answered) socket.write(options);
    answered = asked;
  };
  const client = { keepAliveMs: 5, idleTimeoutMs: 300 };
  await withPeer({ client, onData }, async (transports, target) => {
    const flow = await transports.flow(target);
    const closed = once(transports, 'closed');
    for (const start = performance.now(); performance.now() < start + 700; ) {
      await Promise.all([once(transports, 'message'), flow.send(options)]);
    }
    assert.equal(flow.closed, false);
    assert.equal((await closed)[1], undefined);
  });
});

test('a fresh flow takes the place of the open one, which pings no more and still carries what it has to', async () => {
  const received: string[] = [];
  let heard: () => void = () => undefined;
  const onData = (_: Socket, text: string, connection: number): void => {
    received[connection] = text;
    heard();
  };
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise<void>((resolve) => (heard = resolve));
  };
  await withPeer({ client: { keepAliveMs: 5 }, onData }, async (client, target) => {
    const old = await client.flow(target);
    await until(() => pings(received[0] ?? '') > 0);
    const [fresh, same] = await Promise.all([
      client.flow({ ...target, fresh: true }),
      client.flow({ ...target, fresh: true }),
    ]);
    assert.notEqual(fresh, old);
    assert.equal(same, fresh, 'those who ask at the same time share it');
    assert.equal(await client.flow(target), fresh);
    await old.send(options);
    await until(() => (received[0] ?? '').includes('OPTIONS'));
    const before = received[0];
    await until(() => pings(received[1] ?? '') > 5);
    assert.equal(received[0], before);
    assert.equal(old.closed, false);
  });
});
