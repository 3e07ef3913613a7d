// The process as a whole, with the real NATS and the real rtpengine coming and going.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  eventually,
  freeTcpPort,
  freeUdpPort,
  type NatsPeer,
  type RtpenginePeer,
  reasonToSkip,
  requirePeer,
  startNats,
  startRtpengine,
} from '@sidestream/peers';
import { Event } from '@sidestream/proto/events/v1';
import { MediaRelayServiceClient, Party, type WatchResponse } from '@sidestream/proto/media/v1';
import { Bus, callUnary, channelCredentials, createLogger } from '@sidestream/service';
import { Registry } from 'prom-client';
import { NgClient } from './adapters/ng-client.js';
import { Rtpengine } from './adapters/rtpengine.js';
import { RelayProcess } from './testing/relay-process.js';
import { RtpEndpoint } from './testing/rtp-endpoint.js';
import { soon } from './testing/soon.js';

const deadlineMs = 5_000;
const skip = await reasonToSkip([startNats, startRtpengine], { killable: true });
let directory: string;
let party: RtpEndpoint;
let natsPort: number;
let enginePort: number;
let bus: Bus;
let relay: RelayProcess;
let nats: NatsPeer | undefined;
let engine: RtpenginePeer | undefined;
let client: MediaRelayServiceClient | undefined;

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'relay-'));
  party = await RtpEndpoint.open();
  natsPort = await freeTcpPort();
  enginePort = await freeUdpPort();
  const servers = [`nats://127.0.0.1:${natsPort}`];
  const log = createLogger({ name: 'test', instance: 'test', level: 'silent' });
  bus = Bus.open({ nats: { servers, replicas: 1 }, name: 'test', log, metrics: new Registry() });
});
after(async () => {
  client?.close();
  party.close();
  await relay?.kill();
  await bus.close();
  await engine?.stop();
  await nats?.stop();
  rmSync(directory, { recursive: true });
});

function config(): object {
  return {
    nats: { servers: [`nats://127.0.0.1:${natsPort}`] },
    regions: {},
    tenants: {},
    trunks: {},
    signalling: { drainSeconds: 0 },
    mediaRelay: { region: 'eastus', rtpengine: { ng: `127.0.0.1:${enginePort}`, http: engine?.http }, maxSessions: 7 },
  };
}

function open(by: MediaRelayServiceClient, sessionId: string) {
  const request = { sessionId, offerer: Party.CUSTOMER, sdp: party.sdp('0'), terms: [] };
  return callUnary(by.openSession.bind(by), request, { deadlineMs });
}

async function lease(): Promise<Record<string, unknown> | undefined> {
  const entry = await bus.session?.bucket('leases').get('relay.r1');
  return entry?.operation === 'PUT' ? entry.json() : undefined;
}

async function ready(): Promise<boolean> {
  const { status } = await fetch(`${relay.lines[0]?.addresses['management']}/readyz`, { signal: soon() });
  return status === 200;
}

async function metrics(of = ''): Promise<string> {
  return await (await fetch(`${relay.lines[0]?.addresses['management']}/metrics${of}`, { signal: soon() })).text();
}

/** Every event so far. */
async function events(): Promise<NonNullable<Event['body']>[]> {
  const consumer = await bus.session?.jetstream.consumers.get('EVENTS');
  const bodies: NonNullable<Event['body']>[] = [];
  const { num_pending: pending } = (await consumer?.info()) ?? { num_pending: 0 };
  if (!consumer || pending === 0) return bodies;
  for await (const message of await consumer.fetch({ max_messages: pending, expires: 1_000 })) {
    const { body } = Event.decode(message.data);
    if (body) bodies.push(body);
  }
  return bodies;
}

