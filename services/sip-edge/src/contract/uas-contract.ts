// The contract, first half: calls that come in.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tagOf } from '@sidestream/sip';
import { ContractBench } from './contract-bench.js';
import { type AppReply, type AppRequest, next } from './drachtio-app.js';
import type { EdgeUnderTest } from './edge-handle.js';
import { answer, RawCall, sdp } from './raw-call.js';

const answerSdp = sdp(41_000);

export function uasContract(under: EdgeUnderTest): void {
  describe('calls that come in', () => {
    const bench = new ContractBench(under);

    for (const transport of ['udp', 'tcp'] as const) {
      test(`${transport}: INVITE, 200, ACK, INFO and re-INVITE of the peer, BYE of the peer`, () =>
        bench.run(
          (app) =>
            app.invite(async (request, reply) => {
              const dialog = await app.createUAS(request, reply, { localSdp: answerSdp });
              dialog.on('info', (info: AppRequest, answer: AppReply) =>
                answer.send(200, { headers: { 'X-Got': info.body } }),
              );
              app.emit('answered', request, dialog);
            }),
          async ({ app, edge, peer }) => {
            const caller = await peer[transport]();
            const call = new RawCall(caller);
            const answered = next(app, 'answered');
            call.send('INVITE', { body: sdp(40_000) });
            await caller.response(100);
            const ok = await caller.response(200, 'INVITE');
            call.toTag = tagOf(ok.to) ?? '';
            assert.ok(call.toTag);
            const [request, dialog] = (await answered) as [AppRequest, Awaited<ReturnType<typeof app.createUAS>>];
            assert.equal(request.protocol, transport);
            assert.equal(request.receivedOn, `${edge[transport].host}:${edge[transport].port}`);
            assert.equal(request.source_address, '127.0.0.1');
            assert.equal(Number(request.source_port), caller.address.port);
            assert.equal(dialog.id, call.dialogId);
            assert.equal(dialog.sip.localTag, call.toTag);
            assert.equal(ok.body.toString(), answerSdp);
            assert.equal(ok.headers.get('Content-Type'), 'application/sdp');
            const [contact] = ok.contacts;
            assert.match(contact?.uri ?? '', new RegExp(`^sip:${edge[transport].host}:${edge[transport].port}`));

            const acknowledged = next(dialog, 'ack');
            call.send('ACK', { cseq: 1 });
            await acknowledged;

            call.send('INFO', { body: 'Signal=5', headers: { 'Content-Type': 'application/dtmf-relay' } });
            assert.equal((await caller.response(200, 'INFO')).headers.get('X-Got'), 'Signal=5');

            const modified = next(dialog, 'modify');
            call.send('INVITE', { body: sdp(40_002) });
            const [, reply] = (await modified) as [AppRequest, AppReply];
            reply.send(200, { body: sdp(41_002) });
            assert.equal((await caller.response(200, 'INVITE')).body.toString(), sdp(41_002));
            const second = next(dialog, 'ack');
            call.send('ACK', { cseq: 3 });
            await second;

            const destroyed = next(dialog, 'destroy');
            call.send('BYE');
            await caller.response(200, 'BYE');
            await destroyed;
          },
        ));
    }

    test('the application sends INFO, re-INVITE and BYE; after that the dialog is gone', () =>
      bench.run(
        (app) =>
          app.invite(async (request, reply) => {
            app.emit('answered', await app.createUAS(request, reply, { localSdp: answerSdp }));
          }),
        async ({ app, peer }) => {
          const caller = await peer.udp();
          const call = new RawCall(caller);
          const answered = next(app, 'answered');
          await call.establish();
          const [dialog] = (await answered) as [Awaited<ReturnType<typeof app.createUAS>>];

          const info = dialog.request({ method: 'INFO', body: 'hello', headers: { 'Content-Type': 'text/plain' } });
          const received = await caller.request('INFO');
          assert.equal(received.uri, `sip:raw@127.0.0.1:${caller.address.port}`);
          assert.equal(received.body.toString(), 'hello');
          assert.equal(tagOf(received.from), call.toTag);
          assert.equal(tagOf(received.to), call.fromTag);
          reply(caller, received, 200);
          assert.equal((await info).status, 200);

          const modified = dialog.modify(sdp(41_004));
          const reinvite = await caller.request('INVITE');
          assert.equal(reinvite.body.toString(), sdp(41_004));
          reply(caller, reinvite, 200, sdp(40_004));
          assert.equal(await modified, sdp(40_004));
          const ack = await caller.request('ACK');
          assert.equal(ack.cseq.number, reinvite.cseq.number);

          const destroyed = dialog.destroy();
          const bye = await caller.request('BYE');
          assert.ok(bye.cseq.number > reinvite.cseq.number);
          reply(caller, bye, 200);
          await destroyed;
          await assert.rejects(dialog.request({ method: 'INFO' }), (error: Error & { code?: string }) => {
            assert.equal(error.code, 'ENODIALOG');
            return true;
          });
        },
      ));

    test('a rejected call: 486 with a To tag, no ACK for the application, the INVITE comes once', () =>
      bench.run(
        (app) => app.invite((_request, answer) => answer.send(486, { headers: { 'X-Why': 'busy' } })),
        async ({ peer }) => {
          const caller = await peer.udp();
          const call = new RawCall(caller);
          const invite = call.send('INVITE', { body: sdp(40_000) });
          const busy = await caller.response(486);
          assert.equal(busy.headers.get('X-Why'), 'busy');
          call.toTag = tagOf(busy.to) ?? '';
          assert.ok(call.toTag);
          call.send('ACK', { cseq: 1, branch: invite.topVia.parameters.get('branch') ?? '' });
        },
      ));

    test('CANCEL after 180: 200, 487, and the application hears of it', () =>
      bench.run(
        (app) =>
          app.invite((request, answer) => {
            request.on('cancel', (cancel) => app.emit('cancelled', cancel));
            answer.send(180);
          }),
        async ({ app, peer }) => {
          const caller = await peer.udp();
          const call = new RawCall(caller);
          const cancelled = next(app, 'cancelled');
          const invite = call.send('INVITE', { body: sdp(40_000) });
          await caller.response(180);
          const branch = invite.topVia.parameters.get('branch') ?? '';
          call.send('CANCEL', { cseq: 1, branch, headers: { Reason: 'SIP;cause=487;text="gone"' } });
          await caller.response(200, 'CANCEL');
          await caller.response(487, 'INVITE');
          const [cancel] = (await cancelled) as [AppRequest];
          assert.equal(cancel.get('Reason'), 'SIP;cause=487;text="gone"');
        },
      ));

    test('a quick CANCEL, before the application has said anything; its late 200 is refused', () =>
      bench.run(
        (app) =>
          app.invite((request, answer) => {
            request.on('cancel', () => {
              answer.send(200, { body: answerSdp }, (error: unknown) => app.emit('late', error));
            });
            app.emit('arrived');
          }),
        async ({ app, peer }) => {
          const caller = await peer.udp();
          const call = new RawCall(caller);
          const arrived = next(app, 'arrived');
          const late = next(app, 'late');
          const invite = call.send('INVITE', { body: sdp(40_000) });
          await arrived;
          call.send('CANCEL', { cseq: 1, branch: invite.topVia.parameters.get('branch') ?? '' });
          await caller.response(200, 'CANCEL');
          await caller.response(487, 'INVITE');
          assert.deepEqual(await late, ['Response not sent due to unknown transaction']);
        },
      ));

    test('OPTIONS outside a dialog goes to the application that wants it, MESSAGE that nobody wants gets 503', () =>
      bench.run(
        (app) => app.options((_request, answer) => answer.send(200, { headers: { Allow: 'INVITE, ACK' } })),
        async ({ peer }) => {
          const caller = await peer.udp();
          new RawCall(caller).send('OPTIONS');
          const ok = await caller.response(200, 'OPTIONS');
          assert.equal(ok.headers.get('Allow'), 'INVITE, ACK');
          assert.ok(tagOf(ok.to));
          new RawCall(caller).send('MESSAGE');
          await caller.response(503, 'MESSAGE');
        },
      ));

    test('RFC 3261 §12.2.2: requests of a dialog that nobody knows get 481', () =>
      bench.run(
        (app) => app.invite((_request, answer) => answer.send(480)),
        async ({ peer }) => {
          const caller = await peer.udp();
          for (const method of ['BYE', 'UPDATE', 'INVITE']) {
            const call = new RawCall(caller);
            call.toTag = 'nobody';
            call.send(method);
            await caller.response(481, method);
          }
        },
      ));
  });

  describe('a 200 that nobody acknowledges', () => {
    const bench = new ContractBench(under, { t1: 20 });

    test('is repeated, then the edge sends BYE and the application hears ACK timeout', { timeout: 60_000 }, () =>
      bench.run(
        (app) =>
          app.invite(async (request, reply) => {
            const dialog = await app.createUAS(request, reply, { localSdp: answerSdp });
            dialog.on('destroy', (_bye: unknown, reason: unknown) => app.emit('gone', reason));
          }),
        async ({ app, edge, peer }) => {
          const caller = await peer.udp();
          const call = new RawCall(caller);
          const gone = new Promise((resolve) => app.once('gone', resolve));
          call.send('INVITE', { body: sdp(40_000) });
          await caller.response(200, 'INVITE');
          await caller.response(200, 'INVITE');
          assert.equal(await gone, 'ACK timeout');
          const bye = await caller.request('BYE');
          assert.equal(bye.headers.get('Reason'), 'SIP;cause=200;text="ACK timeout"');
          assert.ok(edge.t1 > 0);
        },
      ),
    );
  });
}

function reply(
  peer: Parameters<typeof answer>[0],
  request: Parameters<typeof answer>[1],
  status: number,
  body?: string,
) {
  answer(peer, request, status, body === undefined ? {} : { body });
}
