// Calls whose application has gone: nobody steers them any more, so the edge hangs up.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ContractBench } from '../contract/contract-bench.js';
import { type AppDialog, connectApp, type DrachtioApp, next } from '../contract/drachtio-app.js';
import { sipEdge } from '../contract/embedded-edge.js';
import { answer, RawCall, sdp } from '../contract/raw-call.js';

const reason = 'SIP;cause=503;text="application gone"';
const none = (): void => undefined;
const answering = (app: DrachtioApp): void =>
  app.invite(async (request, reply) => {
    app.emit('answered', await app.createUAS(request, reply, { localSdp: sdp(41_000) }));
  });

describe('an application that has gone', () => {
  const bench = new ContractBench(sipEdge({ orphanGraceMs: 100 }));

  test('after the grace both its peers get a BYE; what they send before gets 481', () =>
    bench.run(none, async ({ peer }) => {
      const app = await connectApp(bench.edge, answering);
      const [caller, callee] = await Promise.all([peer.udp(), peer.udp()]);
      const answered = next(app, 'answered');
      const call = new RawCall(caller);
      await call.establish();
      await answered;
      const calling = app.createUAC(`sip:b@127.0.0.1:${callee.address.port}`, { localSdp: sdp(1) });
      answer(callee, await callee.request('INVITE'), 200, { body: sdp(2) });
      await calling;
      await callee.request('ACK');
      const closed = next(app, 'close');
      app.disconnect();
      await closed;
      call.send('INFO');
      await caller.response(481, 'INFO');
      for (const end of [caller, callee]) {
        const bye = await end.request('BYE');
        assert.equal(bye.headers.get('Reason'), reason);
        answer(end, bye, 200);
      }
    }));

  test('RFC 3261 §13.2.2.4: a 200 that it did not acknowledge any more gets its ACK', () =>
    bench.run(none, async ({ peer }) => {
      const app = await connectApp(bench.edge, none);
      const callee = await peer.udp();
      const calling = app.createUAC(`sip:b@127.0.0.1:${callee.address.port}`, { noAck: true });
      const invite = await callee.request('INVITE');
      answer(callee, invite, 200, { body: sdp(2) });
      await calling;
      app.disconnect();
      assert.equal((await callee.request('ACK')).cseq.number, invite.cseq.number);
      answer(callee, await callee.request('BYE'), 200);
    }));

  test('a call that it hung up itself gets no second BYE', () =>
    bench.run(none, async ({ peer }) => {
      const app = await connectApp(bench.edge, answering);
      const [ended, orphaned] = await Promise.all([peer.udp(), peer.udp()]);
      const dialogs: AppDialog[] = [];
      for (const caller of [ended, orphaned]) {
        const answered = next(app, 'answered');
        await new RawCall(caller).establish();
        const [dialog] = (await answered) as [AppDialog];
        const acknowledged = next(dialog, 'ack');
        dialogs.push(dialog);
        await acknowledged;
      }
      // Its answer comes after the application has gone.
      dialogs[0]?.destroy().catch(none);
      const own = await ended.request('BYE');
      app.disconnect();
      const bye = await orphaned.request('BYE');
      assert.equal(bye.headers.get('Reason'), reason);
      const others = ended.unread.filter((message) => message.kind === 'request' && message.method === 'BYE');
      assert.ok(others.every((message) => message.headers.get('Via') === own.headers.get('Via')));
      answer(ended, own, 200);
      answer(orphaned, bye, 200);
    }));
});

describe('an edge that stops', () => {
  test('within the grace: at once', async () => {
    const edge = await sipEdge({ orphanGraceMs: 60_000 }).start();
    const app = await connectApp(edge, none);
    const closed = next(app, 'close');
    app.disconnect();
    await closed;
    const before = performance.now();
    await edge.stop();
    assert.ok(performance.now() - before < 2_000);
  });
});
