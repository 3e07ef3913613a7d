// The contract: reliable provisional responses (RFC 3262), both ways.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type SipRequest, type SipResponse, tagOf } from '@sidestream/sip';
import { ContractBench } from './contract-bench.js';
import { type AppMessage, type AppReply, type AppRequest, type DrachtioApp, next } from './drachtio-app.js';
import type { EdgeUnderTest } from './edge-handle.js';
import { answer, RawCall, sdp } from './raw-call.js';
import type { RawPeer } from './raw-peer.js';

const supported = { headers: { Supported: '100rel' }, body: sdp(40_000) };
const reliably = { headers: { Require: '100rel' } };
const rackOf = (response: SipResponse, cseq = 1): string => `${response.headers.get('RSeq')} ${cseq} INVITE`;

/** Answers every INVITE with 183 and a description, reliably, and leaves the rest to the test. */
const progressing = (app: DrachtioApp): void =>
  app.invite((request, reply) => {
    reply.send(183, { ...reliably, body: sdp(41_000) }, (error: unknown, sent?: AppMessage) =>
      app.emit('progress', error, sent, request, reply),
    );
  });

/** A caller who has the reliable 183 of an application. */
async function ring(app: DrachtioApp, caller: RawPeer, options = supported) {
  const call = new RawCall(caller);
  const progress = next(app, 'progress');
  call.send('INVITE', options);
  const early = await caller.response(183);
  call.toTag = tagOf(early.to) ?? '';
  const [, echo, request, reply] = (await progress) as [unknown, AppMessage, AppRequest, AppReply];
  return { call, early, echo, request, reply };
}

