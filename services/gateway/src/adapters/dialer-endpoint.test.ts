import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { WebSocket } from 'ws';
import type { User } from '../domain/user.js';
import { ada, endpointOf } from '../testing/dialer-stage.js';
import { dialerPath } from './dialer-endpoint.js';

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

test('who comes with an event that has not come here yet is told what follows it, once it has', async (t) => {
  const { dial, tell, dialerLog } = await endpointOf(t);
  tell(7);
  const { frames, socket } = dial('8');
  await once(socket, 'open');
  // It is answered after its frame has been read: this one is, too.
  const other = dial();
  await eventually(() => other.frames.length === 1, 'another one is authenticated');
  assert.equal(frames.length, 0);
  tell(8);
  tell(9);
  await eventually(() => frames.length === 2, 'it is authenticated, and told');
  tell(10);
  await eventually(() => frames.length === 3, 'it listens');
  assert.deepEqual(
    frames.slice(1).map(({ id }) => id),
    ['9', '10'],
  );
  socket.terminate();
  other.socket.terminate();
  await eventually(() => dialerLog.sellers === 1, 'nobody listens');
});

test('an event that does not come: 4409 where all that happened is known, else 1013', async (t) => {
  let current = true;
  const { dial, tell, connections } = await endpointOf(t, { isCurrent: () => current });
  tell(7);
  const codeFor = async (id: string) => (await once(dial(id).socket, 'close'))[0];
  assert.equal(await codeFor('8'), 4409);
  current = false;
  assert.equal(await codeFor('8'), 1013);
  assert.equal(await codeFor('nonsense'), 4409);
  await eventually(() => connections.open === 0, 'none is left');
});

test('a token that lives less than two minutes is asked for anew at half its time, not at once', async (t) => {
  const verify = async () => ({ ...ada, expiresAtMs: Date.now() + 1_000 });
  const { dial } = await endpointOf(t, { verify });
  const dialledAt = performance.now();
  const { frames, socket } = dial();
  await eventually(() => frames.length === 2, 'it is asked for another one');
  const tookMs = performance.now() - dialledAt;
  assert.equal(frames[1]?.type, 'reauthenticate');
  assert.ok(tookMs > 490, `${tookMs} ms`);
  const [code] = await once(socket, 'close');
  assert.equal(code, 4401);
});

test('a token whose check takes long: its dialer, who has said who it is, is waited for', async (t) => {
  let verified: (user: User) => void = () => undefined;
  const verify = () =>
    new Promise<User>((resolve) => {
      verified = resolve;
    });
  const { dial, port } = await endpointOf(t, { verify, firstFrameMs: 100 });
  const slow = dial();
  await once(slow.socket, 'open');
  const silent = new WebSocket(`ws://127.0.0.1:${port}${dialerPath}`);
  // Who came later and says nothing is sent away before.
  assert.equal((await once(silent, 'close'))[0], 4408);
  verified(ada);
  await eventually(() => slow.frames.length === 1, 'it is authenticated');
  slow.socket.terminate();
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
      socket.on('unexpected-response', (_request, { statusCode = 0, headers }) => {
        assert.equal(headers['retry-after'], '1');
        resolve(statusCode);
      });
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
