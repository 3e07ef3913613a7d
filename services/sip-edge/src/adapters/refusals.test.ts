// Requests that the edge answers by itself: those that it can't tell its applications, and those that nobody answers.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { ManualClock } from '@sidestream/sip';
import { ContractBench } from '../contract/contract-bench.js';
import { type AppReply, type AppRequest, connectApp, type DrachtioApp, next } from '../contract/drachtio-app.js';
import { sipEdge } from '../contract/embedded-edge.js';
import { RawCall, sdp } from '../contract/raw-call.js';
import { RawPeer } from '../contract/raw-peer.js';

const answering = (app: DrachtioApp): void =>
  app.invite(async (request, reply) => {
    const dialog = await app.createUAS(request, reply, { localSdp: sdp(41_000) });
    dialog.on('modify', (_reinvite: AppRequest, answer: AppReply) => answer.send(200, { body: sdp(41_002) }));
    dialog.on('update', (_update: AppRequest, answer: AppReply) => answer.send(200));
  });

const sane = {
  From: '<sip:a@127.0.0.1>;tag=t',
  To: '<sip:b@127.0.0.1>',
  'Call-ID': 'm',
  CSeq: '1 INVITE',
  Contact: '<sip:a@127.0.0.1:9>',
};

describe('requests that the edge refuses', () => {
  const bench = new ContractBench(sipEdge());

  for (const [name, headers] of [
    ['a Call-ID', { 'Call-ID': 'victim;from-tag=tag|x' }],
    ['a From tag', { From: '<sip:a@127.0.0.1>;tag=t|x' }],
  ] as const) {
    test(`400 for ${name} with the separator of the admin protocol in it`, async () => {
      // A RawPeer would not take the answer, which has the same header.
      const socket = createSocket('udp4').bind(0, '127.0.0.1');
      await once(socket, 'listening');
      const lines = { Via: `SIP/2.0/UDP 127.0.0.1:${socket.address().port};branch=z9hG4bKm`, ...sane, ...headers };
      const text = Object.entries(lines).map(([field, value]) => `${field}: ${value}\r\n`);
      const answered = once(socket, 'message');
      socket.send(`INVITE sip:b@127.0.0.1 SIP/2.0\r\n${text.join('')}\r\n`, bench.edge.udp.port, bench.edge.udp.host);
      const [bytes] = await answered;
      assert.match(String(bytes), /^SIP\/2\.0 400 /);
      socket.close();
    });
  }

  test('RFC 3311 §5.2: the 200 to an UPDATE names the edge in Contact', () =>
    bench.run(answering, async ({ edge, peer }) => {
      const caller = await peer.udp();
      const call = new RawCall(caller);
      await call.establish();
      call.send('UPDATE');
      const ok = await caller.response(200, 'UPDATE');
      assert.equal(ok.contacts[0]?.uri, `sip:127.0.0.1:${edge.udp.port}`);
    }));
});

describe('an application that lets a call ring', () => {
  test('RFC 3261 §13.3.1.1: 5 minutes after its last provisional response the caller gets 504, the application CANCEL', async () => {
    const clock = new ManualClock();
    const edge = await sipEdge({ clock }).start();
    const app = await connectApp(edge, (srf) => srf.invite((request, reply) => srf.emit('arrived', request, reply)));

    const caller = await RawPeer.udp(edge.udp);
    try {
      const arrived = next(app, 'arrived');
      new RawCall(caller).send('INVITE', { body: sdp(40_000) });
      const [request, reply] = (await arrived) as [AppRequest, AppReply];
      for (const status of [180, 183]) {
        reply.send(status);
        await caller.response(status);
        clock.advance(4 * 60_000);
      }
      const cancelled = next(request, 'cancel');
      reply.send(180);
      await caller.response(180);
      clock.advance(5 * 60_000);
      await caller.response(504, 'INVITE');
      const [cancel] = (await cancelled) as [AppRequest];
      assert.match(cancel.get('Reason'), /^SIP;cause=504/);
      assert.equal(await edge.metric('sidestream_edge_dialogs'), 0);
    } finally {
      app.disconnect();
      await caller.close();
      await edge.stop();
    }
  });
});
