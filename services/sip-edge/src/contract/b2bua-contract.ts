// The contract, last part: calls between two sipp through createB2BUA, as signalling makes them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { freeTcpPort, freeUdpPort, runSipp, sippListens, sippMissing } from '@sidestream/peers';
import { ContractBench } from './contract-bench.js';
import type { AppDialog, DrachtioApp } from './drachtio-app.js';
import type { EdgeUnderTest } from './edge-handle.js';
import { answer, RawCall, sdp } from './raw-call.js';

const calls = 50;

/** Connects every call to a port and passes the end of either leg on to the other. */
function b2bua(app: DrachtioApp, target: () => string): void {
  app.invite(async (request, reply) => {
    try {
      const { uas, uac } = await app.createB2BUA(request, reply, target(), { localSdpB: request.body });
      for (const [one, other] of [
        [uas, uac],
        [uac, uas],
      ] as [AppDialog, AppDialog][]) {
        one.on('destroy', () => void other.destroy().catch((error: unknown) => app.emit('failed', error)));
      }
    } catch (error) {
      app.emit('failed', error);
    }
  });
}

export function b2buaContract(under: EdgeUnderTest): void {
  describe('a B2BUA', () => {
    const bench = new ContractBench(under);

    for (const transport of ['udp', 'tcp'] as const) {
      test(`${calls} calls between two sipp over ${transport}`, {
        timeout: 60_000,
        skip: sippMissing() ?? false,
      }, async () => {
        const freePort = transport === 'udp' ? freeUdpPort : freeTcpPort;
        const calleePort = await freePort();
        const parameter = transport === 'tcp' ? ';transport=tcp' : '';
        const target = `sip:callee@127.0.0.1:${calleePort}${parameter}`;
        await bench.run(
          (app) => b2bua(app, () => target),
          async ({ app, edge }) => {
            const failures: unknown[] = [];
            app.on('failed', (error) => failures.push(error));
            const common = ['-i', '127.0.0.1', '-t', transport === 'udp' ? 'u1' : 't1'];
            const done = new AbortController();
            const late = setTimeout(() => done.abort(), 40_000);
            const callee = runSipp(['-sn', 'uas', ...common, '-p', String(calleePort)], done.signal);
            await sippListens(transport, calleePort);
            const edgeAddress = `${edge[transport].host}:${edge[transport].port}`;
            const callerPort = String(await freePort());
            const rate = ['-m', String(calls), '-r', '20', '-d', '200', '-l', String(calls)];
            const called = ['-sn', 'uac', edgeAddress, '-p', callerPort, '-s', 'callee'];
            const { code, output } = await runSipp([...called, ...common, ...rate], done.signal);
            clearTimeout(late);
            done.abort();
            await callee;
            assert.deepEqual(failures, []);
            assert.equal(code, 0, output);
          },
        );
      });
    }

    test('a caller who gives up cancels the other leg', () => {
      let target = '';
      return bench.run(
        (app) => b2bua(app, () => target),
        async ({ peer }) => {
          const [caller, callee] = await Promise.all([peer.udp(), peer.udp()]);
          target = `sip:callee@127.0.0.1:${callee.address.port}`;
          const call = new RawCall(caller);
          const invite = call.send('INVITE', { body: sdp(40_000) });
          const legB = await callee.request('INVITE');
          answer(callee, legB, 180);
          await caller.response(180);
          call.send('CANCEL', { cseq: 1, branch: invite.topVia.parameters.get('branch') ?? '' });
          await caller.response(200, 'CANCEL');
          await caller.response(487, 'INVITE');
          answer(callee, await callee.request('CANCEL'), 200);
          answer(callee, legB, 487);
          await callee.request('ACK');
        },
      );
    });

    test('a callee who refuses: the caller gets the same status', () => {
      let target = '';
      return bench.run(
        (app) => b2bua(app, () => target),
        async ({ peer }) => {
          const [caller, callee] = await Promise.all([peer.udp(), peer.udp()]);
          target = `sip:callee@127.0.0.1:${callee.address.port}`;
          new RawCall(caller).send('INVITE', { body: sdp(40_000) });
          answer(callee, await callee.request('INVITE'), 486);
          await caller.response(486);
        },
      );
    });
  });
}
