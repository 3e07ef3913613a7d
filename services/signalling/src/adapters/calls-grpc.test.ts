import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { ChannelCredentials } from '@grpc/grpc-js';
import { type Authority, CredentialFolder, createAuthority } from '@sidestream/pki';
import { CallsServiceClient, CallsServiceService, type WatchResponse } from '@sidestream/proto/calls/v1';
import { Direction, Event } from '@sidestream/proto/events/v1';
import { callUnary, channelCredentials, GrpcServer, type TlsFiles, UnaryHandlers } from '@sidestream/service';
import { Registry } from 'prom-client';
import { CallAdmission } from '../domain/admission.js';
import type { ActivitySource, PacketRates } from '../domain/call-activity.js';
import { CallDesk } from '../domain/call-desk.js';
import { CallRegistry } from '../domain/call-registry.js';
import type { CallSession } from '../domain/call-session.js';
import { PolicyTable } from '../domain/policy-table.js';
import type { Missing } from '../domain/recording-assurance.js';
import { Recordings } from '../domain/recordings.js';
import { FakeWorld } from '../testing/fake-world.js';
import { testLog } from '../testing/test-log.js';
import { testPolicy } from '../testing/test-policy.js';
import { CallFeed } from './call-feed.js';
import { callsService } from './calls-grpc.js';

const deadlineMs = 5_000;
const { log, lines } = testLog('trace');
const world = new FakeWorld();
const registry = new CallRegistry<CallSession>(10);
const desk = new CallDesk({
  registry,
  admission: new CallAdmission(registry, world.relays, { missing: [] }, { problem: undefined }),
  newRecording: (facts) => new Recordings([world.recording(facts)], 'all'),
  recordersOf: () => ['sip:r1'],
  onDrain: () => {},
});
const feed = new CallFeed({ publish: (body) => Event.fromPartial({ id: 'e1', source: 'signalling.s1', body }) });
const shutdown = new AbortController();
const clients: CallsServiceClient[] = [];
const asked: { readonly calls: readonly string[]; readonly wait: boolean }[] = [];
/** Of every call and every fork of its recording the customer alone is heard. */
const activity: ActivitySource = {
  measure: async (calls, wait) => {
    asked.push({ calls, wait });
    const rates = (customer: number): PacketRates => new Map([['customer', customer]]);
    const recording = registry.all()[0]?.view.recordings[0]?.recordingId;
    const copied = new Map([
      [`${recording}.0`, rates(0)],
      [`${recording}.1`, rates(48)],
      ['another.0', rates(9)],
    ]);
    return new Map(calls.map((id) => [id, { received: rates(49.96), copied }]));
  },
};
const policies = new PolicyTable({
  contoso: { recorders: ['eastus'], enabled: true },
  fabrikam: { recorders: ['eastus'], enabled: true },
});
let folder: CredentialFolder;
let authority: Authority;
let server: GrpcServer;
let port: number;
let client: CallsServiceClient;
let call: CallSession;
let missing: Missing | undefined;

before(async () => {
  folder = await CredentialFolder.create();
  authority = await createAuthority('test authority');
  server = new GrpcServer(await tlsFiles('signalling'), { service: 'signalling', log, metrics: new Registry() });
  const handlers = new UnaryHandlers(log, new Registry());
  const measured = { recorder: 'eastus', place: 0, phase: 'open', sessions: 2, lastFailure: 'OPTIONS: 503' } as const;
  server.add(
    CallsServiceService,
    callsService({
      desk,
      feed,
      handlers,
      instance: 's1',
      recorders: () => ['contoso', 'fabrikam'].map((tenant) => ({ tenant, ...measured })),
      regionOf: () => 'local',
      policies,
      missingOf: () => missing,
      activity,
      shutdown: shutdown.signal,
    }),
  );
  port = await server.listen({ host: '127.0.0.1', port: 0 });
  client = connect(channelCredentials('signalling', await tlsFiles('operator')));
  call = world.call();
  registry.add(call);
  void call.ended.then(() => registry.remove(call.id));
  call.start();
  await world.until(() => world.count('recordingStarted') > 0);
});
after(async () => {
  shutdown.abort();
  for (const one of clients) one.close();
  await server.close(500);
  await folder.remove();
});

