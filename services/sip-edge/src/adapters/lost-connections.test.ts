// What becomes of INVITEs whose connection is lost before they are answered or before the answer is acknowledged.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { tagOf } from '@sidestream/sip';
import { ContractBench } from '../contract/contract-bench.js';
import { type AppReply, type AppRequest, next } from '../contract/drachtio-app.js';
import { sipEdge } from '../contract/embedded-edge.js';
import { answer, RawCall, sdp } from '../contract/raw-call.js';

describe('a connection that is lost', () => {
  const bench = new ContractBench(sipEdge(), { t1: 20 });

  for (const ringing of [false, true]) {
    test(`a caller ${ringing ? 'who hears it ring' : 'without an answer'}: the application hears CANCEL, nothing stays`, () =>
      bench.run(
        (app) =>
          app.invite((request, reply) => {
            request.on('cancel', (cancel) => app.emit('cancelled', cancel));
            if (ringing) reply.send(180, () => app.emit('arrived', reply));
            else app.emit('arrived', reply);
          }),
        async ({ app, edge, peer }) => {
          const caller = await peer.tcp();
          const arrived = next(app, 'arrived');
          const cancelled = next(app, 'cancelled');
          new RawCall(caller).send('INVITE', { body: sdp(40_000) });
          const [reply] = (await arrived) as [AppReply];
          await caller.close();
          const [cancel] = (await cancelled) as [AppRequest];
          assert.equal(cancel.get('CSeq'), '1 CANCEL');
          assert.equal(cancel.get('Reason'), 'SIP;cause=487;text="connection lost"');
          assert.equal(await edge.metric('sidestream_edge_dialogs'), 0);
          const late = new Promise((resolve) => reply.send(200, { body: sdp(1) }, (error) => resolve(error)));
          assert.equal(await late, 'Response not sent due to unknown transaction');
          await eventually(
            async () => (await edge.metric('sidestream_edge_transactions')) === 0,
            'no transaction left',
          );
        },
      ));
  }

  test('RFC 3261 §14.2: a peer whose connection broke off its re-INVITE may send another one', () =>
    bench.run(
      (app) =>
        app.invite(async (request, reply) => {
          const dialog = await app.createUAS(request, reply, { localSdp: sdp(41_000) });
          dialog.on('modify', (reinvite: AppRequest, answering: AppReply) => app.emit('modify', reinvite, answering));
        }),
      async ({ app, peer }) => {
        const call = new RawCall(await peer.tcp());
        await call.establish();
        const first = next(app, 'modify');
        call.send('INVITE', { body: sdp(40_002) });
        const [reinvite] = (await first) as [AppRequest];
        const cancelled = next(reinvite, 'cancel');
        await call.peer.close();
        await cancelled;
        const again = Object.assign(new RawCall(await peer.tcp()), {
          callId: call.callId,
          fromTag: call.fromTag,
          toTag: call.toTag,
          cseq: call.cseq,
        });
        const second = next(app, 'modify');
        again.send('INVITE', { body: sdp(40_004) });
        const [, reply] = (await second) as [AppRequest, AppReply];
        reply.send(200, { body: sdp(41_004) });
        assert.equal((await again.peer.response(200, 'INVITE')).cseq.number, 3);
        again.send('ACK', { cseq: 3 });
      },
    ));

  test('RFC 3261 §13.2.2.4: a callee who answers on a new connection after a 503 gets ACK and BYE', () =>
    bench.run(
      () => undefined,
      async ({ app, edge, peer }) => {
        const callee = await peer.tcpServer();
        const uri = `sip:b@127.0.0.1:${callee.address.port};transport=tcp`;
        const rejected = assert.rejects(app.createUAC(uri, { localSdp: sdp(42_000) }), { status: 503 });
        const invite = await callee.request('INVITE');
        answer(callee, invite, 180);
        await eventually(async () => (await edge.metric('sidestream_edge_dialogs')) === 1, 'the early dialog');
        await callee.close();
        await rejected;
        const later = await peer.tcp();
        answer(later, invite, 200, { toTag: 'late', body: sdp(43_000) });
        const ack = await later.request('ACK');
        assert.equal(tagOf(ack.to), 'late');
        assert.equal(ack.cseq.number, invite.cseq.number);
        answer(later, await later.request('BYE'), 200);
        answer(later, invite, 200, { toTag: 'late', body: sdp(43_000) });
        assert.equal((await later.request('ACK')).headers.get('Via'), ack.headers.get('Via'));
        assert.equal(await edge.metric('sidestream_edge_dialogs'), 0);
      },
    ));
});

describe('a connection that is lost before the ACK', () => {
  const bench = new ContractBench(sipEdge());

  test('RFC 3261 §15, §17.2.4: the BYE of the application waits for it no more, and dials the Contact', () =>
    bench.run(
      (app) =>
        app.invite(async (request, reply) => {
          app.emit('answered', await app.createUAS(request, reply, { localSdp: sdp(41_000) }));
        }),
      async ({ app, peer }) => {
        const caller = await peer.tcp();
        const listener = await peer.tcpServer();
        const answered = next(app, 'answered');
        const contact = `<sip:raw@127.0.0.1:${listener.address.port};transport=tcp>`;
        new RawCall(caller).send('INVITE', { body: sdp(40_000), headers: { Contact: contact } });
        await caller.response(200, 'INVITE');
        const [dialog] = (await answered) as [Awaited<ReturnType<typeof app.createUAS>>];
        await caller.close();
        const destroyed = dialog.destroy();
        answer(listener, await listener.request('BYE'), 200);
        await destroyed;
      },
    ));
});
