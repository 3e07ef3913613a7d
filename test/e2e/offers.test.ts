// What telephony people try first with offers and answers, on real parts: no offer in the INVITE, a fax, SRTP on either leg, codecs of a trunk, media that dies, in recorded calls.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listedSeller } from '@sidestream/cli';
import { eventually } from '@sidestream/peers';
import { comparePackets, type PartyCall } from '@sidestream/simulators';
import { Stage, type StageCall, type StageOptions } from './stage.js';

/** Both talk, the customer hangs up, and each party's voice has reached the recorder from its own answer on. */
async function finish(stage: Stage, call: StageCall): Promise<void> {
  const { laboratory } = stage;
  await eventually(() => laboratory.bodies('recordingStarted').length === 1, 'the recording has started');
  await stage.talk(call, 40);
  const hungUpAt = Date.now();
  await call.customer.hangUp();
  await call.seller.ended;
  const [session] = laboratory.recorder.sessions;
  await session?.ended;
  assert.deepEqual(session?.findings, []);
  for (const stream of session.streams) {
    const party = stream.label === 'inbound' ? call.customer : call.seller;
    const { lost, changed, unknown } = comparePackets(party.sent, stream.packets, {
      from: stream.packets[0]?.receivedAt ?? 0,
      until: hungUpAt,
    });
    assert.deepEqual({ lost, changed, unknown }, { lost: 0, changed: 0, unknown: 0 }, stream.label);
  }
  await stage.nothingIsLeft();
}

async function lateCall(stage: Stage): Promise<StageCall> {
  const arriving = new Promise<PartyCall>((resolve) => stage.seller.once('call', resolve));
  const options = { answerTimeoutMs: 10_000, lateOffer: true };
  const customer = await stage.customer.call(stage.uri(listedSeller.number), options);
  await customer.answered;
  return { customer, seller: await arriving };
}

for (const recording of [{}, { start: 'ringing' }, { mode: 'required' }]) {
  test(`RFC 3264 §4: a call without an offer in its INVITE is recorded, with ${JSON.stringify(recording)}`, async (t) => {
    const stage = await Stage.start(t, {
      configure: ({ tenants }) => void Object.assign(tenants['contoso']?.recording ?? {}, recording),
    });
    if (!stage) return;
    const call = await lateCall(stage);
    assert.equal(call.seller.invite?.body.length, 0);
    await finish(stage, call);
  });
}

test('a re-INVITE for a fax hears 488 and why, and the call goes on', async (t) => {
  const stage = await Stage.start(t);
  if (!stage) return;
  const call = await stage.inbound();
  await stage.talk(call, 20);
  const { dialog } = call.seller;
  assert.ok(dialog);
  const head = ['v=0', 'o=- 1 9 IN IP4 127.0.0.3', 's=-', 'c=IN IP4 127.0.0.3', 't=0 0'];
  const fax = [...head, 'm=image 40000 udptl t38', 'a=T38FaxVersion:0', ''].join('\r\n');
  const refused = await dialog.reinvite({ body: fax, contentType: 'application/sdp', timeoutMs: 10_000 });
  assert.equal(refused.status, 488);
  assert.match(refused.headers.get('Warning') ?? '', /m=image udptl is not relayed/);
  await stage.talk(call, 20);
  await finish(stage, call);
});

/** Keys of the trunks of the laboratory. */
function trunkKeys(trunks: Record<string, object>): NonNullable<StageOptions['configure']> {
  return (config) => {
    for (const [name, keys] of Object.entries(trunks)) {
      const trunk = config.trunks[name];
      assert.ok(trunk, `a trunk ${name}`);
      Object.assign(trunk, keys);
    }
  };
}

/** Every key in what a party sent or got. */
function keysIn(trace: readonly string[]): string[] {
  return trace.flatMap((text) => [...text.matchAll(/inline:([A-Za-z0-9+/]{40})/g)].map(([, key]) => key ?? ''));
}

