// What sip-edge promises beyond the contract that it shares with drachtio-server.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { createResponse, tagOf } from '@sidestream/sip';
import { ContractBench } from '../contract/contract-bench.js';
import { type AppReply, type AppRequest, connectApp, type DrachtioApp, next } from '../contract/drachtio-app.js';
import { type EmbeddedEdge, startEmbeddedEdge } from '../contract/embedded-edge.js';
import { answer, RawCall, sdp } from '../contract/raw-call.js';
import { RawPeer } from '../contract/raw-peer.js';

const answering = (app: DrachtioApp): void =>
  app.invite(async (request, reply) => {
    app.emit('answered', await app.createUAS(request, reply, { localSdp: sdp(41_000) }));
  });

const requestSeconds = 'sidestream_edge_request_seconds';
const refusedTotal = 'sidestream_edge_refused_total';

async function withEdge(body: (edge: EmbeddedEdge) => Promise<void>, options = {}): Promise<void> {
  const edge = await startEmbeddedEdge(options);
  try {
    await body(edge);
  } finally {
    await edge.stop();
  }
}

test('each request is measured once, by direction, method and class of its final response', () =>
  withEdge(async (edge) => {
    const app = await connectApp(edge, answering);
    const peer = await RawPeer.udp(edge.udp);
    const call = new RawCall(peer);
    await call.establish();
    call.send('BYE');
    await peer.response(200);
    new RawCall(peer).send('BYE');
    await peer.response(481);
    const answered = next(app, 'answered');
    await new RawCall(peer).establish();
    const [dialog] = (await answered) as [{ destroy(): Promise<unknown> }];
    const destroyed = dialog.destroy();
    answer(peer, await peer.request('BYE'), 200);
    await destroyed;
    await eventually(async () => (await edge.observed(requestSeconds)).length === 4, 'all are measured');
    assert.deepEqual(await edge.observed(requestSeconds), [
      { count: 2, labels: { direction: 'in', method: 'INVITE', status: '2xx' } },
      { count: 1, labels: { direction: 'in', method: 'BYE', status: '2xx' } },
      { count: 1, labels: { direction: 'in', method: 'BYE', status: '4xx' } },
      { count: 1, labels: { direction: 'out', method: 'BYE', status: '2xx' } },
    ]);
    app.disconnect();
    await peer.close();
  }));

describe('strangers', () => {
  test('UDP: not a byte of answer, counted, and the application hears nothing', () =>
    withEdge(async (edge) => {
      const app = await connectApp(edge, (srf) => srf.options((_request, reply) => reply.send(200)));
      const stranger = await RawPeer.udp(edge.udp, '127.0.0.2');
      const known = await RawPeer.udp(edge.udp);
      new RawCall(stranger).send('OPTIONS');
      stranger.send('garbage');
      // What the known peer sends afterwards is answered, so the stranger's message has been dealt with by then.
      new RawCall(known).send('OPTIONS');
      await known.response(200);
      assert.equal(stranger.bytesReceived, 0);
      assert.equal(await edge.metric('sidestream_edge_refused_total'), 2);
      app.disconnect();
      await Promise.all([stranger.close(), known.close()]);
    }));

  test('TCP: the connection is destroyed before a byte goes either way', () =>
    withEdge(async (edge) => {
      const socket = connect({ ...edge.tcp, localAddress: '127.0.0.2' });
      let bytes = 0;
      socket.on('data', (chunk) => {
        bytes += chunk.length;
      });
      socket.on('error', () => undefined);
      await once(socket, 'close');
      assert.equal(bytes, 0);
      assert.equal(await edge.metric('sidestream_edge_refused_total'), 1);
    }));
});

