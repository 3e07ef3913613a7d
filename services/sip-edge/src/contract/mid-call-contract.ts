// The contract: UPDATE, REFER and NOTIFY within calls, early and established.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tagOf } from '@sidestream/sip';
import { ContractBench } from './contract-bench.js';
import {
  type AppDialog,
  type AppMessage,
  type AppProvisional,
  type AppReply,
  type AppRequest,
  type DrachtioApp,
  next,
} from './drachtio-app.js';
import type { EdgeUnderTest } from './edge-handle.js';
import { answer, RawCall, sdp } from './raw-call.js';
import type { RawPeer } from './raw-peer.js';
import { progress } from './reliable-contract.js';

const answering = (app: DrachtioApp): void =>
  app.invite(async (request, reply) => {
    app.emit('answered', await app.createUAS(request, reply, { localSdp: sdp(41_000) }));
  });

async function establish(app: DrachtioApp, caller: RawPeer): Promise<{ call: RawCall; dialog: AppDialog }> {
  const call = new RawCall(caller);
  const answered = next(app, 'answered');
  await call.establish();
  const [dialog] = (await answered) as [AppDialog];
  return { call, dialog };
}

export function midCallContract(under: EdgeUnderTest): void {
  describe('RFC 3311: UPDATE', () => {
    const bench = new ContractBench(under);

    test('of the peer in an established call: the application answers with a description', () =>
      bench.run(answering, async ({ app, peer }) => {
        const caller = await peer.udp();
        const { call, dialog } = await establish(app, caller);
        const updated = next(dialog, 'update');
        call.send('UPDATE', { body: sdp(40_002) });
        const [update, reply] = (await updated) as [AppRequest, AppReply];
        assert.equal(update.body, sdp(40_002));
        assert.equal(update.stackDialogId, call.dialogId);
        reply.send(200, { body: sdp(41_002) });
        const ok = await caller.response(200, 'UPDATE');
        assert.equal(ok.body.toString(), sdp(41_002));
        assert.equal(ok.headers.get('Content-Type'), 'application/sdp');
      }));

    test('of the application in an established call: whatever the answer, it is told', () =>
      bench.run(answering, async ({ app, peer }) => {
        const caller = await peer.udp();
        const { dialog } = await establish(app, caller);
        for (const status of [200, 491]) {
          const updating = dialog.request({ method: 'UPDATE', body: sdp(41_004) });
          const update = await caller.request('UPDATE');
          assert.equal(update.body.toString(), sdp(41_004));
          assert.equal(update.headers.get('Content-Type'), 'application/sdp');
          answer(caller, update, status, status === 200 ? { body: sdp(40_004) } : {});
          assert.equal((await updating).status, status);
        }
      }));

    test('of the caller in an early dialog, after PRACK', () =>
      bench.run(
        (app) =>
          app.invite((request, reply) => {
            request.on('update', (_update: AppRequest, updateReply: AppReply) =>
              updateReply.send(200, { body: sdp(41_002) }),
            );
            reply.send(183, { headers: { Require: '100rel' }, body: sdp(41_000) });
          }),
        async ({ peer }) => {
          const caller = await peer.udp();
          const call = new RawCall(caller);
          call.send('INVITE', { body: sdp(40_000), headers: { Supported: '100rel' } });
          const early = await caller.response(183);
          call.toTag = tagOf(early.to) ?? '';
          call.send('PRACK', { headers: { RAck: `${early.headers.get('RSeq')} 1 INVITE` } });
          await caller.response(200, 'PRACK');
          call.send('UPDATE', { body: sdp(40_002) });
          assert.equal((await caller.response(200, 'UPDATE')).body.toString(), sdp(41_002));
        },
      ));

    test('both ways in an early dialog of a call that goes out', () =>
      bench.run(
        () => undefined,
        async ({ app, peer }) => {
          const callee = await peer.udp();
          let early: AppProvisional | undefined;
          const options = { localSdp: sdp(42_000), headers: { Supported: '100rel' } };
          const calling = app.createUAC(`sip:bob@127.0.0.1:${callee.address.port}`, options, {
            cbProvisional: (response) => {
              early = response;
            },
          });
          const invite = await callee.request('INVITE');
          progress(callee, invite, 183, { rseq: 1, toTag: 'p1', body: sdp(43_000) });
          answer(callee, await callee.request('PRACK'), 200, { toTag: 'p1' });
          assert.ok(early);
          const updating = updateEarly(early, sdp(42_002));
          const update = await callee.request('UPDATE');
          assert.equal(update.cseq.number, invite.cseq.number + 2);
          assert.equal(tagOf(update.to), 'p1');
          answer(callee, update, 200, { toTag: 'p1', body: sdp(43_002) });
          assert.equal((await updating).status, 200);

          // drachtio-srf answers it with its offer.
          const theirs = invite.clone();
          theirs.method = 'UPDATE';
          theirs.headers.set('Via', `SIP/2.0/UDP 127.0.0.1:${callee.address.port};rport;branch=z9hG4bKearly`);
          theirs.headers.set('From', '<sip:bob@127.0.0.1>;tag=p1');
          theirs.headers.set('To', invite.headers.get('From') ?? '');
          theirs.headers.set('Contact', `<sip:raw@127.0.0.1:${callee.address.port}>`);
          theirs.headers.set('CSeq', '1 UPDATE');
          theirs.body = Buffer.from(sdp(43_004));
          callee.send(theirs);
          assert.equal((await callee.response(200, 'UPDATE')).body.toString(), sdp(42_000));
          answer(callee, invite, 200, { toTag: 'p1', body: sdp(43_000) });
          await calling;
        },
      ));

    test('outside a dialog: 481', () =>
      bench.run(answering, async ({ peer }) => {
        const caller = await peer.udp();
        new RawCall(caller).send('UPDATE');
        await caller.response(481, 'UPDATE');
      }));

    test('§5.2: a second one before the first is answered gets 500', { skip: under.referenceOnly }, () =>
      bench.run(answering, async ({ app, peer }) => {
        const caller = await peer.udp();
        const { call, dialog } = await establish(app, caller);
        const updated = next(dialog, 'update');
        call.send('UPDATE', { body: sdp(40_002) });
        const [, reply] = (await updated) as [AppRequest, AppReply];
        call.send('UPDATE', { body: sdp(40_004) });
        const overlapping = await caller.response(500, 'UPDATE');
        assert.ok(Number(overlapping.headers.get('Retry-After')) <= 10);
        reply.send(200, { body: sdp(41_002) });
        await caller.response(200, 'UPDATE');
      }),
    );

    test(
      '§5.2: an offer in it while another has no answer: 491 for ours, 500 for the peer’s',
      {
        skip: under.referenceOnly,
      },
      () =>
        bench.run(answering, async ({ app, peer }) => {
          const caller = await peer.udp();
          const { call, dialog } = await establish(app, caller);
          const modifying = dialog.modify(sdp(41_002));
          const ours = await caller.request('INVITE');
          call.send('UPDATE', { body: sdp(40_002) });
          await caller.response(491, 'UPDATE');
          answer(caller, ours, 200, { body: sdp(40_000) });
          await modifying;
          await caller.request('ACK');

          const modified = next(dialog, 'modify');
          call.send('INVITE', { body: sdp(40_004) });
          const [, reply] = (await modified) as [AppRequest, AppReply];
          call.send('UPDATE', { body: sdp(40_006) });
          assert.ok(Number((await caller.response(500, 'UPDATE')).headers.get('Retry-After')) <= 10);
          reply.send(200, { body: sdp(41_004) });
          await caller.response(200, 'INVITE');
        }),
    );
  });

  describe('RFC 3515: REFER and NOTIFY', () => {
    const bench = new ContractBench(under);
    const sipfrag = (state: string) => ({
      Event: 'refer',
      'Subscription-State': state,
      'Content-Type': 'message/sipfrag;version=2.0',
    });

    test('REFER of the peer: Refer-To and Referred-By as they are; the application notifies', () =>
      bench.run(answering, async ({ app, peer }) => {
        const caller = await peer.udp();
        const { call, dialog } = await establish(app, caller);
        const referred = next(dialog, 'refer');
        const referTo = '<sip:carol@192.0.2.9?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>';
        call.send('REFER', { headers: { 'Refer-To': referTo, 'Referred-By': '<sip:raw@127.0.0.1>' } });
        const [refer, reply] = (await referred) as [AppRequest, AppReply];
        assert.equal(refer.get('Refer-To'), referTo);
        assert.equal(refer.get('Referred-By'), '<sip:raw@127.0.0.1>');
        reply.send(202);
        await caller.response(202, 'REFER');
        for (const [state, body] of [
          ['active;expires=60', 'SIP/2.0 100 Trying\r\n'],
          ['terminated;reason=noresource', 'SIP/2.0 200 OK\r\n'],
        ] as const) {
          const notifying = dialog.request({ method: 'NOTIFY', headers: sipfrag(state), body });
          const notify = await caller.request('NOTIFY');
          assert.equal(notify.headers.get('Subscription-State'), state);
          assert.equal(notify.body.toString(), body);
          answer(caller, notify, 200);
          assert.equal((await notifying).status, 200);
        }
        const destroyed = next(dialog, 'destroy');
        call.send('BYE');
        await caller.response(200, 'BYE');
        await destroyed;
      }));

    test('REFER of the application has a Contact; NOTIFY of the peer, the last one too, leaves the call as it is', () =>
      bench.run(answering, async ({ app, edge, peer }) => {
        const caller = await peer.udp();
        const { call, dialog } = await establish(app, caller);
        const referring = dialog.request({ method: 'REFER', headers: { 'Refer-To': '<sip:carol@192.0.2.9>' } });
        const refer = await caller.request('REFER');
        assert.equal(refer.headers.get('Refer-To'), '<sip:carol@192.0.2.9>');
        assert.equal(refer.contacts[0]?.uri, `sip:127.0.0.1:${edge.udp.port}`);
        answer(caller, refer, 202);
        assert.equal((await referring).status, 202);
        for (const state of ['active;expires=60', 'terminated;reason=noresource']) {
          const notified = next(dialog, 'notify');
          call.send('NOTIFY', { headers: sipfrag(state), body: 'SIP/2.0 200 OK\r\n' });
          const [notify, reply] = (await notified) as [AppRequest, AppReply];
          assert.equal(notify.body, 'SIP/2.0 200 OK\r\n');
          reply.send(200);
          await caller.response(200, 'NOTIFY');
        }
        const informed = next(dialog, 'info');
        call.send('INFO');
        ((await informed) as [AppRequest, AppReply])[1].send(200);
        await caller.response(200, 'INFO');
      }));

    test('outside a dialog REFER is answered', { skip: under.referenceOnly }, () =>
      bench.run(answering, async ({ peer }) => {
        const caller = await peer.udp();
        new RawCall(caller).send('REFER', { headers: { 'Refer-To': '<sip:x@192.0.2.9>' } });
        await caller.response(503, 'REFER');
      }),
    );
  });
}

/** drachtio-srf has no dialog yet: the provisional response is all there is to send from. */
function updateEarly(early: AppProvisional, body: string): Promise<AppMessage> {
  return new Promise((resolve, reject) => {
    const options = { method: 'UPDATE', stackDialogId: early.stackDialogId, _socket: early.socket, body };
    early.agent.request(options, (error, request) => {
      if (error) reject(error);
      else request.once('response', (response: AppMessage) => resolve(response));
    });
  });
}
