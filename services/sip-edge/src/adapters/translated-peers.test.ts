// Peers behind a NAT: their Contact and their Via name an address that only their own network knows.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tagOf } from '@sidestream/sip';
import { ContractBench } from '../contract/contract-bench.js';
import { type AppDialog, next } from '../contract/drachtio-app.js';
import { sipEdge } from '../contract/embedded-edge.js';
import { answer, RawCall, sdp } from '../contract/raw-call.js';

const inside = '<sip:raw@10.77.0.5:5060>';

describe('a peer behind a NAT', () => {
  const bench = new ContractBench(sipEdge());

  test('RFC 3581: answers go to where its request came from; requests in the dialog go there, too', () =>
    bench.run(
      (app) =>
        app.invite(async (request, reply) => {
          app.emit('answered', await app.createUAS(request, reply, { localSdp: sdp(41_000) }));
        }),
      async ({ app, peer }) => {
        const call = new RawCall(await peer.udp());
        const answered = next(app, 'answered');
        const via = `SIP/2.0/UDP 10.77.0.5:5060;branch=z9hG4bK${call.fromTag};rport`;
        call.send('INVITE', { body: sdp(40_000), headers: { Contact: inside, Via: via } });
        const ok = await call.peer.response(200, 'INVITE', call.callId);
        assert.equal(ok.topVia.parameters.get('received'), call.peer.address.host);
        assert.equal(ok.topVia.parameters.get('rport'), String(call.peer.address.port));
        call.toTag = tagOf(ok.to) ?? '';
        call.send('ACK', { cseq: 1, headers: { Contact: inside } });
        const [dialog] = (await answered) as [AppDialog];
        void dialog.destroy();
        const bye = await call.peer.request('BYE');
        assert.equal(bye.uri, 'sip:raw@10.77.0.5:5060');
        answer(call.peer, bye, 200);
      },
    ));

  test('a callee that answers from there gets its ACK and BYE where it answered', () =>
    bench.run(
      () => undefined,
      async ({ app, peer }) => {
        const callee = await peer.udp();
        const calling = app.createUAC(`sip:b@127.0.0.1:${callee.address.port}`, { localSdp: sdp(1) });
        const invite = await callee.request('INVITE');
        answer(callee, invite, 200, { body: sdp(2), headers: { Contact: inside } });
        const dialog = (await calling) as AppDialog;
        assert.equal((await callee.request('ACK')).uri, 'sip:raw@10.77.0.5:5060');
        void dialog.destroy();
        answer(callee, await callee.request('BYE'), 200);
      },
    ));

  test('a mapping that moves: the next request goes to where the peer was heard last', () =>
    bench.run(
      (app) =>
        app.invite(async (request, reply) => {
          app.emit('answered', await app.createUAS(request, reply, { localSdp: sdp(41_000) }));
        }),
      async ({ app, peer }) => {
        const call = new RawCall(await peer.udp());
        const answered = next(app, 'answered');
        await call.establish({ headers: { Contact: inside } });
        const [dialog] = (await answered) as [AppDialog];
        const moved = await peer.udp();
        const again = Object.assign(new RawCall(moved), {
          callId: call.callId,
          fromTag: call.fromTag,
          toTag: call.toTag,
          cseq: call.cseq,
        });
        again.send('INFO', { headers: { Contact: inside } });
        await moved.response(200, 'INFO');
        void dialog.destroy();
        answer(moved, await moved.request('BYE'), 200);
      },
    ));
});