describe('peers that bring too much', () => {
  const few = { sources: { messagesPerSecond: 10, connectionsPerSecond: 1, connections: 2 } };

  test('UDP: what is beyond the ceiling is dropped unread and counted; another peer is not held up', () =>
    withEdge(
      async (edge) => {
        const app = await connectApp(edge, (srf) => srf.options((_request, reply) => reply.send(200)));
        const [mad, known] = await Promise.all([RawPeer.udp(edge.udp, '127.0.0.2'), RawPeer.udp(edge.udp)]);
        for (let count = 0; count < 100; count += 1) mad.send('garbage');
        new RawCall(known).send('OPTIONS');
        await known.response(200);
        assert.equal(mad.bytesReceived, 0);
        const [read, refused] = [await edge.metric('sidestream_edge_malformed_total'), await edge.metric(refusedTotal)];
        assert.ok(read >= 20 && read < 30, `${read} were read`);
        assert.equal(read + refused, 100);
        app.disconnect();
        await Promise.all([mad.close(), known.close()]);
      },
      { ...few, peers: ['127.0.0.1', '127.0.0.2'] },
    ));

  test('TCP: connections are bounded, in number and in a second; what they bring is answered in its time, all of it', () =>
    withEdge(async (edge) => {
      const app = await connectApp(edge, (srf) => srf.options((_request, reply) => reply.send(200)));
      const peer = await RawPeer.tcp(edge.tcp);
      for (let count = 0; count < 25; count += 1) new RawCall(peer).send('OPTIONS');
      for (let count = 0; count < 25; count += 1) await peer.response(200);
      const begun = performance.now();
      new RawCall(peer).send('OPTIONS');
      await peer.response(200);
      assert.ok(performance.now() - begun > 300, 'the connection was not read for a while');
      const second = await RawPeer.tcp(edge.tcp);
      const third = connect({ ...edge.tcp });
      await once(third.on('error', () => undefined).resume(), 'close');
      assert.equal(await edge.metric(refusedTotal), 1);
      app.disconnect();
      await Promise.all([peer.close(), second.close()]);
    }, few));

  test('a message that is too large gets 513 by its transport, before its fields are looked at', () =>
    withEdge(async (edge) => {
      for (const peer of [await RawPeer.udp(edge.udp), await RawPeer.tcp(edge.tcp)]) {
        new RawCall(peer).send('OPTIONS', { headers: { Subject: 'x'.repeat(17_000) } });
        await peer.response(513);
        await peer.close();
      }
    }));
});

describe('malformed messages of peers', () => {
  const line = 'OPTIONS sip:x@127.0.0.1 SIP/2.0\r\n';
  const rest = 'From: <sip:y@127.0.0.1>;tag=1\r\nTo: <sip:x@127.0.0.1>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\r\n';

  test('a CSeq of another method gets 400, garbage nothing; both are counted, the edge goes on', () =>
    withEdge(async (edge) => {
      const app = await connectApp(edge, (srf) => srf.options((_request, reply) => reply.send(200)));
      const peer = await RawPeer.udp(edge.udp);
      const via = `Via: SIP/2.0/UDP 127.0.0.1:${peer.address.port};branch=z9hG4bKx\r\n`;
      peer.send(Buffer.from([0, 1, 2, 255]).toString('latin1'));
      peer.send(`${line}${via}${rest}`);
      assert.equal((await peer.response(400)).callId, 'c');
      new RawCall(peer).send('OPTIONS');
      await peer.response(200);
      assert.equal(await edge.metric('sidestream_edge_malformed_total'), 2);
      app.disconnect();
      await peer.close();
    }));

  for (const [name, headers, status] of [
    ['an INVITE without Contact', { Contact: '' }, 400],
    ['an INVITE without a From tag', { From: '<sip:a@127.0.0.1>' }, 400],
  ] as const) {
    test(`${name} gets ${status}: an application can't answer it`, () =>
      withEdge(async (edge) => {
        const app = await connectApp(edge, answering);
        const peer = await RawPeer.udp(edge.udp);
        const { host, port } = peer.address;
        const lines = {
          Via: `SIP/2.0/UDP ${host}:${port};branch=z9hG4bKm`,
          From: '<sip:a@127.0.0.1>;tag=t',
          To: '<sip:b@127.0.0.1>',
          'Call-ID': 'm',
          CSeq: '1 INVITE',
          Contact: `<sip:a@${host}:${port}>`,
          ...headers,
        };
        const text = Object.entries(lines).filter(([, value]) => value !== '');
        peer.send(`INVITE sip:b@${host} SIP/2.0\r\n${text.map(([n, v]) => `${n}: ${v}\r\n`).join('')}\r\n`);
        await peer.response(status);
        app.disconnect();
        await peer.close();
      }));
  }
});

