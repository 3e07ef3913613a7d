// packages/service on a real nats-server: what it keeps there, and what it does while the server is away.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { CredentialFolder, createAuthority, issueNatsCredentials } from '@sidestream/pki';
import { Direction, type Event } from '@sidestream/proto/events/v1';
import { EventFeed, EventPublisher, KvWriter, LeaseBook, LeaseKeeper } from '@sidestream/service';
import { Registry } from 'prom-client';
import { z } from 'zod';
import { log, nats, openBus, ownNats } from './nats-stage.js';

const relayLease = z.object({ address: z.string() });

function started(callId: string): NonNullable<Event['body']> {
  return {
    $case: 'callStarted',
    value: {
      callId,
      tenant: 'contoso',
      direction: Direction.INBOUND,
      trunk: 'carrier',
      seller: '',
      calling: '',
      called: '',
      decision: undefined,
      callingName: '',
      calledName: '',
    },
  };
}

describe('on a real nats-server', () => {
  test('a lease is seen by others, follows refresh() and goes with stop()', async (t) => {
    const peer = await nats(t);
    if (!peer) return;
    const bus = openBus(t, [peer.url]);
    let address = '127.0.0.1:1';
    const keeper = new LeaseKeeper(bus, { key: 'relay.r1', value: () => ({ address }), log });
    const book = new LeaseBook(bus, { prefix: 'relay.', schema: relayLease, log });
    t.after(() => book.stop());
    keeper.start();
    book.start();
    await eventually(() => book.current.get('r1')?.address === '127.0.0.1:1', 'the lease is seen');
    address = '127.0.0.1:2';
    keeper.refresh();
    await eventually(() => book.current.get('r1')?.address === '127.0.0.1:2', 'the new value is seen');
    await keeper.stop();
    await eventually(() => book.current.size === 0, 'the lease is gone');
  });

  test('a lease of a node whose clock is an hour late is seen, and ends with its bucket’s time', async (t) => {
    const peer = await nats(t);
    if (!peer) return;
    const bus = openBus(t, [peer.url]);
    const book = new LeaseBook(bus, { prefix: 'relay.', schema: relayLease, log });
    t.after(() => book.stop());
    const session = await bus.whenConnected(AbortSignal.timeout(20_000));
    const expiresAt = new Date(Date.now() - 3_600_000).toISOString();
    await session.bucket('leases').put('relay.late', JSON.stringify({ address: 'a:1', expiresAt }));
    book.start();
    await eventually(() => book.current.has('late'), 'the lease is seen');
    await eventually(() => book.current.size === 0, 'the lease has ended', 15_000);
  });

  test('while the server is away nobody is declared dead; when it is back the lease is written again', async (t) => {
    const store = mkdtempSync(join(tmpdir(), 'sidestream-nats-'));
    t.after(() => rmSync(store, { recursive: true, force: true }));
    const first = await ownNats(t, { storeDirectory: store });
    if (!first) return;
    const bus = openBus(t, [first.url]);
    const keeper = new LeaseKeeper(bus, { key: 'relay.r1', value: () => ({ address: 'a:1' }), log });
    const book = new LeaseBook(bus, { prefix: 'relay.', schema: relayLease, log });
    t.after(() => keeper.stop());
    t.after(() => book.stop());
    keeper.start();
    book.start();
    await eventually(() => book.current.size === 1, 'the lease is seen');
    await first.stop();
    await eventually(() => !bus.connected, 'the loss is noticed');
    assert.equal(book.current.size, 1);
    const second = await nats(t, { storeDirectory: store, port: first.port });
    assert.ok(second);
    await eventually(() => bus.connected, 'the connection is back', 15_000);
    await eventually(() => book.current.size === 1, 'the lease is still seen');
  });

  test('an unreachable server at start is retried in the background until it is there', async (t) => {
    const first = await ownNats(t);
    if (!first) return;
    const { port } = first;
    await first.stop();
    const bus = openBus(t, [`nats://127.0.0.1:${port}`]);
    assert.equal(bus.connected, false);
    const second = await nats(t, { port });
    assert.ok(second);
    await bus.whenConnected(AbortSignal.timeout(15_000));
  });

  test('events arrive once each and in order, also those published while the server was away', async (t) => {
    const store = mkdtempSync(join(tmpdir(), 'sidestream-nats-'));
    t.after(() => rmSync(store, { recursive: true, force: true }));
    const first = await ownNats(t, { storeDirectory: store });
    if (!first) return;
    const bus = openBus(t, [first.url]);
    const feed = new EventFeed(bus, { log });
    t.after(() => feed.stop());
    const seen: string[] = [];
    await feed.start(({ body }) => {
      if (body?.$case === 'callStarted') seen.push(body.value.callId);
    }, AbortSignal.timeout(10_000));
    const publisher = new EventPublisher(bus, { source: 'signalling.1', log, metrics: new Registry() });
    publisher.publish(started('one'));
    await eventually(() => seen.length === 1, 'the first event is seen');
    await first.stop();
    await eventually(() => !bus.connected, 'the loss is noticed');
    publisher.publish(started('two'));
    publisher.publish(started('three'));
    assert.ok(await nats(t, { storeDirectory: store, port: first.port }));
    await eventually(() => seen.length === 3, 'the waiting events are seen', 20_000);
    await publisher.close(2_000);
    assert.deepEqual(seen, ['one', 'two', 'three']);
  });

  test('who reads only what is new, or finds nothing that is, is told at which place of the stream it stands', async (t) => {
    const peer = await ownNats(t);
    if (!peer) return;
    const bus = openBus(t, [peer.url]);
    const places: number[] = [];
    const follow = async (since?: Date) => {
      const feed = new EventFeed(bus, {
        log,
        ...(since && { since }),
        onCaughtUp: (sequence) => places.push(sequence),
      });
      t.after(() => feed.stop());
      await feed.start(() => undefined, AbortSignal.timeout(10_000));
    };
    await follow();
    const publisher = new EventPublisher(bus, { source: 'signalling.1', log, metrics: new Registry() });
    for (const id of ['one', 'two', 'three']) publisher.publish(started(id));
    await publisher.close(5_000);
    await follow();
    await follow(new Date(Date.now() + 60_000));
    await follow(new Date(Date.now() - 60_000));
    await eventually(() => places.length === 4, 'all have caught up');
    assert.deepEqual(places, [0, 3, 3, 3]);
  });

  for (const lost of ['with its server', 'under a server that stays'])
    test(`a stream that was lost ${lost} is read from its new beginning, and who reads is told`, async (t) => {
      const storeOf = () => {
        const store = mkdtempSync(join(tmpdir(), 'sidestream-nats-'));
        t.after(() => rmSync(store, { recursive: true, force: true }));
        return store;
      };
      const first = await ownNats(t, { storeDirectory: storeOf() });
      if (!first) return;
      const bus = openBus(t, [first.url]);
      let restarts = 0;
      const onRestart = () => {
        restarts += 1;
      };
      const feed = new EventFeed(bus, { log, onRestart });
      t.after(() => feed.stop());
      const seen: [string, number][] = [];
      await feed.start(({ body }, { sequence }) => {
        if (body?.$case === 'callStarted') seen.push([body.value.callId, sequence]);
      }, AbortSignal.timeout(10_000));
      const publisher = new EventPublisher(bus, { source: 'signalling.1', log, metrics: new Registry() });
      for (const id of ['one', 'two']) publisher.publish(started(id));
      await eventually(() => seen.length === 2, 'the first events are seen');
      if (lost === 'with its server') {
        await first.stop();
        await eventually(() => !bus.connected, 'the loss is noticed');
        assert.ok(await nats(t, { storeDirectory: storeOf(), port: first.port }));
      } else {
        const session = await bus.whenConnected(AbortSignal.timeout(10_000));
        const { streams } = await session.jetstream.jetstreamManager();
        const { config } = await streams.info('EVENTS');
        await streams.delete('EVENTS');
        await streams.add(config);
      }
      publisher.publish(started('three'));
      await eventually(() => seen.length === 3, 'what the new stream has is seen', 30_000);
      await publisher.close(2_000);
      assert.deepEqual(seen[2], ['three', 1]);
      assert.equal(restarts, 1);
    });

  test('what the server takes in no message is dropped and counted, and holds up nothing behind it', async (t) => {
    const peer = await nats(t);
    if (!peer) return;
    const metrics = new Registry();
    const bus = openBus(t, [peer.url]);
    await bus.whenConnected(AbortSignal.timeout(10_000));
    const publisher = new EventPublisher(bus, { source: 's', log, metrics });
    for (const id of ['one', 'x'.repeat(2 * 1024 * 1024), 'two', 'y'.repeat(2 * 1024 * 1024)])
      publisher.publish(started(id));
    const dropped = async () => /sidestream_events_dropped_total 2/.test(await metrics.metrics());
    await eventually(dropped, 'both are dropped');
    await publisher.close(5_000);
    assert.match(await metrics.metrics(), /sidestream_events_published_total{subject="events.call.started"} 2/);
    assert.match(await metrics.metrics(), /sidestream_events_waiting 0/);
  });

  test('the event queue is bounded: with no server the oldest are dropped and counted', async (t) => {
    const metrics = new Registry();
    const bus = openBus(t, ['nats://127.0.0.1:9']);
    const publisher = new EventPublisher(bus, { source: 's', log, metrics, capacity: 10 });
    for (let n = 0; n < 25; n += 1) publisher.publish(started(String(n)));
    const text = await metrics.metrics();
    assert.match(text, /sidestream_events_dropped_total 15/);
    assert.match(text, /sidestream_events_waiting 10/);
    await publisher.close(1_000);
  });

  test('state written beside the work: the newest value of a key wins, a deleted key is gone', async (t) => {
    const peer = await nats(t);
    if (!peer) return;
    const bus = openBus(t, [peer.url]);
    const writer = new KvWriter(bus, { log });
    for (let n = 0; n < 50; n += 1) writer.put('recordings', 'r1', { n });
    writer.put('recordings', 'r2', { n: 0 });
    writer.delete('recordings', 'r2');
    const session = await bus.whenConnected(AbortSignal.timeout(10_000));
    await writer.close(5_000);
    const bucket = session.bucket('recordings');
    assert.deepEqual(await (await bucket.get('r1'))?.json(), { n: 49 });
    const second = await bucket.get('r2');
    assert.ok(second === null || second.operation !== 'PUT');
  });

  test('credentials: with our file it connects, without one it does not', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'sidestream-nats-creds-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const { serverConfig, credentials } = issueNatsCredentials({ sidestream: {} });
    const [serverFile, credentialsFile] = [join(directory, 'server.conf'), join(directory, 'sidestream.creds')];
    writeFileSync(serverFile, serverConfig);
    writeFileSync(credentialsFile, credentials.sidestream, { mode: 0o600 });
    const peer = await ownNats(t, { args: ['-c', serverFile] });
    if (!peer) return;
    const bus = openBus(t, [peer.url], { credentialsFile });
    await bus.whenConnected(AbortSignal.timeout(10_000));
    const stranger = openBus(t, [peer.url]);
    await assert.rejects(stranger.whenConnected(AbortSignal.timeout(1_500)));
  });

  test('mutual TLS: with our certificate it connects, without one it does not', async (t) => {
    const folder = await CredentialFolder.create();
    t.after(() => folder.remove());
    const authority = await createAuthority('test');
    const server = await folder.write(await authority.issue({ commonName: 'nats', dnsNames: ['localhost'] }), 'nats');
    const client = await folder.write(await authority.issue({ commonName: 'client' }), 'client');
    const peer = await ownNats(t, {
      args: ['--tlsverify', '--tlscert', server.certFile, '--tlskey', server.keyFile, '--tlscacert', server.trustFile],
    });
    if (!peer) return;
    const url = `nats://localhost:${peer.port}`;
    const tls = { certFile: client.certFile, keyFile: client.keyFile, caFile: client.trustFile };
    const bus = openBus(t, [url], { tls });
    await bus.whenConnected(AbortSignal.timeout(10_000));
    const stranger = openBus(t, [url]);
    await assert.rejects(stranger.whenConnected(AbortSignal.timeout(1_500)));
  });
});
