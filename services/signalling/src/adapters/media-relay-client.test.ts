import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  ChannelCredentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServerWritableStream,
  status,
} from '@grpc/grpc-js';
import { eventually } from '@sidestream/peers';
import {
  ForkCondition,
  MediaRelayServiceService,
  Party,
  Srtp,
  type WatchRequest,
  type WatchResponse,
} from '@sidestream/proto/media/v1';
import { SidestreamError } from '@sidestream/service';
import { newCallId } from '../domain/identifiers.js';
import type { RelayLease } from '../domain/relay-choice.js';
import { silent } from '../testing/fake-world.js';
import { MediaRelayClient } from './media-relay-client.js';

type Unary = (call: { request: unknown }, callback: (error: object | null, response?: object) => void) => void;

function isNamed(request: unknown): request is { sessionId: string } {
  return typeof request === 'object' && request !== null && 'sessionId' in request;
}

const closing: (() => void)[] = [];
const never = new AbortController().signal;
after(() => {
  for (const close of closing) close();
});

/** A relay that answers as told and remembers what it was asked. */
async function relay(over: Record<string, Unary> = {}) {
  const asked: string[] = [];
  const watchers: ServerWritableStream<WatchRequest, WatchResponse>[] = [];
  const held = new Set<string>();
  const say =
    (name: string, response: object): Unary =>
    (call, callback) => {
      asked.push(name);
      if (name === 'openSession' && isNamed(call.request)) held.add(call.request.sessionId);
      if (over[name]) over[name](call, callback);
      else callback(null, response);
    };
  const server = new Server();
  server.addService(MediaRelayServiceService, {
    openSession: say('openSession', { sdp: 'for the far side' }),
    updateSession: say('updateSession', { sdp: 'updated' }),
    answerSession: say('answerSession', { sdp: 'answered' }),
    closeSession: say('closeSession', {
      found: true,
      media: [{ party: Party.SELLER, packets: 9n, bytes: 90n }],
      forks: [
        { forkId: 'f', voices: [{ party: Party.CUSTOMER, packets: 7n, due: 8n }], unknown: false },
        { forkId: 'g', voices: [], unknown: true },
        // Of a relay of the release before.
        { forkId: 'h', voices: [{ party: Party.SELLER, packets: 5n }], unknown: false },
      ],
    }),
    startFork: say('startFork', {
      streams: [{ party: Party.CUSTOMER, address: '192.0.2.1', port: 1, rtcpPort: 2, crypto: 'c', payloadTypes: [0] }],
    }),
    answerFork: say('answerFork', {}),
    stopFork: say('stopFork', { found: true }),
    pauseFork: say('pauseFork', {}),
    resumeFork: say('resumeFork', { streams: [] }),
    listSessions: (call: { request: unknown }, callback: Parameters<Unary>[1]) =>
      say('listSessions', { sessions: [...held].map((sessionId) => ({ sessionId, forkIds: [] })) })(call, callback),
    measureSessions: say('measureSessions', { sessions: [] }),
    watch: (stream: ServerWritableStream<WatchRequest, WatchResponse>) => {
      stream.sendMetadata(new Metadata());
      watchers.push(stream);
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  closing.push(() => server.forceShutdown());
  return { address: `127.0.0.1:${port}`, asked, watchers, held };
}

function client(configured: string[], leases: RelayLease[] = []): MediaRelayClient {
  const made = new MediaRelayClient({
    leases: () => leases,
    configured,
    region: undefined,
    credentials: () => ChannelCredentials.createInsecure(),
    log: silent,
  });
  closing.unshift(() => made.close());
  return made;
}

function watching(onLost: (reason: string) => void, onSilent: (seconds: number) => void = () => {}) {
  return { onLost, onSilent };
}

const refusing =
  (code: status, details: string): Unary =>
  (_call, callback) =>
    callback({ code, details });

test('a call hears that nobody is heard in it, and what its trunks want of the media reaches the relay', async () => {
  const requests: unknown[] = [];
  const { address, watchers } = await relay({
    openSession: (call, callback) => {
      requests.push(call.request);
      callback(null, { sdp: 'for the far side' });
    },
  });
  const id = newCallId();
  const terms = { seller: { codecs: ['PCMA'], srtp: 'require' as const } };
  const relays = client([address]);
  const silence = new Promise<number>((resolve) => {
    void relays.open(
      id,
      'customer',
      'x',
      watching(() => {}, resolve),
      never,
      terms,
    );
  });
  await eventually(() => watchers.length === 1 && requests.length === 1, 'the relay is watched');
  assert.deepEqual((requests[0] as { terms: unknown }).terms, [
    { party: Party.SELLER, codecs: ['PCMA'], srtp: Srtp.REQUIRE },
  ]);
  watchers[0]?.write({ event: { $case: 'silent', value: { sessionId: id, seconds: 61 } } });
  assert.equal(await silence, 61);
});

test('a call is opened on a relay and stays with it', async () => {
  const { address, asked } = await relay();
  const { media, sdp } = await client([address]).open(
    newCallId(),
    'customer',
    'offer',
    watching(() => {}),
    never,
  );
  assert.equal(sdp, 'for the far side');
  assert.equal(media.relay, address);
  assert.equal(await media.answer('seller', 'x', never), 'answered');
  const [stream] = await media.startFork('f', ['customer', 'seller'], never);
  assert.equal(stream?.party, 'customer');
  await media.answerFork('f', 'sdp', never);
  await media.stopFork('f', never);
  assert.deepEqual(await media.close(never), {
    received: new Map([['seller', 9]]),
    forks: new Map([
      ['f', { copied: new Map([['customer', 7]]), due: new Map([['customer', 8]]) }],
      ['g', undefined],
      ['h', { copied: new Map([['seller', 5]]), due: undefined }],
    ]),
  });
  assert.deepEqual(asked, ['openSession', 'answerSession', 'startFork', 'answerFork', 'stopFork', 'closeSession']);
});

function lease(address: string, sessions: number): RelayLease {
  return { address, region: 'eu', sessions, capacity: 10, draining: false };
}

test('a relay that is down or cannot serve is passed over; the call is told what is wrong when none can', async () => {
  const bad = await relay({ openSession: refusing(status.UNAVAILABLE, 'rtpengine 127.0.0.1:22222 does not answer') });
  const good = await relay();
  const leases = [lease(bad.address, 0), lease('127.0.0.1:1', 1), lease(good.address, 2)];
  const { media } = await client([], leases).open(
    newCallId(),
    'customer',
    'offer',
    watching(() => {}),
    never,
  );
  assert.equal(media.relay, good.address);
  await assert.rejects(
    client([bad.address]).open(
      newCallId(),
      'customer',
      'offer',
      watching(() => {}),
      never,
    ),
    (error) => error instanceof SidestreamError && error.meaning.sip === 503 && /does not answer/.test(error.message),
  );
});

test('a relay that does not take our certificate is passed over; alone, it is named and the call ends with 503', async () => {
  const metadata = new Metadata();
  metadata.set('sidestream-code', 'not-admitted');
  const bad = await relay({
    openSession: (_call, done) => done({ code: status.PERMISSION_DENIED, details: 'its names: none', metadata }),
  });
  const good = await relay();
  const open = (...leases: RelayLease[]) =>
    client([], leases).open(
      newCallId(),
      'customer',
      'offer',
      watching(() => {}),
      never,
    );
  assert.equal((await open(lease(bad.address, 0), lease(good.address, 2))).media.relay, good.address);
  assert.deepEqual(bad.asked, ['openSession']);
  await assert.rejects(open(lease(bad.address, 0)), (error) => {
    assert.ok(error instanceof SidestreamError);
    assert.deepEqual([error.code, error.meaning.sip], ['not-admitted', 503]);
    assert.equal(error.message, `media relay ${bad.address}: its names: none`);
    return true;
  });
});

test('an offer that the relay refuses is not tried elsewhere', async () => {
  const first = await relay({ openSession: refusing(status.INVALID_ARGUMENT, 'no audio') });
  const second = await relay({ openSession: refusing(status.INVALID_ARGUMENT, 'no audio') });
  await assert.rejects(
    client([first.address, second.address]).open(
      newCallId(),
      'customer',
      'x',
      watching(() => {}),
      never,
    ),
    /no audio/,
  );
  assert.equal(first.asked.length + second.asked.length, 1);
});

test('an open that is cancelled is closed at the relay, which may have made the session', async () => {
  const giveUp = new AbortController();
  const closed = new Promise<void>((resolve) => {
    void relay({
      openSession: () => giveUp.abort(new DOMException('over', 'AbortError')),
      closeSession: (_call, callback) => {
        callback(null, { found: true, media: [], forks: [] });
        resolve();
      },
    }).then(({ address }) => {
      const opening = client([address]).open(
        newCallId(),
        'customer',
        'x',
        watching(() => {}),
        giveUp.signal,
      );
      return assert.rejects(opening, (error) => error instanceof SidestreamError && error.code === 'cancelled');
    });
  });
  await closed;
});

test('media that the engine lost is told to its call alone', async () => {
  const { address, watchers } = await relay();
  const relays = client([address]);
  const [one, two] = [newCallId(), newCallId()];
  const told: string[] = [];
  const lost = new Promise<string>((resolve) => {
    void relays.open(one, 'customer', 'x', watching(resolve), never);
  });
  await relays.open(
    two,
    'customer',
    'x',
    watching((reason) => told.push(reason)),
    never,
  );
  await eventually(() => watchers.length > 0, 'the relay is watched');
  watchers[0]?.write({ event: { $case: 'lost', value: { sessionId: one, reason: 'engine restarted' } } });
  assert.match(await lost, /engine restarted/);
  assert.deepEqual(told, []);
});

test('how a fork does its work is told to whoever watches it, until it is stopped', async () => {
  const { address, watchers } = await relay();
  const callId = newCallId();
  const { media } = await client([address]).open(
    callId,
    'customer',
    'x',
    watching(() => {}),
    never,
  );
  await eventually(() => watchers.length > 0, 'the relay is watched');
  const told: unknown[] = [];
  media.watchFork('f', (...said) => told.push(said));
  const say = (forkId: string, condition: ForkCondition) =>
    watchers[0]?.write({
      event: { $case: 'fork', value: { sessionId: callId, forkId, condition, lastedMs: 25_000n } },
    });
  say('another', ForkCondition.STALLED);
  say('f', ForkCondition.UNSPECIFIED);
  say('f', ForkCondition.RECORDER_SILENT);
  await eventually(() => told.length > 0, 'it is told');
  assert.deepEqual(told, [['recorder-silent', 25_000]]);
  await media.stopFork('f', never);
  say('f', ForkCondition.STALLED);
  media.watchFork('last', (...said) => told.push(said));
  say('last', ForkCondition.STALLED);
  await eventually(() => told.length > 1, 'it is told');
  assert.deepEqual(told[1], ['stalled', 25_000]);
});

test('what is unavailable is named', () => {
  const lease = { address: 'a', region: 'eu', sessions: 1, capacity: 1, draining: false };
  assert.deepEqual(client([]).unavailable(), { full: false, text: 'none available' });
  assert.deepEqual(client([], [lease]).unavailable(), { full: true, text: 'all are full' });
  const draining = { ...lease, draining: true };
  assert.deepEqual(client([], [draining]).unavailable(), { full: false, text: 'all are draining' });
  assert.equal(client(['127.0.0.1:1']).unavailable(), undefined);
});

test('a relay that has restarted no longer has the calls of before: they are told, and the others are not', async () => {
  const { address, asked, watchers, held } = await relay();
  const relays = client([address]);
  const [one, two] = [newCallId(), newCallId()];
  const told: string[] = [];
  const lost = new Promise<string>((resolve) => {
    void relays.open(one, 'customer', 'x', watching(resolve), never);
  });
  await relays.open(
    two,
    'customer',
    'x',
    watching((reason) => told.push(reason)),
    never,
  );
  await eventually(() => watchers.length === 1 && held.size === 2, 'the relay is watched and has both');
  held.delete(one);
  watchers[0]?.end();
  assert.equal(await lost, `relay ${address}: relay-restarted`);
  assert.deepEqual(told, []);
  assert.ok(asked.filter((name) => name === 'listSessions').length >= 2, 'it was asked twice');
});

test('a relay without a lease is asked; while it does not answer its calls go on', async () => {
  let answers = false;
  const { address, asked, held } = await relay({
    listSessions: (_call, callback) =>
      answers ? callback(null, { sessions: [] }) : callback({ code: status.UNAVAILABLE, details: 'away' }),
  });
  const leases: RelayLease[] = [{ address, region: 'eu', sessions: 0, capacity: 10, draining: false }];
  const relays = client([], leases);
  const told: string[] = [];
  await relays.open(
    newCallId(),
    'customer',
    'x',
    watching((reason) => told.push(reason)),
    never,
  );
  leases.length = 0;
  const before = asked.length;
  relays.refresh();
  await eventually(() => asked.length > before, 'it was asked');
  assert.deepEqual([told, held.size], [[], 1]);
  answers = true;
  await eventually(() => {
    relays.refresh();
    return told.length > 0;
  }, 'it said that it has no such session');
  assert.match(told.join(), /relay-restarted/);
});

test('calls are measured by the relays that have them; one that cannot leaves its calls without', async () => {
  const requests: unknown[] = [];
  const measuring = await relay({
    measureSessions: (call, callback) => {
      requests.push(call.request);
      const voices = [{ party: Party.SELLER, packetsPerSecond: 33.5 }];
      const sessions = [{ sessionId: first, voices, forks: [{ forkId: 'f', voices }] }];
      callback(null, { sessions });
    },
  });
  const older = await relay({ measureSessions: refusing(status.UNIMPLEMENTED, 'unknown method MeasureSessions') });
  const idle = await relay();
  const [first, second] = [newCallId(), newCallId()];
  const relays = client([measuring.address]);
  await relays.open(
    first,
    'customer',
    'v=0',
    watching(() => {}),
    never,
  );
  const others = client([older.address]);
  await others.open(
    second,
    'customer',
    'v=0',
    watching(() => {}),
    never,
  );
  client([idle.address]).refresh();

  const rates = new Map([['seller', 33.5]]);
  const found = await relays.measure([first, second], true, never);
  assert.deepEqual(found, new Map([[first, { received: rates, copied: new Map([['f', rates]]) }]]));
  assert.deepEqual(requests, [{ sessionIds: [first], wait: true }]);
  assert.deepEqual(await others.measure([second], false, never), new Map());
  assert.deepEqual(older.asked.at(-1), 'measureSessions');
  assert.ok(!idle.asked.includes('measureSessions'));
});

test('a relay that names a party which we do not know leaves its own calls without, and nobody else’s', async () => {
  const sessionOf = (call: { request: unknown }, party: Party) => {
    const [sessionId] = (call.request as { sessionIds: string[] }).sessionIds;
    return { sessionId, voices: [{ party, packetsPerSecond: 50 }], forks: [] };
  };
  const telling = (party: Party) =>
    relay({ measureSessions: (call, callback) => callback(null, { sessions: [sessionOf(call, party)] }) });
  const newer = await telling(Party.UNRECOGNIZED);
  const ours = await telling(Party.SELLER);
  const leases: RelayLease[] = [];
  const relays = client([newer.address], leases);
  const [first, second] = [newCallId(), newCallId()];
  await relays.open(
    first,
    'customer',
    'v=0',
    watching(() => {}),
    never,
  );
  leases.push({ address: ours.address, region: 'eu', sessions: 0, capacity: 10, draining: false });
  await relays.open(
    second,
    'customer',
    'v=0',
    watching(() => {}),
    never,
  );
  const found = await relays.measure([first, second], true, never);
  assert.deepEqual(found, new Map([[second, { received: new Map([['seller', 50]]), copied: new Map() }]]));
});