describe('rules of RFC 3261 that drachtio-server leaves to applications', () => {
  const bench = new ContractBench({ name: 'sip-edge', referenceOnly: false, start: startEmbeddedEdge });

  test('§14.2: a re-INVITE while ours is pending gets 491, a second one before the first is answered 500', () =>
    bench.run(answering, async ({ app, peer }) => {
      const caller = await peer.udp();
      const call = new RawCall(caller);
      const answered = next(app, 'answered');
      await call.establish();
      const [dialog] = (await answered) as [Awaited<ReturnType<DrachtioApp['createUAS']>>];
      const modifying = dialog.modify(sdp(41_002));
      const ours = await caller.request('INVITE');
      call.send('INVITE', { body: sdp(40_002) });
      await caller.response(491, 'INVITE');
      answer(caller, ours, 200, { body: sdp(40_000) });
      await modifying;

      const modified = next(dialog, 'modify');
      call.send('INVITE', { body: sdp(40_004) });
      const [, reply] = (await modified) as [AppRequest, AppReply];
      call.send('INVITE', { body: sdp(40_006) });
      const overlapping = await caller.response(500, 'INVITE');
      assert.ok(Number(overlapping.headers.get('Retry-After')) <= 10);
      reply.send(200, { body: sdp(41_004) });
      await caller.response(200, 'INVITE');
    }));

  test('§15: the callee’s BYE waits for the ACK of its 200', () =>
    bench.run(
      (app) =>
        app.invite(async (request, reply) => {
          const dialog = await app.createUAS(request, reply, { localSdp: sdp(41_000) });
          app.emit('destroyed', dialog.destroy());
        }),
      async ({ app, peer }) => {
        const caller = await peer.udp();
        const call = new RawCall(caller);
        const destroyed = next(app, 'destroyed');
        call.send('INVITE', { body: sdp(40_000) });
        const ok = await caller.response(200, 'INVITE');
        await destroyed;
        // The 200 comes again, so time has passed, and still there is no BYE.
        await caller.response(200, 'INVITE');
        assert.equal(
          caller.unread.some((message) => message.kind === 'request'),
          false,
        );
        call.toTag = tagOf(ok.to) ?? '';
        call.send('ACK', { cseq: 1 });
        answer(caller, await caller.request('BYE'), 200);
      },
    ));

  test('§8.2.2.2: the same INVITE by another path gets 482', () =>
    bench.run(
      (app) => app.invite((_request, reply) => reply.send(180)),
      async ({ peer }) => {
        const caller = await peer.udp();
        const call = new RawCall(caller);
        call.send('INVITE');
        await caller.response(180);
        call.send('INVITE', { cseq: 1 });
        await caller.response(482);
      },
    ));
});

describe('beyond drachtio-server', () => {
  const bench = new ContractBench({ name: 'sip-edge', referenceOnly: false, start: startEmbeddedEdge });

  test('requests go both ways in an early dialog', () =>
    bench.run(
      (app) =>
        app.invite((request, reply) => {
          request.on('update', (_update: AppRequest, answering: AppReply) =>
            answering.send(200, { body: sdp(41_002) }),
          );
          reply.send(183, { body: sdp(41_000) }, () => app.emit('ringing'));
        }),
      async ({ app, peer }) => {
        const caller = await peer.udp();
        const call = new RawCall(caller);
        const ringing = next(app, 'ringing');
        call.send('INVITE', { body: sdp(40_000) });
        const early = await caller.response(183);
        await ringing;
        call.toTag = tagOf(early.to) ?? '';
        call.send('UPDATE', { body: sdp(40_002) });
        const updated = await caller.response(200, 'UPDATE');
        assert.equal(updated.body.toString(), sdp(41_002));
        assert.equal(updated.headers.get('Content-Type'), 'application/sdp');
      },
    ));

  test('a 200 without Contact: the application gets an error, the peer an ACK and a BYE', () =>
    bench.run(
      () => undefined,
      async ({ app, peer }) => {
        const callee = await peer.udp();
        const calling = app.createUAC(`sip:b@127.0.0.1:${callee.address.port}`, { localSdp: sdp(1) });
        const rejected = assert.rejects(calling, { status: 500 });
        const invite = await callee.request('INVITE');
        const ok = createResponse(invite, 200, { toTag: 'bare' });
        callee.send(ok);
        await callee.request('ACK');
        await callee.request('BYE');
        await rejected;
      },
    ));

  test('the caller’s connection is gone while it rings: the answer is refused', () =>
    bench.run(
      (app) => app.invite((_request, reply) => app.emit('arrived', reply)),
      async ({ app, edge }) => {
        const caller = await RawPeer.tcp(edge.tcp);
        const arrived = next(app, 'arrived');
        new RawCall(caller).send('INVITE', { body: sdp(40_000) });
        const [reply] = (await arrived) as [AppReply];
        await caller.close();
        const answered = async () =>
          new Promise<unknown>((resolve) => reply.send(180, {}, (error: unknown) => resolve(error ?? 'sent')));
        await eventually(
          async () => /transport|unknown transaction/.test(String(await answered())),
          'the answer is refused',
        );
      },
    ));

  test('an application that says nothing: 504 after 128*T1', () =>
    withEdge(
      async (edge) => {
        const app = await connectApp(edge, (srf) => srf.invite(() => undefined));
        const caller = await RawPeer.udp(edge.udp);
        new RawCall(caller).send('INVITE', { body: sdp(40_000) });
        await caller.response(504);
        app.disconnect();
        await caller.close();
      },
      { t1: 5 },
    ));
});

