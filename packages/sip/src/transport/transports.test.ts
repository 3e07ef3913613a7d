import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, test } from 'node:test';
import type { HostPort, TransportProtocol } from './flow.js';
import { Transports, type TransportsOptions } from './transports.js';

const options = Buffer.from('OPTIONS sip:a SIP/2.0\r\nContent-Length: 4\r\n\r\n\x00\xff\r\n', 'latin1');
const answer = Buffer.from('SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n');
const hasIPv6 = Object.values(networkInterfaces()).some((list) => list?.some((entry) => entry.address === '::1'));

async function withTransports(
  all: readonly TransportsOptions[],
  run: (...transports: [Transports, Transports]) => Promise<void>,
): Promise<void> {
  const one = new Transports(all[0]);
  const two = new Transports(all[1]);
  try {
    await run(one, two);
  } finally {
    await Promise.all([one.close(), two.close()]);
    assert.equal(one.connections + two.connections, 0);
  }
}

async function dialled(to: HostPort): Promise<Socket> {
  const socket = connect(to.port, to.host);
  await once(socket, 'connect');
  return socket;
}

describe('UDP and TCP', () => {
  for (const host of ['127.0.0.1', '::1']) {
    for (const protocol of ['udp', 'tcp'] as const) {
      test(`${protocol} over ${host}: a request one way and its answer back on the same flow`, {
        skip: host === '::1' && !hasIPv6,
      }, async () => {
        await withTransports([], async (server, client) => {
          const at = await server.listen({ protocol, host, port: 0 });
          const from = protocol === 'udp' ? await client.listen({ protocol, host, port: 0 }) : undefined;
          const flow = await client.flow({ protocol, ...at });
          assert.equal(flow.reliable, protocol === 'tcp');
          assert.deepEqual(flow.remote, at);
          if (from !== undefined) assert.deepEqual(flow.local, from);
          const request = once(server, 'message');
          await flow.send(options);
          const [bytes, serverFlow] = await request;
          assert.deepEqual(bytes, options);
          assert.deepEqual(serverFlow.remote, flow.local);
          const response = once(client, 'message');
          await serverFlow.send(answer);
          const [received, on] = await response;
          assert.deepEqual(received, answer);
          assert.equal(on.id, flow.id);
        });
      });
    }
  }

  test('UDP goes out from the listener that the target names', async () => {
    await withTransports([], async (server, client) => {
      const at = await server.listen({ protocol: 'udp', host: '127.0.0.1', port: 0 });
      await client.listen({ protocol: 'udp', host: '127.0.0.1', port: 0 });
      const local = await client.listen({ protocol: 'udp', host: '127.0.0.1', port: 0 });
      assert.deepEqual((await client.flow({ protocol: 'udp', ...at, local })).local, local);
      await assert.rejects(client.flow({ protocol: 'udp', ...at, local: { host: '127.0.0.1', port: 1 } }), {
        code: 'not-possible',
      });
    });
  });

  test('UDP to a name uses an address of a family that is listened on', async () => {
    await withTransports([], async (_, client) => {
      await client.listen({ protocol: 'udp', host: '127.0.0.1', port: 0 });
      const flow = await client.flow({ protocol: 'udp', host: 'localhost', port: 5060 });
      assert.equal(flow.remote.host, '127.0.0.1');
    });
  });

  test('UDP: keep-alives of phones are no messages, a datagram above the limit of UDP is refused', async () => {
    await withTransports([], async (server, client) => {
      const at = await server.listen({ protocol: 'udp', host: '127.0.0.1', port: 0 });
      await client.listen({ protocol: 'udp', host: '127.0.0.1', port: 0 });
      const flow = await client.flow({ protocol: 'udp', ...at });
      const message = once(server, 'message');
      await flow.send(Buffer.from('\r\n\r\n'));
      await flow.send(Buffer.alloc(4));
      await flow.send(options);
      assert.deepEqual((await message)[0], options);
      await assert.rejects(flow.send(Buffer.alloc(70_000)), { code: 'transport-failed' });
    });
  });

  test('a port that is taken and a peer that is not there are transport-failed', async () => {
    await withTransports([], async (server, client) => {
      for (const protocol of ['udp', 'tcp'] as const) {
        const at = await server.listen({ protocol, host: '127.0.0.1', port: 0 });
        await assert.rejects(client.listen({ protocol, ...at }), { code: 'transport-failed' });
      }
      const gone = createServer().listen(0, '127.0.0.1');
      await once(gone, 'listening');
      const address = gone.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      await new Promise((resolve) => gone.close(resolve));
      await assert.rejects(client.flow({ protocol: 'tcp', host: '127.0.0.1', port }), { code: 'transport-failed' });
    });
  });
});

