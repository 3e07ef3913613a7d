// The seller is whom the policy names, whichever trunk the call comes from: the voices at the recorder prove who is who.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { customerHost, listedSeller, sellerHost, unlistedSeller } from '@sidestream/cli';
import { eventually } from '@sidestream/peers';
import { Direction } from '@sidestream/proto/events/v1';
import { comparePackets } from '@sidestream/simulators';
import { Stage, type StageCall } from './stage.js';

/** Ends an established call and looks whether the recorder had the customer's voice first. */
async function finish(stage: Stage, call: StageCall, customer: 'customer' | 'seller', role: string): Promise<void> {
  await stage.talk(call, 50);
  await call.customer.hangUp();
  const hungUpAt = Date.now();
  await call.seller.ended;
  const [session, ...more] = stage.laboratory.recorder.sessions;
  assert.ok(session);
  assert.equal(more.length, 0);
  await session.ended;
  assert.deepEqual(session.findings, []);
  assert.match(session.metadata[0]?.xml ?? '', new RegExp(`name="Role" value="${role}"`));
  assert.deepEqual(session.streams.map(({ label }) => label).sort(), ['inbound', 'outbound']);
  for (const stream of session.streams) {
    const speaker = (stream.label === 'inbound') === (customer === 'customer') ? call.customer : call.seller;
    const { lost, changed, unknown } = comparePackets(speaker.sent, stream.packets, { until: hungUpAt });
    assert.deepEqual({ lost, changed, unknown }, { lost: 0, changed: 0, unknown: 0 }, stream.label);
  }
}

test("a listed seller who calls in from the customers' trunk is the seller: outbound, the called one's voice first", async (t) => {
  const stage = await Stage.start(t, { customer: { uri: `sip:${listedSeller.number}@${customerHost}` } });
  if (!stage) return;
  const call = await stage.inbound(unlistedSeller.number);
  await finish(stage, call, 'seller', 'outbound');
  const [started] = stage.laboratory.bodies('callStarted');
  assert.deepEqual(
    [started?.direction, started?.seller, started?.decision?.reason],
    [Direction.OUTBOUND, listedSeller.id, 'listed'],
  );
});

test("a listed seller who is called from the sellers' trunk is the seller: inbound, the caller's voice first", async (t) => {
  const stage = await Stage.start(t, { seller: { uri: `sip:${unlistedSeller.number}@${sellerHost}` } });
  if (!stage) return;
  const arriving = new Promise<StageCall['customer']>((resolve) => stage.customer.once('call', resolve));
  const seller = await stage.seller.call(stage.uri(listedSeller.number), { answerTimeoutMs: 10_000 });
  await seller.answered;
  await finish(stage, { seller, customer: await arriving }, 'seller', 'inbound');
  const [started] = stage.laboratory.bodies('callStarted');
  assert.deepEqual([started?.direction, started?.seller], [Direction.INBOUND, listedSeller.id]);
});

test('nobody is listed: the call goes through and is not recorded', async (t) => {
  const stage = await Stage.start(t);
  if (!stage) return;
  const call = await stage.inbound(unlistedSeller.number);
  await stage.talk(call, 10);
  await call.seller.hangUp();
  await eventually(() => stage.laboratory.bodies('callEnded').length === 1, 'the call has ended');
  const [started] = stage.laboratory.bodies('callStarted');
  assert.deepEqual([started?.direction, started?.decision?.reason], [Direction.INBOUND, 'not-listed']);
  assert.equal(stage.laboratory.recorder.sessions.length, 0);
});