for (const secure of ['customer', 'seller', 'both'] as const) {
  for (const start of ['answer', 'ringing']) {
    test(`RFC 4568: SRTP on the leg of ${secure}, recording from ${start} on: all hear all, the recorder holds no trunk's key`, async (t) => {
      const trace: string[] = [];
      const onMessage = ({ message }: { message: { body: Buffer } }) =>
        void trace.push(message.body.toString('latin1'));
      const has = (party: string) => secure === party || secure === 'both';
      const stage = await Stage.start(t, {
        customer: { srtp: has('customer'), onMessage },
        seller: { srtp: has('seller'), onMessage },
        configure: (config) => {
          Object.assign(config.tenants['contoso']?.recording ?? {}, { start });
          trunkKeys({ pbx: { srtp: has('seller') ? 'require' : 'off' } })(config);
        },
      });
      if (!stage) return;
      const call = await stage.inbound();
      await finish(stage, call);
      const keys = keysIn(trace);
      assert.ok(keys.length > 0);
      const streams = stage.laboratory.recorder.sessions.flatMap((session) => session.streams);
      assert.equal(streams.length, 2);
      for (const stream of streams)
        for (const key of keys) assert.ok(!stream.hasOfferedKey(Buffer.from(key, 'base64')));
    });
  }
}

test('RFC 4568 §7.1.4: SRTP on both legs goes on through hold and resume of either party', async (t) => {
  const stage = await Stage.start(t, {
    customer: { srtp: true },
    seller: { srtp: true },
    configure: trunkKeys({ pbx: { srtp: 'require' } }),
  });
  if (!stage) return;
  const call = await stage.inbound();
  await stage.talk(call, 20);
  for (const holder of [call.customer, call.seller]) {
    await holder.hold();
    await holder.resume();
    await stage.talk(call, 20);
  }
  await finish(stage, call);
});

test('a recorded call whose parties are not heard any more ends on both sides; one that is held does not', async (t) => {
  const stage = await Stage.start(t, {
    configure: ({ mediaRelay }) => void Object.assign(mediaRelay, { mediaTimeout: '2s' }),
  });
  if (!stage) return;
  const { laboratory } = stage;
  const call = await stage.inbound();
  await eventually(() => laboratory.bodies('recordingStarted').length === 1, 'the recording has started');
  await stage.talk(call, 20);
  await call.customer.hold('inactive');
  const heldAt = Date.now();
  await eventually(() => Date.now() - heldAt > 5_000, 'it is held for more than twice the time-out');
  assert.equal(laboratory.bodies('callEnded').length, 0);
  await call.customer.resume();
  await stage.talk(call, 20);
  for (const party of [call.customer, call.seller]) party.fallSilent();
  const ends = await Promise.all([call.customer.ended, call.seller.ended]);
  assert.deepEqual(
    ends.map(({ by }) => by),
    ['remote', 'remote'],
  );
  await eventually(() => laboratory.bodies('callEnded').length === 1, 'the call has ended');
  assert.equal(laboratory.bodies('callEnded')[0]?.termination?.reason, 'media-timeout');
  await stage.nothingIsLeft();
});

test("a trunk's codecs: what the other side has not is translated, and the recorder hears G.711", async (t) => {
  const stage = await Stage.start(t, {
    customer: { codec: 'PCMU', onlyCodec: true },
    seller: { codec: 'PCMA', onlyCodec: true },
    configure: trunkKeys({ pbx: { codecs: ['PCMA', 'telephone-event'] } }),
  });
  if (!stage) return;
  const call = await stage.inbound();
  await eventually(() => stage.laboratory.bodies('recordingStarted').length === 1, 'the recording has started');
  await stage.talk(call, 40);
  assert.deepEqual([...new Set(call.seller.received.map(({ payloadType }) => payloadType))], [8]);
  assert.deepEqual([...new Set(call.customer.received.map(({ payloadType }) => payloadType))], [0]);
  await call.customer.hangUp();
  await call.seller.ended;
  await stage.nothingIsLeft();
});
