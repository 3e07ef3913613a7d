// What happens in a call that is up: hold, resume and re-INVITE from either leg, while the recording goes on.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { comparePackets } from '@sidestream/simulators';
import { Stage } from './stage.js';

for (const protocol of ['udp', 'tcp'] as const) {
  describe(`in a recorded call over ${protocol}`, () => {
    for (const holder of ['customer', 'seller'] as const) {
      test(`the ${holder} holds and resumes: both hear each other again, the recorder keeps one session`, async (t) => {
        const stage = await Stage.start(t, { protocol });
        if (!stage) return;
        const { laboratory } = stage;
        const call = await stage.inbound();
        await eventually(() => laboratory.bodies('recordingStarted').length === 1, 'the recording has started');
        await stage.talk(call, 25);
        await call[holder].hold();
        const other = holder === 'customer' ? call.seller : call.customer;
        const heard = other.statistics.received;
        await call[holder].resume();
        await eventually(() => other.statistics.received > heard + 25, 'the held party hears again');
        await stage.talk(call, 50);
        // The fork ends with the call: what is said while the BYE is answered need not reach the recorder.
        const hungUpAt = Date.now();
        await call.customer.hangUp();
        await call.seller.ended;
        await eventually(() => laboratory.bodies('recordingEnded').length === 1, 'the recording has ended');
        assert.equal(laboratory.bodies('recordingEnded')[0]?.termination?.reason, 'call-ended');

        const [session, ...more] = laboratory.recorder.sessions;
        assert.ok(session);
        assert.equal(more.length, 0);
        await session.ended;
        assert.deepEqual(session.findings, []);
        for (const stream of session.streams) {
          const party = stream.label === 'inbound' ? call.customer : call.seller;
          const { lost, changed, unknown } = comparePackets(party.sent, stream.packets, { until: hungUpAt });
          assert.deepEqual({ lost, changed, unknown }, { lost: 0, changed: 0, unknown: 0 }, stream.label);
          assert.equal(stream.statistics.authFailures, 0);
        }
        await stage.nothingIsLeft();
      });
    }

    test('the caller cancels while it rings: nothing is left, the call ended as cancelled', async (t) => {
      const stage = await Stage.start(t, { protocol, seller: { incoming: { neverAnswer: true } } });
      if (!stage) return;
      const { laboratory } = stage;
      const call = await stage.customer.call(stage.uri('+493012345001'));
      await eventually(() => call.moments.ringingAt !== undefined, 'it rings');
      await call.cancel();
      await call.ended;
      await eventually(() => laboratory.bodies('callEnded').length === 1, 'the call has ended');
      assert.equal(laboratory.bodies('callEnded')[0]?.termination?.reason, 'cancelled');
      assert.equal(laboratory.recorder.sessions.length, 0);
      await stage.nothingIsLeft();
    });

    test('the callee is busy: the caller hears 486, nothing is left', async (t) => {
      const stage = await Stage.start(t, { protocol, seller: { incoming: { rejectWith: 486, ringMs: 0 } } });
      if (!stage) return;
      const call = await stage.customer.call(stage.uri('+493012345001'));
      assert.equal((await call.ended).status, 486);
      await eventually(() => stage.laboratory.bodies('callEnded').length === 1, 'the call has ended');
      assert.equal(stage.laboratory.bodies('callEnded')[0]?.termination?.reason, 'busy');
      await stage.nothingIsLeft();
    });
  });
}