export function reliableContract(under: EdgeUnderTest): void {
  describe('RFC 3262: reliable provisional responses of the application', () => {
    const bench = new ContractBench(under);

    for (const header of ['Supported', 'Require']) {
      test(`${header}: 100rel in the INVITE: RSeq and Contact of the edge, repeats until PRACK, then the call`, () =>
        bench.run(progressing, async ({ app, edge, peer }) => {
          const caller = await peer.udp();
          const options = { ...supported, headers: { [header]: '100rel' } } as typeof supported;
          const { call, early, echo, request, reply } = await ring(app, caller, options);
          assert.match(early.headers.get('RSeq') ?? '', /^\d+$/);
          assert.equal(early.headers.get('Require'), '100rel');
          assert.equal(early.contacts[0]?.uri, `sip:127.0.0.1:${edge.udp.port}`);
          assert.equal(early.body.toString(), sdp(41_000));
          assert.equal(echo.get('RSeq'), early.headers.get('RSeq'));
          assert.equal((await caller.response(183)).headers.get('RSeq'), early.headers.get('RSeq'));

          // drachtio-srf answers it by itself.
          call.send('PRACK', { headers: { RAck: rackOf(early) } });
          await caller.response(200, 'PRACK');

          const answered = app.createUAS(request, reply, { localSdp: sdp(41_000) });
          const ok = await caller.response(200, 'INVITE');
          assert.equal(tagOf(ok.to), call.toTag);
          call.send('ACK', { cseq: 1 });
          const dialog = await answered;
          assert.equal(dialog.id, call.dialogId);
          const destroyed = next(dialog, 'destroy');
          call.send('BYE');
          await caller.response(200, 'BYE');
          await destroyed;
        }));
    }

    test('a caller who knows nothing of it: refused with the words of drachtio-server, the application may go on', () =>
      bench.run(progressing, async ({ app, peer }) => {
        const caller = await peer.udp();
        const progress = next(app, 'progress');
        new RawCall(caller).send('INVITE', { body: sdp(40_000) });
        const [error, , , reply] = (await progress) as [unknown, unknown, unknown, AppReply];
        assert.equal(error, 'Remote endpoint does not support 100rel');
        reply.send(480);
        await caller.response(480);
      }));

    // drachtio-server takes the reason phrase of whatever had to wait from freed memory.
    test(
      'the next one waits for the PRACK of the one before; its RSeq is one higher',
      { skip: under.referenceOnly },
      () =>
        bench.run(progressing, async ({ app, peer }) => {
          const caller = await peer.udp();
          const { call, early, reply } = await ring(app, caller);
          reply.send(180, reliably);
          await caller.response(183);
          assert.equal(
            caller.unread.some((message) => message.kind === 'response' && message.status === 180),
            false,
          );
          call.send('PRACK', { headers: { RAck: rackOf(early) } });
          await caller.response(200, 'PRACK');
          const ringing = await caller.response(180);
          assert.equal(Number(ringing.headers.get('RSeq')), Number(early.headers.get('RSeq')) + 1);
          call.send('PRACK', { headers: { RAck: rackOf(ringing) } });
          await caller.response(200, 'PRACK');
          reply.send(486);
          await caller.response(486);
        }),
    );

    test('§3: a 200 waits for the PRACK of a session description', { skip: under.referenceOnly }, () =>
      bench.run(progressing, async ({ app, peer }) => {
        const caller = await peer.udp();
        const { call, early, request, reply } = await ring(app, caller);
        const answered = app.createUAS(request, reply, { localSdp: sdp(41_000) });
        await caller.response(183);
        assert.equal(
          caller.unread.some((message) => message.kind === 'response' && message.status === 200),
          false,
        );
        call.send('PRACK', { headers: { RAck: rackOf(early) } });
        await caller.response(200, 'PRACK');
        await caller.response(200, 'INVITE');
        call.send('ACK', { cseq: 1 });
        await answered;
      }),
    );

    test('§3: a PRACK that acknowledges nothing gets 481', { skip: under.referenceOnly }, () =>
      bench.run(progressing, async ({ app, peer }) => {
        const caller = await peer.udp();
        const { call, early } = await ring(app, caller);
        call.send('PRACK', { headers: { RAck: `${Number(early.headers.get('RSeq')) + 7} 1 INVITE` } });
        await caller.response(481, 'PRACK');
        call.send('PRACK', { headers: { RAck: rackOf(early) } });
        await caller.response(200, 'PRACK');
      }),
    );

    test('CANCEL while it waits for its PRACK: 487', () =>
      bench.run(progressing, async ({ app, peer }) => {
        const caller = await peer.udp();
        const call = new RawCall(caller);
        const progress = next(app, 'progress');
        const invite = call.send('INVITE', supported);
        await caller.response(183);
        const [, , request] = (await progress) as [unknown, unknown, AppRequest];
        const cancelled = next(request, 'cancel');
        call.send('CANCEL', { cseq: 1, branch: invite.topVia.parameters.get('branch') ?? '' });
        await caller.response(200, 'CANCEL');
        await caller.response(487, 'INVITE');
        await cancelled;
      }));
  });

  describe('RFC 3262: reliable provisional responses of the network', () => {
    const bench = new ContractBench(under);

    test('a reliable 183 is told once, its PRACK carries its RAck, and the call goes on', () =>
      bench.run(noRoutes, async ({ app, peer }) => {
        const callee = await peer.udp();
        const { calling, invite, seen } = await dial(app, callee);
        progress(callee, invite, 183, { rseq: 77, toTag: 'p1', body: sdp(43_000) });
        const prack = await callee.request('PRACK');
        assert.equal(prack.headers.get('RAck'), `77 ${invite.cseq.number} INVITE`);
        assert.equal(prack.cseq.number, invite.cseq.number + 1);
        assert.equal(tagOf(prack.to), 'p1');
        assert.equal(prack.uri, `sip:raw@127.0.0.1:${callee.address.port}`);
        answer(callee, prack, 200, { toTag: 'p1' });
        // A copy is neither told nor acknowledged again.
        progress(callee, invite, 183, { rseq: 77, toTag: 'p1', body: sdp(43_000) });
        progress(callee, invite, 181, { rseq: 78, toTag: 'p1' });
        const second = await callee.request('PRACK');
        assert.equal(second.headers.get('RAck'), `78 ${invite.cseq.number} INVITE`);
        answer(callee, second, 200, { toTag: 'p1' });
        answer(callee, invite, 200, { toTag: 'p1', body: sdp(43_000) });
        await calling;
        assert.deepEqual(seen, ['183 p1 77', '181 p1 78']);
        const ack = await callee.request('ACK');
        assert.equal(ack.cseq.number, invite.cseq.number);
      }));

    test('§4: a response after a gap is neither told nor acknowledged', () =>
      bench.run(noRoutes, async ({ app, peer }) => {
        const callee = await peer.udp();
        const { calling, invite, seen } = await dial(app, callee);
        progress(callee, invite, 183, { rseq: 5, toTag: 'p1' });
        answer(callee, await callee.request('PRACK'), 200, { toTag: 'p1' });
        progress(callee, invite, 180, { rseq: 7, toTag: 'p1' });
        progress(callee, invite, 181, { rseq: 6, toTag: 'p1' });
        answer(callee, await callee.request('PRACK'), 200, { toTag: 'p1' });
        progress(callee, invite, 180, { rseq: 7, toTag: 'p1' });
        const prack = await callee.request('PRACK');
        assert.equal(prack.headers.get('RAck'), `7 ${invite.cseq.number} INVITE`);
        answer(callee, prack, 200, { toTag: 'p1' });
        answer(callee, invite, 200, { toTag: 'p1', body: sdp(43_000) });
        await calling;
        assert.deepEqual(seen, ['183 p1 5', '181 p1 6', '180 p1 7']);
      }));

    test('§4: every branch of a fork has its own RSeq and gets its own PRACK', { skip: under.referenceOnly }, () =>
      bench.run(noRoutes, async ({ app, peer }) => {
        const callee = await peer.udp();
        const { calling, invite, seen } = await dial(app, callee);
        for (const toTag of ['k1', 'k2']) progress(callee, invite, 183, { rseq: 11, toTag, body: sdp(43_000) });
        for (const toTag of ['k1', 'k2']) {
          const prack = await callee.request('PRACK');
          assert.equal(tagOf(prack.to), toTag);
          assert.equal(prack.headers.get('RAck'), `11 ${invite.cseq.number} INVITE`);
          answer(callee, prack, 200, { toTag });
        }
        answer(callee, invite, 200, { toTag: 'k1', body: sdp(43_000) });
        const dialog = await calling;
        assert.deepEqual(seen, ['183 k1 11', '183 k2 11']);
        assert.equal(dialog.sip.remoteTag, 'k1');
        assert.equal(tagOf((await callee.request('ACK')).to), 'k1');
        const destroyed = dialog.destroy();
        const bye = await callee.request('BYE');
        assert.equal(tagOf(bye.to), 'k1');
        answer(callee, bye, 200, { toTag: 'k1' });
        await destroyed;
      }),
    );

    test('a third branch that answers gets ACK and BYE with its own tag', { skip: under.referenceOnly }, () =>
      bench.run(noRoutes, async ({ app, peer }) => {
        const callee = await peer.udp();
        const { calling, invite } = await dial(app, callee);
        progress(callee, invite, 183, { rseq: 1, toTag: 'k1', body: sdp(43_000) });
        answer(callee, await callee.request('PRACK'), 200, { toTag: 'k1' });
        answer(callee, invite, 200, { toTag: 'k3', body: sdp(43_000) });
        const dialog = await calling;
        assert.equal(tagOf((await callee.request('ACK')).to), 'k3');
        const destroyed = dialog.destroy();
        const bye = await callee.request('BYE');
        assert.equal(tagOf(bye.to), 'k3');
        answer(callee, bye, 200, { toTag: 'k3' });
        await destroyed;
      }),
    );
  });
}

const noRoutes = (_app: DrachtioApp): void => undefined;

async function dial(app: DrachtioApp, callee: RawPeer) {
  const seen: string[] = [];
  const calling = app.createUAC(
    `sip:bob@127.0.0.1:${callee.address.port}`,
    { localSdp: sdp(42_000), headers: { Supported: '100rel' } },
    {
      cbProvisional: (response) =>
        seen.push(`${response.status} ${/tag=(\w+)/.exec(response.get('To'))?.[1]} ${response.get('RSeq')}`),
    },
  );
  return { calling, invite: await callee.request('INVITE'), seen };
}

/** Sends a reliable provisional response as a peer. */
export function progress(
  peer: RawPeer,
  invite: SipRequest,
  status: number,
  options: { rseq: number; toTag: string; body?: string },
): void {
  const { rseq, ...rest } = options;
  answer(peer, invite, status, { ...rest, headers: { Require: '100rel', RSeq: String(rseq) } });
}
