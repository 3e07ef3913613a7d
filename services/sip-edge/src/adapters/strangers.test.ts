// Those whose address is no peer's: nothing for them, or calls alone where a trunk logs in.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { ContractBench } from '../contract/contract-bench.js';
import { type AppReply, type AppRequest, next } from '../contract/drachtio-app.js';
import { sipEdge } from '../contract/embedded-edge.js';
import { RawCall, sdp } from '../contract/raw-call.js';
import { RawPeer } from '../contract/raw-peer.js';

describe('strangers may call', () => {
  const bench = new ContractBench(sipEdge({ callsFromStrangers: true, peers: [] }));

  test('an INVITE reaches the application, which may challenge it', () =>
    bench.run(
      (app) =>
        app.invite((_request, reply) => reply.send(401, { headers: { 'WWW-Authenticate': 'Digest realm="r"' } })),
      async ({ peer }) => {
        const caller = await peer.udp();
        new RawCall(caller).send('INVITE', { body: sdp(40_000) });
        const answer = await caller.response(401, 'INVITE');
        assert.equal(answer.headers.get('WWW-Authenticate'), 'Digest realm="r"');
      },
    ));

  test('requests in their calls pass', () =>
    bench.run(
      (app) =>
        app.invite(async (request, reply) => {
          const dialog = await app.createUAS(request, reply, { localSdp: sdp(41_000) });
          dialog.on('destroy', (bye: AppRequest) => app.emit('over', bye));
        }),
      async ({ app, peer }) => {
        const call = new RawCall(await peer.udp());
        await call.establish();
        const over = next(app, 'over');
        call.send('BYE');
        await call.peer.response(200, 'BYE');
        await over;
      },
    ));

  test('a CANCEL of their INVITE passes', () =>
    bench.run(
      (app) => app.invite((request, reply) => app.emit('arrived', request, reply)),
      async ({ app, peer }) => {
        const call = new RawCall(await peer.udp());
        const arrived = next(app, 'arrived');
        const branch = 'z9hG4bKcancelled';
        call.send('INVITE', { body: sdp(40_000), branch });
        const [request] = (await arrived) as [AppRequest, AppReply];
        const cancelled = next(request, 'cancel');
        call.send('CANCEL', { cseq: call.cseq, branch });
        await call.peer.response(487, 'INVITE');
        await cancelled;
      },
    ));

  test('they hear nothing of anything else, be it SIP or not', () =>
    bench.run(
      (app) => {
        for (const method of ['options', 'register', 'message'] as const) app[method]((_, reply) => reply.send(200));
      },
      async ({ edge, peer }) => {
        const caller = await peer.udp();
        const call = new RawCall(caller);
        for (const method of ['OPTIONS', 'REGISTER', 'MESSAGE', 'SUBSCRIBE', 'BYE', 'CANCEL', 'NOSUCH'])
          call.send(method);
        call.toTag = 'none';
        for (const method of ['INVITE', 'BYE', 'INFO', 'UPDATE']) call.send(method);
        const to = edge.udp;
        for (const junk of ['GET / HTTP/1.1\r\n\r\n', 'INVITE sip:x SIP/2.0\r\nVia: junk\r\n\r\n', 'OPTIONS'])
          caller.sendBytes(Buffer.from(junk), to);
        await eventually(async () => (await edge.metric('sidestream_edge_refused_total')) === 14, 'all has come');
        assert.equal(caller.bytesReceived, 0);
      },
    ));
});

describe('nobody but peers may call', () => {
  test('an INVITE of a stranger is not answered', async () => {
    const edge = await sipEdge({ peers: ['127.0.0.9'] }).start();
    const caller = await RawPeer.udp(edge.udp);
    try {
      new RawCall(caller).send('INVITE', { body: sdp(40_000) });
      await eventually(async () => (await edge.metric('sidestream_edge_refused_total')) >= 1, 'it has come');
      assert.equal(caller.bytesReceived, 0);
    } finally {
      await caller.close();
      await edge.stop();
    }
  });
});