describe('connections', () => {
  test('concurrent flows to one target share one dial, later ones the connection, until it closes', async () => {
    await withTransports([], async (server, client) => {
      const at = await server.listen({ protocol: 'tcp', host: '127.0.0.1', port: 0 });
      const target = { protocol: 'tcp', ...at } as const;
      const [one, two] = await Promise.all([client.flow(target), client.flow(target)]);
      assert.equal(one, two);
      assert.equal(await client.flow(target), one);
      const closed = once(client, 'closed');
      one.close();
      assert.equal((await closed)[0], one);
      await assert.rejects(one.send(options), { code: 'transport-failed' });
      assert.notEqual(await client.flow(target), one);
    });
  });

  test('an AbortSignal ends the wait of its caller only; the dial ends with the last one who waits', async () => {
    // A TLS dial to a server that never answers stays in its handshake.
    const silent = createServer();
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const accepted = once(silent, 'connection');
    const client = new Transports();
    const target = { protocol: 'tls', host: '127.0.0.1', port } as const;
    const [one, two] = [new AbortController(), new AbortController()];
    const first = client.flow(target, one.signal);
    const second = client.flow(target, two.signal);
    const [socket] = await accepted;
    socket.on('error', () => undefined).resume();
    one.abort();
    await assert.rejects(first, { code: 'cancelled' });
    assert.equal(socket.readyState, 'open');
    const ended = once(socket, 'close');
    two.abort();
    await assert.rejects(second, { code: 'cancelled' });
    await ended;
    await assert.rejects(client.flow(target, AbortSignal.abort()), { code: 'cancelled' });
    silent.close();
    await client.close();
  });

  test('a peer that does not read: the flow closes once too much is queued, and says so', async () => {
    await withTransports([{}, { maxQueuedBytes: 1000 }], async (_, client) => {
      const deaf = createServer((socket) => socket.on('error', () => undefined).pause());
      await once(deaf.listen(0, '127.0.0.1'), 'listening');
      const address = deaf.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const flow = await client.flow({ protocol: 'tcp', host: '127.0.0.1', port });
      const closed = once(client, 'closed');
      await assert.rejects(flow.send(Buffer.alloc(1001)), { code: 'transport-failed' });
      assert.equal(flow.closed, true);
      assert.match(String((await closed)[1]), /does not read/);
      deaf.close();
    });
  });

  test('above maxConnections new ones are refused, and no new one is dialled', async () => {
    await withTransports([{ maxConnections: 1 }], async (server, client) => {
      const at = await server.listen({ protocol: 'tcp', host: '127.0.0.1', port: 0 });
      const flow = await client.flow({ protocol: 'tcp', ...at });
      await Promise.all([once(server, 'message'), flow.send(options)]);
      const refused = once(server, 'refused');
      const socket = await dialled(at);
      socket.on('error', () => undefined).resume();
      assert.deepEqual((await refused).slice(1), ['tcp', 'connections', 'too many connections']);
      await assert.rejects(server.flow({ protocol: 'tcp', ...at }), { code: 'transport-failed' });
    });
  });

  test('above maxConnectionsPerSource a source is refused alone, until one of its connections has ended', async () => {
    await withTransports([{ maxConnectionsPerSource: 1 }], async (server, client) => {
      const at = await server.listen({ protocol: 'tcp', host: '127.0.0.1', port: 0 });
      const flow = await client.flow({ protocol: 'tcp', ...at });
      await Promise.all([once(server, 'message'), flow.send(options)]);
      const refused = once(server, 'refused');
      const socket = await dialled(at);
      socket.on('error', () => undefined).resume();
      assert.deepEqual((await refused).slice(1), ['tcp', 'connections', 'too many connections of this source']);
      const other = connect({ ...at, localAddress: '127.0.0.2' });
      await Promise.all([once(server, 'message'), new Promise((resolve) => other.write(options, resolve))]);
      const closed = once(server, 'closed');
      flow.close();
      await closed;
      const again = await dialled(at);
      await Promise.all([once(server, 'message'), new Promise((resolve) => again.write(options, resolve))]);
      for (const one of [other, again]) one.destroy();
    });
  });

  test('a connection is not read while its peer brings too much; then everything arrives, in its order', async () => {
    const paused: number[] = [];
    const pace = (_remote: HostPort, messages: number): number => {
      paused.push(messages);
      return paused.length < 3 ? 60 : 0;
    };
    await withTransports([{ pace, messageTimeoutMs: 50 }], async (server) => {
      const at = await server.listen({ protocol: 'tcp', host: '127.0.0.1', port: 0 });
      const socket = await dialled(at);
      const begun = performance.now();
      const half = options.length / 2;
      // The message that is cut in two waits for longer than it may take to arrive: that is not its peer's delay.
      const whole = once(server, 'message');
      socket.write(Buffer.concat([options, options.subarray(0, half)]));
      await whole;
      const second = once(server, 'message');
      socket.write(options.subarray(half));
      const [bytes] = await second;
      assert.deepEqual(bytes, options);
      assert.ok(performance.now() - begun >= 55, 'it was not read meanwhile');
      assert.equal(server.connections, 1);
      socket.destroy();
    });
  });

  test('close() leaves no socket and may be called twice', async () => {
    const server = new Transports();
    const at = await server.listen({ protocol: 'tcp', host: '127.0.0.1', port: 0 });
    const udp = await server.listen({ protocol: 'udp', host: '127.0.0.1', port: 0 });
    const socket = await dialled(at);
    const ended = once(socket.resume(), 'close');
    await Promise.all([server.close(), server.close()]);
    await ended;
    await assert.rejects(server.flow({ protocol: 'tcp', ...at }), { code: 'not-possible' });
    const again = new Transports();
    await again.listen({ protocol: 'tcp', ...at });
    await again.listen({ protocol: 'udp', ...udp });
    await again.close();
  });
});

