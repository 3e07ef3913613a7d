import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { after, beforeEach, test } from 'node:test';
import { eventually, freeUdpPort } from '@sidestream/peers';
import { soon } from '../testing/soon.js';
import { type Fate, seededRandom, UdpProxy } from '../testing/udp-proxy.js';
import { NgClient, type NgClientOptions, NgError, type NgFailure } from './ng-client.js';
import { decodeMessage, encodeMessage } from './ng-message.js';

/** An engine that misbehaves as told; like the real one it repeats its reply to a cookie that it knows. */
class FakeEngine {
  readonly #socket: Socket;
  readonly replies = new Map<string, Buffer>();
  datagrams = 0;
  answer: (cookie: string, body: object) => Buffer | undefined = (cookie, body) =>
    encodeMessage(cookie, { result: 'ok', ...body });

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (datagram, peer) => {
      this.datagrams += 1;
      const message = decodeMessage(datagram);
      assert.ok(message);
      const reply = this.replies.get(message.cookie) ?? this.answer(message.cookie, message.body);
      if (!reply) return;
      this.replies.set(message.cookie, reply);
      socket.send(reply, peer.port, peer.address);
    });
  }

  static async open(port = 0): Promise<FakeEngine> {
    const socket = createSocket('udp4');
    socket.bind(port, '127.0.0.1');
    await once(socket, 'listening');
    return new FakeEngine(socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  close(): void {
    this.#socket.close();
  }
}

const closers: (() => unknown)[] = [];
const closeAll = async () => {
  for (const close of closers.splice(0)) await close();
};
beforeEach(closeAll);
after(closeAll);

async function fakeEngine(port?: number): Promise<FakeEngine> {
  const engine = await FakeEngine.open(port);
  closers.push(() => engine.close());
  return engine;
}

async function proxy(port: number, fate: Fate): Promise<number> {
  const opened = await UdpProxy.open(port, fate);
  closers.push(() => opened.close());
  return opened.port;
}

function clientTo(port: number, options: Omit<NgClientOptions, 'address'> = {}): NgClient {
  const client = new NgClient({ address: { host: '127.0.0.1', port }, ...options });
  closers.push(() => client.close());
  return client;
}

function failsAs(failure: NgFailure) {
  return (error: unknown) => error instanceof NgError && error.failure === failure;
}

test('20 % loss each way: every command is done, each once', async () => {
  const engine = await fakeEngine();
  let retransmissions = 0;
  const random = seededRandom(42);
  const port = await proxy(engine.port, () => (random() < 0.2 ? [] : [0]));
  const observer = { retransmitted: () => (retransmissions += 1) };
  const client = clientTo(port, { deadlineMs: 30_000, observer });
  const commands = Array.from({ length: 200 }, (_, n) => client.request({ command: 'ping', n }, soon(30_000)));
  const replies = await Promise.all(commands);
  assert.deepEqual(
    replies.map((reply) => reply['n']),
    commands.map((_, n) => n),
  );
  assert.equal(engine.replies.size, 200);
  assert.ok(retransmissions > 20, `${retransmissions} retransmissions`);
});

test('late and doubled replies are ignored and counted', async () => {
  const engine = await fakeEngine();
  let ignored = 0;
  const port = await proxy(engine.port, (direction) => (direction === 'to-client' ? [0, 20, 300] : [0, 10]));
  const client = clientTo(port, { observer: { ignored: () => (ignored += 1) } });
  for (let n = 0; n < 5; n += 1) assert.equal((await client.request({ command: 'ping', n }, soon()))['n'], n);
  await eventually(() => ignored === 5 * 6 - 5, 'all copies came');
});

test('a delayed reply is found although the datagram was sent again meanwhile', async () => {
  const engine = await fakeEngine();
  const port = await proxy(engine.port, (direction) => (direction === 'to-client' ? [400] : [0]));
  const client = clientTo(port);
  assert.equal((await client.request({ command: 'ping', n: 1 }, soon()))['n'], 1);
  assert.equal(engine.replies.size, 1);
  assert.equal(engine.datagrams, 2);
});

test('garbage with the right cookie is ignored; the retransmission brings the reply', async () => {
  const engine = await fakeEngine();
  const port = await proxy(engine.port, () => [0]);
  let first = true;
  const good = engine.answer;
  engine.answer = (cookie, body) => {
    const reply = first ? Buffer.from(`${cookie} d1:al-3:ee`) : good(cookie, body);
    first = false;
    return reply;
  };
  const send = engine.replies.set.bind(engine.replies);
  engine.replies.set = (cookie, reply) => (reply.includes('-3:') ? engine.replies : send(cookie, reply));
  assert.equal((await clientTo(port).request({ command: 'ping', n: 1 }, soon()))['n'], 1);
});

test('a dead engine is an error at once, and a later one at the same address is found', async () => {
  const port = await freeUdpPort();
  const client = clientTo(port);
  const startedAt = performance.now();
  await assert.rejects(client.request({ command: 'ping' }, soon()), (error: unknown) => {
    assert.ok(error instanceof NgError);
    assert.equal(error.failure, 'unavailable');
    assert.match(error.message, new RegExp(`nothing listens at 127\\.0\\.0\\.1:${port}`));
    return true;
  });
  assert.ok(performance.now() - startedAt < 240, 'before the first retransmission');
  await fakeEngine(port);
  assert.equal((await client.request({ command: 'ping' }, soon()))['result'], 'ok');
});

test('a host name that does not resolve is an error at once', async () => {
  const client = new NgClient({ address: { host: 'no host', port: 22222 } });
  closers.push(() => client.close());
  const message = /^no host:22222: \w+$/;
  await assert.rejects(client.request({ command: 'ping' }, soon()), { failure: 'unavailable', message });
});

test('a silent engine is an error at the deadline', async () => {
  const engine = await fakeEngine();
  engine.answer = () => undefined;
  const client = clientTo(engine.port, { deadlineMs: 300 });
  await assert.rejects(client.request({ command: 'ping' }, soon()), failsAs('timeout'));
  assert.equal(engine.datagrams, 2);
});

test('the caller may give up, before and meanwhile', async () => {
  const engine = await fakeEngine();
  engine.answer = () => undefined;
  const client = clientTo(engine.port);
  await assert.rejects(client.request({ command: 'ping' }, AbortSignal.abort()), failsAs('aborted'));
  const caller = new AbortController();
  const pending = client.request({ command: 'ping' }, caller.signal);
  await eventually(() => engine.datagrams === 1, 'it was sent');
  caller.abort();
  await assert.rejects(pending, failsAs('aborted'));
});

test("the engine's own error is refused with its reason", async () => {
  const engine = await fakeEngine();
  engine.answer = (cookie) => encodeMessage(cookie, { result: 'error', 'error-reason': 'Unknown call-ID' });
  await assert.rejects(clientTo(engine.port).request({ command: 'query' }, soon()), {
    failure: 'refused',
    command: 'query',
    message: 'Unknown call-ID',
  });
});

test('commands in flight are bounded, and close() fails them', async () => {
  const engine = await fakeEngine();
  engine.answer = () => undefined;
  const client = clientTo(engine.port, { maxInFlight: 2 });
  const pending = [1, 2].map((n) => client.request({ command: 'ping', n }, soon()));
  await assert.rejects(client.request({ command: 'ping' }, soon()), failsAs('overloaded'));
  await client.close();
  for (const one of pending) await assert.rejects(one, failsAs('closed'));
  await assert.rejects(client.request({ command: 'ping' }, soon()), failsAs('closed'));
  await client.close();
});

test('a command that no datagram can hold is an error at once', async () => {
  const engine = await fakeEngine();
  const sdp = 'x'.repeat(70_000);
  await assert.rejects(clientTo(engine.port).request({ command: 'offer', sdp }, soon()), failsAs('too-long'));
});

test('an error never repeats what was sent', async () => {
  const engine = await fakeEngine();
  engine.answer = () => undefined;
  const client = clientTo(engine.port, { deadlineMs: 50 });
  const sdp = 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:topsecret';
  await assert.rejects(client.request({ command: 'offer', sdp }, soon()), (error: unknown) => {
    assert.ok(error instanceof NgError);
    assert.doesNotMatch(`${error.stack}${JSON.stringify(error)}`, /topsecret/);
    return true;
  });
});