/** Its owner trusts our authority, whoever issued it. */
async function tlsFiles(commonName: string, by = authority): Promise<TlsFiles> {
  const credential = await by.issue({ commonName, dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] });
  const { certFile, keyFile, trustFile } = await folder.write(credential, commonName, authority);
  return { certFile, keyFile, caFile: trustFile };
}

function connect(credentials: ChannelCredentials): CallsServiceClient {
  const opened = new CallsServiceClient(`localhost:${port}`, credentials);
  clients.push(opened);
  return opened;
}

const list = (by = client) =>
  callUnary(by.listCalls.bind(by), { tenant: '', activity: false, countOnly: false }, { deadlineMs });

test('who wants to know how many live is told that alone', async () => {
  const count = async (tenant: string) => {
    const request = { tenant, activity: true, countOnly: true };
    const { instance, calls, live } = await callUnary(client.listCalls.bind(client), request, { deadlineMs });
    return { instance, calls, live };
  };
  asked.length = 0;
  assert.deepEqual(await count(''), { instance: 's1', calls: [], live: 1 });
  assert.deepEqual(await count('nobody'), { instance: 's1', calls: [], live: 0 });
  assert.equal((await list()).live, 1);
  assert.deepEqual(
    asked.flatMap(({ calls }) => calls),
    [],
  );
});

test('a live recorded call, through the wire: parties to the client, none to the log', async () => {
  const { instance, draining, calls } = await list();
  assert.deepEqual([instance, draining, calls.length], ['s1', false, 1]);
  const { call: got } = await callUnary(
    client.getCall.bind(client),
    { callId: call.id, activity: false },
    { deadlineMs },
  );
  assert.deepEqual(got, calls[0]);
  assert.equal(got?.called?.uri, 'sip:+15550001@sbc');
  assert.deepEqual([got?.instance, got?.phase, got?.direction], ['s1', 'talking', Direction.INBOUND]);
  assert.ok(got?.answeredAt instanceof Date);
  assert.deepEqual(
    got?.recordings.map(({ phase, recorder }) => [phase, recorder]),
    [['active', 'sip:r1']],
  );
  assert.doesNotMatch(JSON.stringify(lines), /1555/);
});

test('what is missing of the recording of a live call is told with it', async () => {
  missing = { reason: 'media-stalled', since: new Date('2026-11-26T12:00:00Z') };
  const { calls } = await list();
  assert.deepEqual(calls[0]?.missing, missing);
  missing = undefined;
  assert.equal((await list()).calls[0]?.missing, undefined);
});

test('calls are measured for whoever asks for it, and for nobody else; one call is waited for, a list is not', async () => {
  asked.length = 0;
  assert.deepEqual((await list()).calls[0]?.voices, []);
  assert.deepEqual(asked, [{ calls: [], wait: false }]);
  const listing = callUnary(
    client.listCalls.bind(client),
    { tenant: '', activity: true, countOnly: false },
    { deadlineMs },
  );
  const { calls } = await listing;
  const getting = callUnary(client.getCall.bind(client), { callId: call.id, activity: true }, { deadlineMs });
  const { call: got } = await getting;
  for (const one of [calls[0], got]) {
    assert.deepEqual(one?.voices, [{ party: 'customer', packetsPerSecond: 50 }]);
    assert.deepEqual(one?.recordings[0]?.voices, [{ party: 'customer', packetsPerSecond: 48 }]);
  }
  assert.deepEqual(asked.slice(1), [
    { calls: [call.id], wait: false },
    { calls: [call.id], wait: true },
  ]);
});

