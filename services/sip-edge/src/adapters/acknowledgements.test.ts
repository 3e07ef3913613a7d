// ACKs that fail, answers that come although the call is over, BYEs that wait for an ACK.
import assert from 'node:assert/strict';
import { Socket } from 'node:dgram';
import { describe, mock, test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { createResponse, Headers, type SipRequest, tagOf } from '@sidestream/sip';
import { AdminSocket } from '../contract/admin-socket.js';
import { ContractBench } from '../contract/contract-bench.js';
import { next } from '../contract/drachtio-app.js';
import { sipEdge } from '../contract/embedded-edge.js';
import { answer, RawCall, sdp } from '../contract/raw-call.js';
import type { RawPeer } from '../contract/raw-peer.js';

const none = (): void => undefined;

/** Lets the system refuse datagrams that begin with `ACK ` while `body` runs. @returns how many it refused. */
async function withoutAcks(body: (refused: () => number) => Promise<void>): Promise<void> {
  let refused = 0;
  const { send } = Socket.prototype;
  const replaced = mock.method(Socket.prototype, 'send', function (this: Socket, ...values: unknown[]) {
    const [bytes] = values;
    const done = values.at(-1);
    if (!Buffer.isBuffer(bytes) || !bytes.subarray(0, 4).equals(Buffer.from('ACK ')) || typeof done !== 'function') {
      return Reflect.apply(send, this, values);
    }
    refused += 1;
    setImmediate(() => done(new Error('send EPERM')));
  });
  try {
    await body(() => refused);
  } finally {
    replaced.mock.restore();
  }
}

function answerWithContact(callee: RawPeer, invite: SipRequest, contact: string): void {
  const headers = new Headers([
    ['Contact', contact],
    ['Content-Type', 'application/sdp'],
  ]);
  callee.send(createResponse(invite, 200, { toTag: 'raw-tag', headers, body: Buffer.from(sdp(43_000)) }));
}

describe('acknowledgements', () => {
  const bench = new ContractBench(sipEdge());

  test('a Contact on UDP whose name nobody knows: ACK and BYE go where the peer was heard', () =>
    bench.run(none, async ({ app, edge, peer }) => {
      const callee = await peer.udp();
      const calling = app.createUAC(`sip:b@127.0.0.1:${callee.address.port}`, { localSdp: sdp(1) });
      answerWithContact(callee, await callee.request('INVITE'), '<sip:b@nobody.invalid>');
      const dialog = await calling;
      assert.equal((await callee.request('ACK')).uri, 'sip:b@nobody.invalid');
      const destroyed = dialog.destroy();
      answer(callee, await callee.request('BYE'), 200);
      await destroyed;
      assert.equal(await edge.metric('sidestream_edge_dialogs'), 0);
    }));

  test('RFC 3261 §13.2.2.4: an ACK that could not be sent goes out for the next copy of the 200', () =>
    bench.run(none, async ({ app, peer }) => {
      const callee = await peer.udp();
      let invite: SipRequest | undefined;
      await withoutAcks(async (refused) => {
        const calling = app.createUAC(`sip:b@127.0.0.1:${callee.address.port}`, { localSdp: sdp(1) });
        invite = await callee.request('INVITE');
        answer(callee, invite, 200, { body: sdp(43_000) });
        await calling;
        await eventually(() => refused() === 1, 'the ACK was refused');
      });
      assert.ok(invite);
      answer(callee, invite, 200, { body: sdp(43_000) });
      const first = await callee.request('ACK');
      assert.equal(first.cseq.number, invite.cseq.number);
      answer(callee, invite, 200, { body: sdp(43_000) });
      assert.equal((await callee.request('ACK')).headers.get('Via'), first.headers.get('Via'));
    }));

  test('a refusal is the only final response, even if its ACK can not be sent', () =>
    bench.run(none, async ({ edge, peer }) => {
      const callee = await peer.udp();
      const client = await AdminSocket.open(edge);
      await client.ask(`authenticate|${edge.admin.secret}|`);
      await withoutAcks(async (refused) => {
        await client.ask('sip||', `INVITE sip:b@127.0.0.1:${callee.address.port} SIP/2.0\r\n\r\n${sdp(1)}`);
        answer(callee, await callee.request('INVITE'), 486);
        await client.sip('SIP/2.0 486 ');
        await eventually(() => refused() === 1, 'the ACK was refused');
        // Whatever the failure causes is written before the answers to these.
        for (let round = 0; round < 3; round += 1) await client.ask('ping');
      });
      assert.deepEqual(
        client.frames.map(({ sip }) => sip.slice(0, 12)),
        [],
      );
      client.close();
    }));

  test('a callee who sends BYE while it rings and then answers: the dialog is found again', () =>
    bench.run(none, async ({ app, edge, peer }) => {
      const callee = await peer.udp();
      const calling = app.createUAC(`sip:b@127.0.0.1:${callee.address.port}`, { localSdp: sdp(1) });
      const invite = await callee.request('INVITE');
      answer(callee, invite, 180);
      const bye = invite.clone();
      bye.method = 'BYE';
      bye.headers.set('Via', `SIP/2.0/UDP 127.0.0.1:${callee.address.port};rport;branch=z9hG4bKearly`);
      bye.headers.set('From', `${invite.headers.get('To')};tag=raw-tag`).set('To', invite.headers.get('From') ?? '');
      bye.headers.set('CSeq', '1 BYE');
      await eventually(async () => (await edge.metric('sidestream_edge_dialogs')) === 1, 'the early dialog');
      callee.send(bye);
      await eventually(async () => (await edge.metric('sidestream_edge_dialogs')) === 0, 'the BYE has come');
      answer(callee, invite, 200, { body: sdp(43_000) });
      const dialog = await calling;
      assert.equal(tagOf((await callee.request('ACK')).to), 'raw-tag');
      const destroyed = dialog.destroy();
      answer(callee, await callee.request('BYE'), 200);
      await destroyed;
      assert.equal(await edge.metric('sidestream_edge_dialogs'), 0);
    }));

  test('RFC 3261 §15: the peer’s BYE ends a call whose own BYE waits for an ACK, at once', () =>
    bench.run(
      (app) =>
        app.invite(async (request, reply) => {
          const dialog = await app.createUAS(request, reply, { localSdp: sdp(41_000) });
          app.emit('ending', { destroyed: dialog.destroy() });
        }),
      async ({ app, edge, peer }) => {
        const caller = await peer.udp();
        const call = new RawCall(caller);
        const ending = next(app, 'ending');
        call.send('INVITE', { body: sdp(40_000) });
        call.toTag = tagOf((await caller.response(200, 'INVITE')).to) ?? '';
        const [{ destroyed }] = (await ending) as [{ destroyed: Promise<unknown> }];
        call.send('BYE');
        await caller.response(200, 'BYE');
        assert.equal(await edge.metric('sidestream_edge_dialogs'), 0);
        const before = performance.now();
        await destroyed;
        assert.ok(performance.now() - before < 1_000);
        assert.ok(caller.unread.every((message) => message.kind === 'response'));
      },
    ));
});