describe('peers that are not accepted', () => {
  test('a datagram is dropped without an answer, and counted', async () => {
    await withTransports([{ accept: () => false }], async (server) => {
      server.on('message', () => assert.fail('heard a refused peer'));
      const at = await server.listen({ protocol: 'udp', host: '127.0.0.1', port: 0 });
      const socket = createSocket('udp4');
      socket.on('message', () => assert.fail('got an answer'));
      const refused = once(server, 'refused');
      socket.send(options, at.port, at.host);
      assert.deepEqual((await refused).slice(1), ['udp', 'not-admitted', 'not an accepted peer']);
      socket.close();
    });
  });

  test('a TCP connection is destroyed before a byte goes either way', async () => {
    const asked: unknown[] = [];
    const accept = (remote: HostPort, protocol: TransportProtocol): boolean => asked.push([remote.host, protocol]) < 0;
    await withTransports([{ accept }], async (server) => {
      server.on('message', () => assert.fail('heard a refused peer'));
      const at = await server.listen({ protocol: 'tcp', host: '127.0.0.1', port: 0 });
      const socket = connect(at.port, at.host);
      socket.on('error', () => undefined).resume();
      const refused = once(server, 'refused');
      socket.write(options);
      await Promise.all([refused, new Promise((resolve) => socket.once('close', resolve))]);
      assert.equal(socket.bytesRead, 0);
      assert.deepEqual(asked, [['127.0.0.1', 'tcp']]);
    });
  });
});

