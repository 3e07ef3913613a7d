import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { after, before, test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { ChannelCredentials, type ClientReadableStream } from '@grpc/grpc-js';
import { eventually } from '@sidestream/peers';
import { type Authority, CredentialFolder, createAuthority } from '@sidestream/pki';
import {
  ForkCondition,
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
import { ActivityMeter } from '../domain/activity-meter.js';
import type { ForkChange } from '../domain/fork-monitor.js';
import { Relay } from '../domain/relay.js';
import { audioSdp } from '../testing/audio-sdp.js';
import { FakeEngine, hang } from '../testing/fake-engine.js';
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
const forkListeners = new Set<(change: ForkChange) => void>();
const forks = {
  onChange: (listener: (change: ForkChange) => void) => {
    forkListeners.add(listener);
    return () => forkListeners.delete(listener);
  },
};
const shutdown = new AbortController();
const meter = new ActivityMeter({ engine, relay, stopping: shutdown.signal });
const clients: MediaRelayServiceClient[] = [];
const served = () => ({ service: 'media-relay', log, metrics: new Registry() }) as const;
let folder: CredentialFolder;
let authority: Authority;
let server: GrpcServer;
let port: number;
let client: MediaRelayServiceClient;

before(async () => {
  folder = await CredentialFolder.create();
  authority = await createAuthority('test authority');
  server = new GrpcServer(await tlsFiles('relay'), served());
  const handlers = new UnaryHandlers(log, new Registry());
  server.add(MediaRelayServiceService, mediaRelayService(relay, forks, meter, handlers, shutdown.signal));
  port = await server.listen({ host: '127.0.0.1', port: 0 });
  client = connect(channelCredentials('media-relay', await tlsFiles('signalling')));
  relay.setEngineProblem(undefined);
});
after(async () => {
  shutdown.abort();
  for (const one of clients) one.close();
  await server.close(500);
  await folder.remove();
});

/** A certificate for both ends of a link on this machine; its owner trusts our authority, whoever issued it. */
async function tlsFiles(commonName: string, by = authority): Promise<TlsFiles> {
  const credential = await by.issue({ commonName, dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] });
  const { certFile, keyFile, trustFile } = await folder.write(credential, commonName, authority);
  return { certFile, keyFile, caFile: trustFile };
}

function connect(credentials: ChannelCredentials): MediaRelayServiceClient {
  const opened = new MediaRelayServiceClient(`localhost:${port}`, credentials);
  clients.push(opened);
  return opened;
}

function open(sessionId: string, by = client, sdp = audioSdp) {
  const request = { sessionId, offerer: Party.CUSTOMER, sdp, terms: [] };
  return callUnary(by.openSession.bind(by), request, { deadlineMs });
}

test('a session and its fork, through the wire', async () => {
  assert.match((await open('s1')).sdp, /^m=audio 4000 /m);
  const answer = { sessionId: 's1', answerer: Party.SELLER, sdp: audioSdp };
  assert.match((await callUnary(client.answerSession.bind(client), answer, { deadlineMs })).sdp, /^m=audio 4000 /m);
  const fork = { sessionId: 's1', forkId: 'f1', parties: [Party.CUSTOMER, Party.SELLER] };
  await callUnary(client.startFork.bind(client), fork, { deadlineMs });
  const { sessions } = await callUnary(client.listSessions.bind(client), {}, { deadlineMs });
  assert.deepEqual(
    sessions.map(({ sessionId, forkIds }) => ({ sessionId, forkIds })),
    [{ sessionId: 's1', forkIds: ['f1'] }],
  );
  const closed = await callUnary(client.closeSession.bind(client), { sessionId: 's1' }, { deadlineMs });
  assert.deepEqual(closed, {
    found: true,
    media: [{ party: Party.CUSTOMER, packets: 1n, bytes: 172n }],
    forks: [],
  });
  const again = await callUnary(client.closeSession.bind(client), { sessionId: 's1' }, { deadlineMs });
  assert.deepEqual(again, { found: false, media: [], forks: [] });
});

test('a client without a certificate, or with one of another authority, is refused', async () => {
  const stranger = await tlsFiles('stranger', await createAuthority('another authority'));
  for (const credentials of [
    ChannelCredentials.createInsecure(),
    ChannelCredentials.createSsl(Buffer.from(authority.certificate)),
    channelCredentials('media-relay', stranger),
  ])
    await assert.rejects(open('intruder', connect(credentials)), { code: 'relay-unavailable' });
  assert.ok(!relay.owns('intruder'));
});

test('a server whose address is in no certificate is known by the name that all services have', async () => {
  const names = { commonName: 'pod', dnsNames: ['sidestream.internal'], ipAddresses: [] };
  const files = await folder.write(await authority.issue(names), 'pod', authority);
  const tls = { certFile: files.certFile, keyFile: files.keyFile, caFile: files.trustFile };
  const pod = new GrpcServer(tls, served());
  pod.add(
    MediaRelayServiceService,
    mediaRelayService(relay, forks, meter, new UnaryHandlers(log, new Registry()), shutdown.signal),
  );
  const address = `127.0.0.1:${await pod.listen({ host: '127.0.0.1', port: 0 })}`;
  const list = async (serverName?: string) => {
    const named = new MediaRelayServiceClient(address, channelCredentials('media-relay', { ...tls, serverName }));
    clients.push(named);
    return callUnary(named.listSessions.bind(named), {}, { deadlineMs });
  };
  await list('sidestream.internal');
  await assert.rejects(list(), { code: 'relay-unavailable' });
  await assert.rejects(list('other.internal'), { code: 'relay-unavailable' });
  await pod.close(500);
});

test('a certificate that is renewed under a running server is shown to new connections, and half of one is not', async () => {
  const renewed = async (commonName: string) =>
    folder.write(await authority.issue({ commonName, dnsNames: ['localhost'] }), 'renewed', authority);
  const files = await renewed('first');
  const tls = { certFile: files.certFile, keyFile: files.keyFile, caFile: files.trustFile };
  const running = new GrpcServer(tls, { ...served(), lookEveryMs: 20 });
  running.add(
    MediaRelayServiceService,
    mediaRelayService(relay, forks, meter, new UnaryHandlers(log, new Registry()), shutdown.signal),
  );
  const address = { host: '127.0.0.1', port: await running.listen({ host: '127.0.0.1', port: 0 }) };
  const ca = authority.certificate;
  const shown = async () => {
    const socket = tlsConnect({ ...address, ca, servername: 'localhost', ALPNProtocols: ['h2'] });
    try {
      await once(socket, 'secureConnect', { signal: AbortSignal.timeout(deadlineMs) });
      return socket.getPeerCertificate().subject.CN;
    } finally {
      socket.destroy();
    }
  };
  assert.equal(await shown(), 'first');
  const key = readFileSync(tls.keyFile);
  writeFileSync(tls.keyFile, 'half written');
  let looks = 0;
  await eventually(async () => {
    assert.equal(await shown(), 'first');
    looks += 1;
    return looks === 10;
  }, 'the old certificate stays for several looks');
  writeFileSync(tls.keyFile, key);
  await renewed('second');
  await eventually(async () => (await shown()) === 'second', 'the renewed certificate is shown');
  await running.close(500);
});

test('errors cross the wire with their code', async () => {
  await assert.rejects(open('bad id!'), { code: 'bad-request', message: /session_id/ });
  await assert.rejects(open('s2', client, ''), { code: 'bad-request', message: /sdp/ });
  await assert.rejects(open('s2', client, 'x'.repeat(50_000)), { code: 'bad-request', message: /sdp/ });
  const nobody = { sessionId: 's2', offerer: Party.UNSPECIFIED, sdp: audioSdp, terms: [] };
  await assert.rejects(callUnary(client.openSession.bind(client), nobody, { deadlineMs }), { code: 'bad-request' });
  const unknown = { sessionId: 'none', forkId: 'f' };
  await assert.rejects(callUnary(client.pauseFork.bind(client), unknown, { deadlineMs }), { code: 'not-found' });
  relay.setEngineProblem('nothing listens at rtpengine at 127.0.0.1:22222');
  await assert.rejects(open('s2'), { code: 'media-engine-unavailable', message: /rtpengine at 127\.0\.0\.1:22222/ });
  relay.setEngineProblem(undefined);
});

test('a deadline that passes ends the work behind it', async () => {
  engine.before = (command, _, signal) => (command === 'offer' ? hang(signal) : undefined);
  const request = { sessionId: 'slow', offerer: Party.CUSTOMER, sdp: audioSdp, terms: [] };
  const opening = callUnary(client.openSession.bind(client), request, { deadlineMs: 100 });
  await assert.rejects(opening, { code: 'deadline-exceeded' });
  await eventually(() => !relay.owns('slow') && engine.commands.includes('close slow'), 'it is cleaned up');
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

test('watch tells how forks do their work', async () => {
  const stream: ClientReadableStream<WatchResponse> = client.watch({});
  stream.on('error', () => undefined);
  await once(stream, 'metadata');
  const told = once(stream, 'data');
  for (const listener of forkListeners)
    listener({ session: 's', fork: 'f', condition: 'recorder-silent', lastedMs: 25_000 });
  const [{ event }] = await told;
  const value = { sessionId: 's', forkId: 'f', condition: ForkCondition.RECORDER_SILENT, lastedMs: 25_000n };
  assert.deepEqual(event, { $case: 'fork', value });
  stream.cancel();
  await eventually(() => forkListeners.size === 0, 'nobody listens any more');
});

test('a watch that ended loses nothing: watching again and listing tells what was lost meanwhile', async () => {
  await open('stays');
  await open('goes');
  const first = client.watch({}).on('error', () => undefined);
  await once(first, 'metadata');
  first.cancel();
  relay.lose('goes', 'engine-dropped');
  const second = client.watch({}).on('error', () => undefined);
  await once(second, 'metadata');
  const { sessions } = await callUnary(client.listSessions.bind(client), {}, { deadlineMs });
  assert.deepEqual(
    sessions.map(({ sessionId }) => sessionId),
    ['stays'],
  );
  second.cancel();
  await callUnary(client.closeSession.bind(client), { sessionId: 'stays' }, { deadlineMs });
});

test('watchers that went make room, however they went', async () => {
  for (let n = 0; n < 300; n += 1) {
    const watch = client.watch({}).on('error', () => undefined);
    await once(watch, 'metadata');
    watch.cancel();
  }
  const watch = client.watch({}).on('error', () => undefined);
  await once(watch, 'metadata');
  watch.cancel();
});

test('no SDP and no key is logged', async () => {
  const key = 'inline:SECRETSECRETSECRETSECRETSECRETSECRETSECR';
  engine.before = (command) => {
    if (command === 'offer') throw new Error('boom');
  };
  await assert.rejects(open('logged', client, `${audioSdp}a=crypto:1 AES_CM_128_HMAC_SHA1_80 ${key}\r\n`), {
    code: 'internal',
  });
  engine.before = () => undefined;
  await eventually(() => logged.length > 0, 'it was logged');
  assert.doesNotMatch(logged.join(''), /SECRET|a=crypto/);
});
