// The contract: session timers (RFC 4028) as far as a test can see them without waiting for minutes.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type SipResponse, tagOf } from '@sidestream/sip';
import { ContractBench } from './contract-bench.js';
import { type AppDialog, type DrachtioApp, next } from './drachtio-app.js';
import type { EdgeUnderTest } from './edge-handle.js';
import { RawCall, sdp } from './raw-call.js';
import type { RawPeer } from './raw-peer.js';

/** Answers; what the test wants in the 200 stands in X-Answer of the INVITE. */
const answering = (app: DrachtioApp): void =>
  app.invite(async (request, reply) => {
    const wish = request.has('X-Answer') ? { 'Session-Expires': request.get('X-Answer') } : {};
    const dialog = await app.createUAS(request, reply, { localSdp: sdp(41_000), headers: wish });
    dialog.on('destroy', () => app.emit('gone'));
    app.emit('answered', dialog);
  });

async function establish(
  caller: RawPeer,
  headers: Record<string, string>,
): Promise<{ call: RawCall; ok: SipResponse }> {
  const call = new RawCall(caller);
  const ok = await call.establish({ headers: { Supported: 'timer', ...headers } });
  call.toTag = tagOf(ok.to) ?? '';
  return { call, ok };
}

export function sessionTimerContract(under: EdgeUnderTest): void {
  describe('RFC 4028: session timers', () => {
    const bench = new ContractBench(under);

    for (const refresher of ['uac', 'uas']) {
      test(`§9: an INVITE with refresher=${refresher} has its way in the 200`, () =>
        bench.run(answering, async ({ peer }) => {
          const { ok } = await establish(await peer.udp(), { 'Session-Expires': `90;refresher=${refresher}` });
          assert.equal(ok.headers.get('Session-Expires'), `90;refresher=${refresher}`);
          if (!under.referenceOnly) assert.equal(ok.headers.get('Require'), 'timer');
        }));
    }

    test('an INVITE without it: no timer, unless the application wants one', () =>
      bench.run(answering, async ({ peer }) => {
        const caller = await peer.udp();
        assert.equal((await establish(caller, {})).ok.headers.has('Session-Expires'), false);
        const { ok } = await establish(caller, { 'X-Answer': '600;refresher=uas' });
        assert.equal(ok.headers.get('Session-Expires'), '600;refresher=uas');
      }));

    for (const method of ['INVITE', 'UPDATE']) {
      test(`§9: a ${method} in the call with too small an interval gets 422 with Min-SE, the application nothing`, () =>
        bench.run(answering, async ({ app, peer }) => {
          const caller = await peer.udp();
          const answered = next(app, 'answered');
          const { call } = await establish(caller, { 'Session-Expires': '90;refresher=uac' });
          const [dialog] = (await answered) as [AppDialog];
          for (const event of ['modify', 'update', 'refresh']) dialog.on(event, () => assert.fail(event));
          const headers = { Supported: 'timer', 'Session-Expires': '30;refresher=uac' };
          call.send(method, { headers, ...(method === 'INVITE' ? { body: sdp(40_000) } : {}) });
          assert.equal((await caller.response(422, method)).headers.get('Min-SE'), '90');
        }));
    }

    test('§9: an initial INVITE with too small an interval gets 422 as well', { skip: under.referenceOnly }, () =>
      bench.run(answering, async ({ peer }) => {
        const caller = await peer.udp();
        new RawCall(caller).send('INVITE', { headers: { Supported: 'timer', 'Session-Expires': '30' } });
        assert.equal((await caller.response(422)).headers.get('Min-SE'), '90');
      }),
    );

    test('§9: without a refresher in the INVITE its sender becomes it', { skip: under.referenceOnly }, () =>
      bench.run(answering, async ({ peer }) => {
        const { ok } = await establish(await peer.udp(), { 'Session-Expires': '1800' });
        assert.equal(ok.headers.get('Session-Expires'), '1800;refresher=uac');
        assert.equal(ok.headers.get('Require'), 'timer');
      }),
    );

    test('§9: the 200 to a refresh of the peer says that the timer goes on', { skip: under.referenceOnly }, () =>
      bench.run(answering, async ({ app, peer }) => {
        const caller = await peer.udp();
        const answered = next(app, 'answered');
        const { call } = await establish(caller, { 'Session-Expires': '120;refresher=uac' });
        const [dialog] = (await answered) as [AppDialog];
        dialog.on('modify', (_request, reply) => reply.send(200, { body: sdp(41_000) }));
        dialog.on('update', (_request, reply) => reply.send(200));
        for (const [method, asked, agreed] of [
          ['INVITE', '120;refresher=uac', '120;refresher=uac'],
          ['UPDATE', '100;refresher=uac', '100;refresher=uac'],
          ['UPDATE', undefined, '100;refresher=uac'],
        ] as const) {
          const headers = { Supported: 'timer', ...(asked === undefined ? {} : { 'Session-Expires': asked }) };
          call.send(method, { headers, ...(method === 'INVITE' ? { body: sdp(40_000) } : {}) });
          const ok = await caller.response(200, method);
          assert.equal(ok.headers.get('Session-Expires'), agreed);
          assert.equal(ok.headers.get('Require'), 'timer');
          if (method === 'INVITE') call.send('ACK', { cseq: call.cseq });
        }
      }),
    );
  });
}
