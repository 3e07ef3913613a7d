import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { Writable } from 'node:stream';
import { after, before, test } from 'node:test';
import { ChannelCredentials, type ClientReadableStream } from '@grpc/grpc-js';
import {
  MediaRelayServiceClient,
  MediaRelayServiceService,
  Party,
  type WatchResponse,
} from '@sidestream/proto/media/v1';
import {
  callUnary,
  channelCredentials,
  createLogger,
  GrpcServer,
  type TlsFiles,
  UnaryHandlers,
} from '@sidestream/service';
import { Registry } from 'prom-client';
import { Relay } from '../domain/relay.js';
import { TestAuthority } from '../testing/certificates.js';
import { FakeEngine, hang } from '../testing/fake-engine.js';
import { until } from '../testing/until.js';
import { mediaRelayService } from './media-grpc.js';

const deadlineMs = 5_000;
const logged: string[] = [];
const destination = new Writable({
  write(chunk: Buffer, _encoding, done) {
    logged.push(chunk.toString());
    done();
  },
});
const log = createLogger({ name: 'test', instance: 'test', level: 'trace', destination });
const engine = new FakeEngine();
const relay = new Relay({ engine, maxSessions: 10, log });
const shutdown = new AbortController();
const clients: MediaRelayServiceClient[] = [];
let authority: TestAuthority;
let server: GrpcServer;
let port: number;
let client: MediaRelayServiceClient;

before(async () => {
  authority = await TestAuthority.create();
  server = new GrpcServer(await authority.issue('relay'));
  const handlers = new UnaryHandlers(log, new Registry());
  server.add(MediaRelayServiceService, mediaRelayService(relay, handlers, shutdown.signal));
  port = await server.listen({ host: '127.0.0.1', port: 0 });
  client = connect(channelCredentials(await authority.issue('signalling')));
  relay.setEngineProblem(undefined);
});
after(async () => {
  shutdown.abort();
  for (const one of clients) one.close();
  await server.close(500);
  rmSync(authority.directory, { recursive: true });
});

function connect(credentials: ChannelCredentials): MediaRelayServiceClient {
  const opened = new MediaRelayServiceClient(`localhost:${port}`, credentials);
  clients.push(opened);
  return opened;
}

function open(sessionId: string, by = client, sdp = 'v=0') {
  const request = { sessionId, offerer: Party.CUSTOMER, sdp };
  return callUnary(by.openSession.bind(by), request, { deadlineMs });
}

test('a session and its fork, through the wire', async () => {
  assert.deepEqual(await open('s1'), { sdp: 'v=0' });
  const answer = { sessionId: 's1', answerer: Party.SELLER, sdp: 'v=1' };
  assert.deepEqual(await callUnary(client.answerSession.bind(client), answer, { deadlineMs }), { sdp: 'v=1' });
  const fork = { sessionId: 's1', forkId: 'f1', parties: [Party.CUSTOMER, Party.SELLER] };
  await callUnary(client.startFork.bind(client), fork, { deadlineMs });
  const { sessions } = await callUnary(client.listSessions.bind(client), {}, { deadlineMs });
  assert.deepEqual(
    sessions.map(({ sessionId, forkIds }) => ({ sessionId, forkIds })),
    [{ sessionId: 's1', forkIds: ['f1'] }],
  );
  const closed = await callUnary(client.closeSession.bind(client), { sessionId: 's1' }, { deadlineMs });
  assert.deepEqual(closed, { found: true, media: [{ party: Party.CUSTOMER, packets: 1n, bytes: 172n }] });
  const again = await callUnary(client.closeSession.bind(client), { sessionId: 's1' }, { deadlineMs });
  assert.deepEqual(again, { found: false, media: [] });
});

test('a client without a certificate, or with one of another authority, is refused', async () => {
  const other = await TestAuthority.create();
  try {
    const { certFile, keyFile } = await other.issue('stranger');
    const { caFile } = await authority.issue('unused');
    const stranger: TlsFiles = { certFile, keyFile, caFile };
    for (const credentials of [
      ChannelCredentials.createInsecure(),
      ChannelCredentials.createSsl(readFileSync(caFile)),
      channelCredentials(stranger),
    ])
      await assert.rejects(open('intruder', connect(credentials)), { code: 'relay-unavailable' });
    assert.ok(!relay.owns('intruder'));
  } finally {
    rmSync(other.directory, { recursive: true });
  }
});

test('errors cross the wire with their code', async () => {
  await assert.rejects(open('bad id!'), { code: 'bad-request', message: /session_id/ });
  await assert.rejects(open('s2', client, ''), { code: 'bad-request', message: /sdp/ });
  await assert.rejects(open('s2', client, 'x'.repeat(50_000)), { code: 'bad-request', message: /sdp/ });
  const nobody = { sessionId: 's2', offerer: Party.UNSPECIFIED, sdp: 'v=0' };
  await assert.rejects(callUnary(client.openSession.bind(client), nobody, { deadlineMs }), { code: 'bad-request' });
  const unknown = { sessionId: 'none', forkId: 'f' };
  await assert.rejects(callUnary(client.pauseFork.bind(client), unknown, { deadlineMs }), { code: 'not-found' });
  relay.setEngineProblem('nothing listens at rtpengine at 127.0.0.1:22222');
  await assert.rejects(open('s2'), { code: 'media-engine-unavailable', message: /rtpengine at 127\.0\.0\.1:22222/ });
  relay.setEngineProblem(undefined);
});

test('a deadline that passes ends the work behind it', async () => {
  engine.before = (command, _, signal) => (command === 'offer' ? hang(signal) : undefined);
  const request = { sessionId: 'slow', offerer: Party.CUSTOMER, sdp: 'v=0' };
  const opening = callUnary(client.openSession.bind(client), request, { deadlineMs: 100 });
  await assert.rejects(opening, { code: 'deadline-exceeded' });
  await until('it is cleaned up', () => !relay.owns('slow') && engine.commands.includes('close slow'));
  engine.before = () => undefined;
});

test('watch tells of losses until the client goes', async () => {
  await open('doomed');
  const stream: ClientReadableStream<WatchResponse> = client.watch({});
  stream.on('error', () => undefined);
  await once(stream, 'metadata');
  const told = once(stream, 'data');
  relay.lose('doomed', 'engine-restarted');
  const [{ event }] = await told;
  assert.deepEqual(event, { $case: 'lost', value: { sessionId: 'doomed', reason: 'engine-restarted' } });
  stream.cancel();
});

test('no SDP and no key is logged', async () => {
  const key = 'inline:SECRETSECRETSECRETSECRETSECRETSECRETSECR';
  engine.before = (command) => {
    if (command === 'offer') throw new Error('boom');
  };
  await assert.rejects(open('logged', client, `v=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 ${key}`), {
    code: 'internal',
  });
  engine.before = () => undefined;
  await until('it was logged', () => logged.length > 0);
  assert.doesNotMatch(logged.join(''), /SECRET|a=crypto/);
});