test('a client without a certificate, or with one of another authority, learns nothing', async () => {
  const stranger = await tlsFiles('stranger', await createAuthority('another authority'));
  for (const credentials of [
    ChannelCredentials.createInsecure(),
    ChannelCredentials.createSsl(Buffer.from(authority.certificate)),
    channelCredentials('signalling', stranger),
  ])
    await assert.rejects(list(connect(credentials)), { code: 'relay-unavailable' });
});

test('errors cross the wire with their code', async () => {
  const end = (callId: string, reason: string) =>
    callUnary(client.endCall.bind(client), { callId, reason }, { deadlineMs });
  await assert.rejects(end('nobody', ''), { code: 'not-found', message: /nobody/ });
  await assert.rejects(end(call.id, 'x\ny'), { code: 'bad-request', message: /reason/ });
  const again = callUnary(client.startRecording.bind(client), { callId: call.id }, { deadlineMs });
  await assert.rejects(again, { code: 'wrong-state', message: /active already/ });
});

test('watch tells of events from its headers on', async () => {
  const stream = client.watch({});
  stream.on('error', () => undefined);
  await once(stream, 'metadata');
  const told = once(stream, 'data');
  feed.publish({ $case: 'recordingResumed', value: { callId: call.id, recordingId: 'r' } });
  const [{ event }] = (await told) as [WatchResponse];
  assert.equal(event?.id, 'e1');
  assert.deepEqual(event?.body, { $case: 'recordingResumed', value: { callId: call.id, recordingId: 'r' } });
  stream.cancel();
});

test('drain begins and is undone', async () => {
  const drain = (undo: boolean) => callUnary(client.drain.bind(client), { undo }, { deadlineMs });
  assert.deepEqual(await drain(false), { instance: 's1', draining: true, calls: 1 });
  assert.equal((await list()).draining, true);
  assert.deepEqual(await drain(true), { instance: 's1', draining: false, calls: 1 });
});

test('a call is ended through the wire', async () => {
  await callUnary(client.endCall.bind(client), { callId: call.id, reason: 'enough' }, { deadlineMs });
  assert.deepEqual((await list()).calls, []);
  assert.equal(world.terminationOf('callEnded')?.detail, 'enough');
});

test("a tenant's recorders are told with their region and health, and nobody else's", async () => {
  const { instance, recorders } = await callUnary(
    client.listRecorders.bind(client),
    { tenant: 'contoso' },
    { deadlineMs },
  );
  assert.equal(instance, 's1');
  assert.deepEqual(recorders, [
    {
      tenant: 'contoso',
      recorder: 'eastus',
      region: 'local',
      place: 0,
      breaker: 'open',
      sessions: 2,
      lastFailure: 'OPTIONS: 503',
    },
  ]);
});

test('the policy in use is told and explained, whatever its source; a tenant without one, and one that there is not, as well', async () => {
  const { snapshot } = testPolicy(['+4930901820']);
  policies.swap('contoso', snapshot, 1);
  const told = await callUnary(client.listPolicies.bind(client), { tenant: '' }, { deadlineMs });
  assert.deepEqual(
    told.policies.map(({ tenant, revision, users, since }) => [tenant, revision, users, since !== undefined]),
    [
      ['contoso', snapshot.revision, 1, true],
      ['fabrikam', '', 0, false],
    ],
  );
  const explain = (tenant: string, party: string) =>
    callUnary(client.explainDecision.bind(client), { tenant, party, other: '' }, { deadlineMs });
  const { instance, explained } = await explain('contoso', '0049 30 901820');
  assert.deepEqual(
    [instance, explained?.record, explained?.reason, explained?.matched, explained?.seller?.id],
    ['s1', true, 'listed', '+4930901820', 'user +4930901820'],
  );
  assert.equal((await explain('fabrikam', '+4930901820')).explained?.reason, 'no-policy');
  await assert.rejects(explain('nobody', '+4930901820'), { code: 'not-found', message: /no tenant 'nobody'/ });
  await assert.rejects(explain('contoso', ''), { code: 'bad-request' });
});
