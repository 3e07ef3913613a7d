import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { encodeFrame } from '../domain/frame.js';
import { AdminSocket } from './admin-socket.js';

/** A connection to a server that says only what the test says. */
async function connected(patienceMs: number, work: (client: AdminSocket, server: Socket) => Promise<void>) {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, 'connection');
  const client = await AdminSocket.open({ admin: { host: '127.0.0.1', port, secret: '' } }, patienceMs);
  const [socket]: Socket[] = await accepted;
  assert.ok(socket);
  try {
    await work(client, socket);
  } finally {
    client.close();
    socket.destroy();
    server.close();
  }
}

test('a frame that does not come is told with what came instead', () =>
  connected(50, async (client, server) => {
    server.write(encodeFrame('1|sip|network|\r\nBYE'));
    await assert.rejects(
      client.sip('INVITE'),
      /no SIP message INVITE: nothing more for 50 ms; unread: 1\|sip\|network\|/,
    );
  }));

test('nobody waits for a connection that is closed', () =>
  connected(60_000, async (client, server) => {
    const waiting = assert.rejects(client.ask('ping'), /no answer to ping: the connection is closed; unread: nothing/);
    server.destroy();
    await waiting;
    await assert.rejects(client.sip('BYE'), /closed/);
  }));

test('two who wait get each their own frame', () =>
  connected(5_000, async (client, server) => {
    const frames = Promise.all([client.sip('BYE'), client.sip('INVITE')]);
    server.write(encodeFrame('1|sip|\r\nINVITE'));
    server.write(encodeFrame('2|sip|\r\nBYE'));
    assert.deepEqual(
      (await frames).map(({ fields }) => fields[0]),
      ['2', '1'],
    );
  }));
