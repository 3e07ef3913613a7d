import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { createLogger } from '@sidestream/service';
import { WebSocket } from 'ws';
import { DialerLog } from '../domain/dialer-log.js';
import { Connections } from './connections.js';
import { DialerEndpoint, dialerPath } from './dialer-endpoint.js';

const ada = { tenant: 'contoso', seller: 'ada', operator: false, expiresAtMs: Date.now() + 600_000 };

async function endpointOf(t: TestContext, { connectionsPerSecond = 100, framesPerMinute = 60 } = {}) {
  const limits = { connections: 10, connectionsPerUser: 5, connectionsPerSecond };
  const connections = new Connections(limits, ['127.0.0.1']);
  const dialerLog = new DialerLog({ eventsPerSeller: 10, maxSellers: 10 });
  const endpoint = new DialerEndpoint({
    tokens: { verify: async () => ada },
    dialerLog,
    connections,
    framesPerMinute,
    behindBytes: 65_536,
    log: createLogger({ name: 'gateway', instance: 'test', level: 'silent' }),
    isAllowed: () => true,
    isReady: () => true,
  });
  const server = createServer().listen(0, '127.0.0.1');
  server.on('upgrade', (request, socket, head) => endpoint.upgrade(request, socket, head));
  t.after(async () => {
    server.close();
    await endpoint.close(0);
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const dial = (lastEventId?: string, headers = {}) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${dialerPath}`, { headers });
    const frames: { type: string; id?: string; place?: string }[] = [];
    socket.on('message', (data) => frames.push(JSON.parse(String(data))));
    socket.on('open', () => socket.send(JSON.stringify({ type: 'authenticate', token: 't', lastEventId })));
    socket.on('error', () => undefined);
    return { socket, frames };
  };
  const tell = (sequence: number) => {
    dialerLog.read(sequence);
    const event = 'CALL_NOT_RECORDED' as const;
    const payload = { callId: 'c', reason: 'r' };
    dialerLog.add({ tenant: 'contoso', seller: 'ada', id: String(sequence), event, payload }, Date.now());
  };
  return { port, endpoint, connections, dialerLog, dial, tell };
}

test('who has been told nothing yet resumes from where it came, and hears what it has missed', async (t) => {
  const { dial, tell, dialerLog } = await endpointOf(t);
  dialerLog.read(7);
  const first = dial();
  await eventually(() => first.frames.length === 1, 'it is authenticated');
  assert.equal(first.frames[0]?.place, '7');
  first.socket.terminate();
  tell(8);
  const again = dial(first.frames[0]?.place);
  await eventually(() => again.frames.length === 2, 'it hears what it has missed');
  assert.equal(again.frames[1]?.id, '8');
  again.socket.terminate();
});

test('an upgrade that is refused leaves no connection, though its client would keep half of it', async (t) => {
  const { port } = await endpointOf(t);
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.write('GET /elsewhere HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  const [answer] = await once(socket, 'data');
  assert.match(String(answer), /^HTTP\/1\.1 404 /);
  await once(socket, 'end');
  const reset = once(socket, 'error');
  const writing = setInterval(() => socket.write('x'), 10);
  t.after(() => clearInterval(writing));
  await reset;
});

test('closing ends all, whoever comes back meanwhile and whoever does not answer', async (t) => {
  const { endpoint, connections, dial } = await endpointOf(t);
  const polite = dial();
  const deaf = dial();
  await eventually(() => polite.frames.length + deaf.frames.length === 2, 'both are authenticated');
  deaf.socket.pause();
  const statuses: number[] = [];
  polite.socket.on('close', () =>
    dial().socket.on('unexpected-response', (_request, { statusCode = 0 }) => statuses.push(statusCode)),
  );
  await endpoint.close(300);
  await eventually(() => statuses.length === 1, 'who came back was answered');
  assert.deepEqual(statuses, [503]);
  await eventually(() => connections.open === 0, 'nothing is open');
  deaf.socket.terminate();
});

test('clients behind a trusted proxy have a rate each: who comes too fast is refused with 429, others are not', async (t) => {
  const { dial } = await endpointOf(t, { connectionsPerSecond: 1 });
  const statusOf = (client: string) =>
    new Promise<number>((resolve) => {
      const { socket } = dial(undefined, { 'X-Forwarded-For': `203.0.113.99, ${client}` });
      socket.on('unexpected-response', (_request, { statusCode = 0 }) => resolve(statusCode));
      socket.on('open', () => {
        resolve(101);
        socket.terminate();
      });
    });
  const fast: number[] = [];
  // The burst is four, and one more comes each second.
  while (!fast.includes(429) && fast.length < 100) fast.push(await statusOf('203.0.113.1'));
  assert.deepEqual([...new Set(fast)], [101, 429]);
  assert.equal(await statusOf('203.0.113.2'), 101);
});

test('too many connections of one user, and too many frames, are closed with 4429', async (t) => {
  const { dial } = await endpointOf(t, { framesPerMinute: 3 });
  const open = Array.from({ length: 5 }, () => dial());
  await eventually(() => open.every(({ frames }) => frames.length === 1), 'five are authenticated');
  const [code, reason] = await once(dial().socket, 'close');
  assert.deepEqual([code, String(reason)], [4429, 'too many connections']);
  const [talkative, ...others] = open;
  assert.ok(talkative);
  const closed = once(talkative.socket, 'close');
  // Each is answered before the next one, as the protocol wants it.
  for (let frames = 2; frames <= 3; frames += 1) {
    talkative.socket.send(JSON.stringify({ type: 'authenticate', token: 't' }));
    await eventually(() => talkative.frames.length === frames, 'it is authenticated again');
  }
  talkative.socket.send(JSON.stringify({ type: 'authenticate', token: 't' }));
  assert.deepEqual((await closed).map(String), ['4429', 'too many frames']);
  for (const { socket } of others) socket.terminate();
});