// One story, in its order: every step needs what the one before left.
test('a relay, from a start without anything to its end with a session left', { skip }, async (story) => {
  let calls: MediaRelayServiceClient;

  await story.test('without rtpengine it is not ready and says what it waits for, at which address', async () => {
    relay = RelayProcess.start(directory, 'r1', config());
    const line = await relay.line('the not-ready line', ({ ready }) => !ready);
    assert.match(line.waitingFor?.join() ?? '', new RegExp(`rtpengine.*127\\.0\\.0\\.1:${enginePort}`));
    calls = new MediaRelayServiceClient(line.addresses['grpc'] ?? '', channelCredentials('media-relay'));
    client = calls;
    await assert.rejects(open(calls, 'early'), {
      code: 'media-engine-unavailable',
      message: new RegExp(`rtpengine at 127\\.0\\.0\\.1:${enginePort}`),
    });
  });

  await story.test('with rtpengine, and without NATS, it is ready', async () => {
    engine = requirePeer(await startRtpengine({ port: enginePort }));
    await relay.line('the ready line', ({ ready }) => ready);
  });

  await story.test('when NATS comes, its lease and what happened before are there', async () => {
    nats = requirePeer(await startNats({ port: natsPort, jetStream: true }));
    await bus.whenConnected(soon(10_000));
    await eventually(async () => (await lease()) !== undefined, 'the lease', 10_000);
    const { expiresAt, ...value } = (await lease()) ?? {};
    const address = relay.lines[0]?.addresses['grpc'];
    assert.deepEqual(value, { address, region: 'eastus', sessions: 0, capacity: 7, draining: false });
    assert.ok(Date.parse(String(expiresAt)) > Date.now());
    await eventually(async () => (await events()).some((body) => body.$case === 'mediaUp'), 'media.up', 10_000);
  });

  await story.test('its metrics are there', async () => {
    await open(calls, 'measured');
    const text = await metrics();
    assert.match(text, /^sidestream_media_sessions\{.*\} 1$/m);
    assert.match(text, /^sidestream_media_engine_up\{.*\} 1$/m);
    assert.match(text, /^sidestream_draining\{.*\} 0$/m);
    assert.match(text, /^sidestream_ng_request_seconds_count\{.*command="offer",outcome="ok".*\} 1$/m);
    await callUnary(calls.closeSession.bind(calls), { sessionId: 'measured' }, { deadlineMs });
  });

  await story.test('killed rtpengine: watchers and NATS are told of the lost session, readiness is gone', async () => {
    await open(calls, 'lost-1');
    const watch = calls.watch({});
    watch.on('error', () => undefined);
    await once(watch, 'metadata');
    const told = once(watch, 'data', { signal: soon(10_000) });
    await engine?.kill('SIGKILL');
    await engine?.stop();
    const [response]: WatchResponse[] = await told;
    assert.deepEqual(response?.event?.value, { sessionId: 'lost-1', reason: 'engine-gone' });
    watch.cancel();
    const wanted = { relay: 'r1', callId: 'lost-1', reason: 'engine-gone' };
    await eventually(async () => {
      const bodies = await events();
      const lost = bodies.find((body) => body.$case === 'mediaLost');
      if (lost) assert.deepEqual(lost.value, wanted);
      return lost !== undefined && bodies.some((body) => body.$case === 'mediaDown');
    }, 'media.lost and media.down');
    const { status } = await fetch(`${relay.lines[0]?.addresses['management']}/readyz`, { signal: soon() });
    assert.equal(status, 503);
  });

  await story.test(
    'killed and started again: what it carried is not listed, and its media is left alone',
    async (step) => {
      engine = requirePeer(await startRtpengine({ port: enginePort }));
      await eventually(ready, 'it is back');
      await open(calls, 'carried');
      await relay.kill();
      calls.close();
      relay = RelayProcess.start(directory, 'r1', config());
      const line = await relay.line('the ready line', (one) => one.ready);
      calls = new MediaRelayServiceClient(line.addresses['grpc'] ?? '', channelCredentials('media-relay'));
      client = calls;
      const { sessions } = await callUnary(calls.listSessions.bind(calls), {}, { deadlineMs });
      assert.deepEqual(sessions, []);
      const listed = /^sidestream_ng_request_seconds_count\{.*command="list",outcome="ok".*\} [1-9]/m;
      await eventually(async () => listed.test(await metrics()), 'it swept');
      if (engine.http !== undefined)
        assert.match(
          await metrics('/rtpengine'),
          /^rtpengine_ports_used\{name="default",address="127\.0\.0\.1"\} \d+$/m,
        );
      await open(calls, 'next');
      await callUnary(calls.closeSession.bind(calls), { sessionId: 'next' }, { deadlineMs });
      const ng = new NgClient({ address: { host: '127.0.0.1', port: enginePort } });
      step.after(() => ng.close());
      assert.ok(await new Rtpengine(ng, 'r1').holds('carried', soon()));
      await new Rtpengine(ng, 'r1').close('carried', soon());
    },
  );

  await story.test('SIGTERM: a draining lease, no new session, then an end that leaves nothing', async (step) => {
    await open(calls, 'left');
    const watch = calls.watch({}).on('error', () => undefined);
    await once(watch, 'metadata');
    const told = once(watch, 'data', { signal: soon(10_000) });
    relay.terminate();
    await eventually(async () => (await lease())?.['draining'] === true, 'it drains');
    assert.match(await metrics(), /^sidestream_draining\{.*\} 1$/m);
    await assert.rejects(open(calls, 'late'), { code: 'draining' });
    const [response]: WatchResponse[] = await told;
    assert.deepEqual(response?.event?.value, { sessionId: 'left', reason: 'relay-stopped' });
    assert.equal(await relay.ended(), 0);
    const ng = new NgClient({ address: { host: '127.0.0.1', port: enginePort } });
    step.after(() => ng.close());
    assert.deepEqual((await new Rtpengine(ng, 'r1').list(soon())).sessions, []);
    assert.equal(await lease(), undefined);
    assert.doesNotMatch(relay.log, /a=crypto|m=audio/);
  });
});

test('a wrong configuration is told whole, and ends the process with 2', async () => {
  const wrong = RelayProcess.start(directory, 'no spaces please', {
    ...config(),
    mediaRelay: { rtpengine: { ng: 'x' } },
  });
  assert.equal(await wrong.ended(), 2);
  assert.match(wrong.log, /mediaRelay\.rtpengine\.ng/);
});