describe('code above that throws', () => {
  test('a listener for messages: the datagram or the message is lost, the socket and what follows are not', async () => {
    await withTransports([], async (server, client) => {
      await client.listen({ protocol: 'udp', host: '127.0.0.1', port: 0 });
      for (const protocol of ['udp', 'tcp'] as const) {
        const at = await server.listen({ protocol, host: '127.0.0.1', port: 0 });
        server.prependOnceListener('message', () => {
          throw new Error('a bug');
        });
        const flow = await client.flow({ protocol, ...at });
        const fault = once(server, 'fault');
        await flow.send(options);
        assert.match(String((await fault)[0]), /a bug/);
        server.removeAllListeners('message');
        const message = once(server, 'message');
        await flow.send(options);
        assert.deepEqual((await message)[0], options);
      }
    });
  });

  test('listeners for the end of a connection, for what is sent and for refused peers, and accept itself', async () => {
    const bug = (): never => {
      throw new Error('a bug');
    };
    await withTransports([{ accept: bug }], async (server, client) => {
      const at = await server.listen({ protocol: 'tcp', host: '127.0.0.1', port: 0 });
      let faults = 0;
      server.on('refused', bug).on('fault', () => {
        faults += 1;
      });
      client.on('sent', bug).on('closed', bug);
      const sentFault = once(client, 'fault');
      const flow = await client.flow({ protocol: 'tcp', ...at });
      flow.send(options).catch(() => undefined);
      await sentFault;
      await once(client, 'fault');
      assert.equal(client.connections, 0);
      assert.equal(faults, 2);
    });
  });
});

describe('streams', () => {
  test('RFC 5626 §4.4.1: a CRLFCRLF ping is answered by one CRLF', async () => {
    await withTransports([], async (server) => {
      const at = await server.listen({ protocol: 'tcp', host: '127.0.0.1', port: 0 });
      const socket = await dialled(at);
      socket.write('\r\n\r\n');
      const [pong] = await once(socket, 'data');
      assert.equal(String(pong), '\r\n');
      socket.destroy();
    });
  });

  test('what cannot be framed is told and may be answered, then that flow alone is closed', async () => {
    await withTransports([], async (server) => {
      const at = await server.listen({ protocol: 'tcp', host: '127.0.0.1', port: 0 });
      const other = await dialled(at);
      const socket = await dialled(at);
      server.on('message', (bytes, flow) => {
        if (String(bytes).includes('Content-Length: -1')) flow.send(answer).catch(() => undefined);
      });
      const closed = once(server, 'closed');
      socket.write('INVITE sip:a SIP/2.0\r\nContent-Length: -1\r\n\r\nBYE sip:a SIP/2.0\r\n');
      const received: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => received.push(chunk));
      await once(socket, 'close');
      assert.deepEqual(Buffer.concat(received), answer);
      assert.equal((await closed)[1]?.code, 'malformed');
      assert.equal(server.connections, 1);
      other.destroy();
    });
  });

  test('a message that does not arrive whole in time, and an idle connection, are closed', async () => {
    for (const [o, bytes] of [
      [{ messageTimeoutMs: 20 }, 'INVITE sip:a SIP/2.0\r\n'],
      [{ idleTimeoutMs: 20 }, ''],
    ] as const) {
      await withTransports([o], async (server) => {
        const at = await server.listen({ protocol: 'tcp', host: '127.0.0.1', port: 0 });
        const closed = once(server, 'closed');
        const socket = await dialled(at);
        socket.resume().write(bytes);
        assert.equal((await closed)[1]?.code, bytes === '' ? undefined : 'timed-out');
        socket.destroy();
      });
    }
  });
});
