// Calls of an application that come back to the edge: one Call-ID and one pair of tags, and yet two dialogs (RFC 3261 §12).
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import type { SipRequest, SipResponse } from '@sidestream/sip';
import { ContractBench } from '../contract/contract-bench.js';
import { type AppDialog, next } from '../contract/drachtio-app.js';
import { sipEdge } from '../contract/embedded-edge.js';
import { sdp } from '../contract/raw-call.js';
import type { RawPeer } from '../contract/raw-peer.js';

/** Sends a request back to the edge that it came from, as a proxy that stays in the path. */
function sendBack(proxy: RawPeer, request: SipRequest): void {
  const { host, port } = proxy.address;
  const back = request.clone();
  const own = `SIP/2.0/UDP ${host}:${port};branch=z9hG4bK${randomUUID()};rport`;
  back.headers.set('Via', own, ...request.headers.all('Via')).delete('Route');
  if (request.method === 'INVITE') back.headers.set('Record-Route', `<sip:${host}:${port};lr>`);
  back.uri = `sip:x@${proxy.edge.host}:${proxy.edge.port}`;
  proxy.send(back);
}

function passOn(proxy: RawPeer, response: SipResponse): void {
  const [, ...vias] = response.headers.values('Via');
  const on = response.clone();
  on.headers.set('Via', ...vias);
  proxy.send(on);
}

describe('a spiral', () => {
  const bench = new ContractBench(sipEdge());

  for (const early of [false, true]) {
    test(`both ends of the call live and end${early ? ', also when it rings first' : ''}`, () =>
      bench.run(
        (app) =>
          app.invite(async (request, reply) => {
            if (early) reply.send(180);
            const dialog = await app.createUAS(request, reply, { localSdp: sdp(41_000) });
            app.emit('answered', dialog);
          }),
        async ({ app, edge, peer }) => {
          const proxy = await peer.udp();
          const answered = next(app, 'answered');
          const calling = app.createUAC(`sip:x@127.0.0.1:${proxy.address.port}`, { localSdp: sdp(40_000) });
          sendBack(proxy, await proxy.request('INVITE'));
          if (early) passOn(proxy, await proxy.response(180, 'INVITE'));
          passOn(proxy, await proxy.response(200, 'INVITE'));
          const caller = await calling;
          const [callee] = (await answered) as [AppDialog];
          assert.equal(caller.sip.callId, callee.sip.callId);
          assert.equal(caller.sip.localTag, callee.sip.remoteTag);
          assert.notEqual(caller.id, callee.id);
          assert.equal(await edge.metric('sidestream_edge_dialogs'), 2);
          const acknowledged = next(callee, 'ack');
          sendBack(proxy, await proxy.request('ACK'));
          await acknowledged;

          const info = callee.request({ method: 'INFO' });
          const heard = next(caller, 'info');
          sendBack(proxy, await proxy.request('INFO'));
          const [, infoReply] = (await heard) as [unknown, { send(status: number): void }];
          infoReply.send(202);
          passOn(proxy, await proxy.response(202, 'INFO'));
          assert.equal((await info).status, 202);

          const ended = next(callee, 'destroy');
          const destroyed = caller.destroy();
          sendBack(proxy, await proxy.request('BYE'));
          await ended;
          passOn(proxy, await proxy.response(200, 'BYE'));
          await destroyed;
          assert.equal(await edge.metric('sidestream_edge_dialogs'), 0);
        },
      ));
  }

  test('RFC 3261 §8.2.2.2: the INVITE that comes back by two ways is answered 482 on the second', () =>
    bench.run(
      (app) => app.invite((_request, reply) => reply.send(486)),
      async ({ app, peer }) => {
        const proxy = await peer.udp();
        const calling = app.createUAC(`sip:x@127.0.0.1:${proxy.address.port}`, { localSdp: sdp(40_000) });
        const rejected = assert.rejects(calling, { status: 486 });
        const invite = await proxy.request('INVITE');
        sendBack(proxy, invite);
        sendBack(proxy, invite);
        await proxy.response(482, 'INVITE');
        passOn(proxy, await proxy.response(486, 'INVITE'));
        await rejected;
      },
    ));
});