describe('after the calls', () => {
  test('nothing is left: no dialog, no transaction, no unanswered request', () =>
    withEdge(
      async (edge) => {
        const app = await connectApp(edge, answering);
        const peer = await RawPeer.udp(edge.udp);
        for (let count = 0; count < 10; count += 1) {
          const call = new RawCall(peer);
          await call.establish();
          call.send('BYE');
          await peer.response(200, 'BYE');
        }
        assert.equal(await edge.metric('sidestream_edge_dialogs'), 0);
        await eventually(async () => (await edge.metric('sidestream_edge_transactions')) === 0, 'no transaction left');
        app.disconnect();
        await eventually(async () => (await edge.metric('sidestream_edge_admin_clients')) === 0, 'no client left');
        await peer.close();
      },
      { t1: 5 },
    ));
});

describe('bounds and numbers', () => {
  test('dialogs beyond the bound get 503 with Retry-After; the gauge follows the dialogs', () =>
    withEdge(
      async (edge) => {
        const app = await connectApp(edge, answering);
        const peer = await RawPeer.udp(edge.udp);
        const first = new RawCall(peer);
        await first.establish();
        assert.equal(await edge.metric('sidestream_edge_dialogs'), 1);
        assert.equal(await edge.metric('sidestream_edge_admin_clients'), 1);
        new RawCall(peer).send('INVITE');
        assert.ok((await peer.response(503)).headers.has('Retry-After'));
        first.send('BYE');
        await peer.response(200, 'BYE');
        assert.equal(await edge.metric('sidestream_edge_dialogs'), 0);
        app.disconnect();
        await peer.close();
      },
      { maxDialogs: 1 },
    ));

  test('an application that does not read is closed, and the edge does not keep what it did not take', () =>
    withEdge(
      async (edge) => {
        const socket = connect(edge.admin.port, edge.admin.host);
        socket.on('error', () => undefined);
        const closed = once(socket, 'close');
        const frame = (text: string) => `${Buffer.byteLength(text)}#${text}`;
        socket.write(frame('1|authenticate|contract|'));
        await once(socket, 'data');
        socket.write(frame('2|route|message'));
        await once(socket, 'data');
        socket.pause();
        const peer = await RawPeer.tcp(edge.tcp);
        const body = 'x'.repeat(60_000);
        let refused = false;
        // Once the application is gone the edge answers by itself.
        const answered = peer.response(503, 'MESSAGE').then(() => {
          refused = true;
        });
        while (!refused) {
          new RawCall(peer).send('MESSAGE', { body, headers: { 'Content-Type': 'text/plain' } });
          await Promise.race([answered, new Promise((resolve) => setImmediate(resolve))]);
        }
        socket.resume();
        await closed;
        await peer.close();
      },
      { adminLimits: { maxQueueBytes: 1_000_000 } },
    ));

  test('the advertised host stands in Via, Contact and From, and in what applications are told', () =>
    withEdge(
      async (edge) => {
        const app = await connectApp(edge, () => undefined);
        const callee = await RawPeer.udp(edge.udp);
        const options = { localSdp: sdp(1), headers: { From: '<sip:a@localhost>' } };
        const calling = app.createUAC(`sip:b@127.0.0.1:${callee.address.port}`, options);
        const rejected = assert.rejects(calling, { status: 480 });
        const invite = await callee.request('INVITE');
        assert.equal(invite.topVia.host, '203.0.113.5');
        assert.equal(invite.contacts[0]?.uri, `sip:203.0.113.5:${edge.udp.port}`);
        assert.equal(invite.from.uri, `sip:a@203.0.113.5:${edge.udp.port}`);
        answer(callee, invite, 480);
        await rejected;
        app.disconnect();
        await callee.close();
      },
      { advertise: '203.0.113.5' },
    ));
});
