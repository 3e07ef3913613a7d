import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { DialerLog } from '../domain/dialer-log.js';
import type { User } from '../domain/user.js';
import { ClientAddress } from './client-address.js';
import { Connections } from './connections.js';
import { streamDialerEvents } from './dialer-stream.js';
import type { EventStream } from './event-stream.js';
import { problemOf } from './problem.js';

const ada: User = { tenant: 'contoso', seller: 'ada', operator: false, expiresAtMs: Date.now() + 60_000 };
const limits = { connections: 10, connectionsPerUser: 2, connectionsPerSecond: 100 };

/** A server of streams of Ada's; `user` says when it is known that they are hers. */
async function served(
  t: TestContext,
  { user = async () => ada, behindBytes = 65_536, isCurrent = (): boolean => true } = {},
) {
  const [dialerLog, connections] = [
    new DialerLog({ eventsPerSeller: 10, maxSellers: 10 }),
    new Connections(limits, new ClientAddress([])),
  ];
  const dialerStreams = new Set<EventStream>();
  const isReady = () => true;
  const options = { gate: { user }, dialerLog, connections, dialerStreams, behindBytes, isReady, isCurrent };
  const server = createServer((request, response) => {
    streamDialerEvents(request, response, options, {}).catch((error: unknown) =>
      response.writeHead(problemOf(error).status).end(),
    );
  }).listen(0, '127.0.0.1');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const tell = (sequence: number, reason = 'late') => {
    dialerLog.read(sequence);
    const payload = { callId: `c${sequence}`, reason };
    dialerLog.add(
      { tenant: 'contoso', seller: 'ada', id: String(sequence), event: 'CALL_NOT_RECORDED', payload },
      Date.now(),
    );
  };
  return { url, dialerLog, connections, dialerStreams, tell };
}

test('what was missed and what comes is sent, with ids to resume by', async (t) => {
  const { url, tell } = await served(t);
  tell(1);
  tell(2);
  const leave = new AbortController();
  const response = await fetch(url, { headers: { 'last-event-id': '1' }, signal: leave.signal });
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  tell(3);
  let text = '';
  for await (const bytes of response.body ?? []) {
    text += Buffer.from(bytes).toString();
    if (text.includes('"c3"')) break;
  }
  assert.ok(!text.includes('"c1"'));
  assert.match(text, /id: 2\nevent: CALL_NOT_RECORDED\ndata: {"callId":"c2","reason":"late"}\n\nid: 3\n/);
  leave.abort();
  assert.equal((await fetch(url, { headers: { 'last-event-id': '9' } })).status, 409);
});

test('an id that is ahead is waited for; 503 where it may come later', async (t) => {
  const { url, tell, connections } = await served(t, { isCurrent: () => false });
  tell(1);
  const leave = new AbortController();
  const from = (id: string) => fetch(url, { headers: { 'last-event-id': id }, signal: leave.signal });
  assert.equal((await from('2')).status, 503);
  await eventually(() => connections.open === 0, 'it has left');
  const waiting = from('2');
  await eventually(() => connections.open === 1, 'it has come');
  tell(2);
  assert.equal((await waiting).status, 200);
  leave.abort();
});

test('a client that goes while its token is verified leaves nothing', async (t) => {
  let verified: (user: User) => void = () => assert.fail('nobody asks');
  let asked = 0;
  const user = () => {
    asked += 1;
    return new Promise<User>((resolve) => {
      verified = resolve;
    });
  };
  const { url, dialerLog, connections } = await served(t, { user });
  const leave = new AbortController();
  const gone = fetch(url, { signal: leave.signal }).catch(() => undefined);
  await eventually(() => asked === 1, 'the token is being verified');
  leave.abort();
  await gone;
  await eventually(() => connections.open === 0, 'the connection is over');
  verified(ada);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([connections.open, dialerLog.sellers], [0, 0]);
  // Neither place of this user is taken.
  for (let n = 0; n < limits.connectionsPerUser; n++) assert.ok(connections.enter('contoso/ada'));
});

test('a client that does not read is cut off, one that reads is not', async (t) => {
  const { url, connections, tell } = await served(t);
  const leave = new AbortController();
  const reads = await fetch(url, { signal: leave.signal });
  let read = 0;
  const reading = (async () => {
    for await (const bytes of reads.body ?? []) read += bytes.length;
  })().catch(() => undefined);
  const { hostname, port } = new URL(url);
  const deaf = connect(Number(port), hostname);
  t.after(() => deaf.destroy());
  deaf.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n');
  deaf.pause();
  await eventually(() => connections.open === 2, 'both are there');
  for (let sequence = 1; connections.open > 1; sequence++) {
    assert.ok(sequence < 5_000, 'it is still there');
    const before = read;
    tell(sequence, 'x'.repeat(10_000));
    await new Promise((resolve) => setImmediate(resolve));
    await eventually(() => read > before, 'who reads has heard it');
  }
  leave.abort();
  await reading;
});

test('a stream that is ended from here ends whole for its client, and is kept no more', async (t) => {
  const { url, dialerStreams, tell } = await served(t);
  const response = await fetch(url);
  tell(1);
  for (const stream of dialerStreams) stream.end();
  assert.match(await response.text(), /"c1"/);
  await eventually(() => dialerStreams.size === 0, 'it is gone');
});
