// RFC 7866 §6.2: user agents that are record-aware are told whether they are recorded, in SDP, whenever it changes; the others are left
// alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { comparePackets, type TracedMessage } from '@sidestream/simulators';
import { runCli } from './run-cli.js';
import { Stage } from './stage.js';

/** Collects what a party is told in SDP, repeats left out, and how often it is re-INVITEd. */
function ear() {
  const heard = { indications: [] as string[], versions: [] as bigint[], reinvites: 0 };
  const onMessage = ({ direction, message }: TracedMessage) => {
    if (direction !== 'received') return;
    if (message.kind === 'request' && message.method === 'INVITE' && /;\s*tag=/.test(message.headers.get('To') ?? ''))
      heard.reinvites += 1;
    const sdp = message.body.toString();
    if (!sdp.includes('m=audio')) return;
    const told = /^a=record:(\w+)/m.exec(sdp)?.[1] ?? 'nothing';
    if (heard.indications.at(-1) === told) return;
    heard.indications.push(told);
    heard.versions.push(BigInt(/^o=\S+ \S+ (\d+)/m.exec(sdp)?.[1] ?? 0));
  };
  return { heard, onMessage };
}

for (const aware of ['customer', 'seller'] as const) {
  test(`the ${aware} is record-aware: told of start, pause, resume and end of the recording; the other one hears nothing of it`, async (t) => {
    const [customer, seller] = [ear(), ear()];
    const stage = await Stage.start(t, {
      customer: { recordAware: aware === 'customer', onMessage: customer.onMessage },
      seller: { recordAware: aware === 'seller', onMessage: seller.onMessage },
    });
    if (!stage) return;
    const { laboratory } = stage;
    const call = await stage.inbound();
    const [told, other] = aware === 'customer' ? [customer.heard, seller.heard] : [seller.heard, customer.heard];
    await eventually(() => told.indications.at(-1) === 'on', 'it is told that it is recorded');
    await stage.talk(call, 25);
    const id = laboratory.bodies('callStarted')[0]?.callId ?? '';
    const act = async (action: string) => {
      const { code, stderr } = await runCli(['calls', action, id, '--config', laboratory.configFile], {
        timeoutMs: 30_000,
      });
      assert.equal(code, 0, stderr);
    };
    await act('pause');
    await eventually(() => told.indications.at(-1) === 'paused', 'it is told that the recording is paused');
    await act('resume');
    await eventually(() => told.indications.at(-1) === 'on', 'it is told that the recording goes on');
    await act('stop-recording');
    await eventually(() => told.indications.at(-1) === 'off', 'it is told that it is not recorded any more');
    await stage.talk(call, 25);
    // Who calls hears of it in the answer; who is called is known to be aware only then.
    assert.deepEqual(told.indications, [aware === 'customer' ? 'off' : 'nothing', 'on', 'paused', 'on', 'off']);
    assert.ok(told.versions.every((version, index) => index === 0 || version > (told.versions[index - 1] ?? 0n)));
    assert.deepEqual([other.indications, other.reinvites], [['nothing'], 0]);

    const until = Date.now();
    await call.customer.hangUp();
    await call.seller.ended;
    for (const [from, to] of [
      [call.customer, call.seller],
      [call.seller, call.customer],
    ] as const) {
      const { lost, changed } = comparePackets(from.sent, to.received, { until });
      assert.deepEqual([lost, changed], [0, 0], 'not a packet is lost by it');
    }
    await stage.nothingIsLeft();
  });
}

test('what the operator has paused no telephone lifts: media flows once neither of them wants the pause', async (t) => {
  const customer = ear();
  const stage = await Stage.start(t, {
    customer: { recordAware: true, onMessage: customer.onMessage },
    configure: (config) => {
      for (const { recording } of Object.values(config.tenants)) recording.recordPreference = 'honour';
    },
  });
  if (!stage) return;
  const { laboratory } = stage;
  const call = await stage.inbound();
  await eventually(() => customer.heard.indications.at(-1) === 'on', 'it is recorded');
  const id = laboratory.bodies('callStarted')[0]?.callId ?? '';
  const act = async (action: string) => {
    const args = ['calls', action, id, '--json', '--config', laboratory.configFile];
    const { code, stdout, stderr } = await runCli(args, { timeoutMs: 30_000 });
    assert.equal(code, 0, stderr);
    const { phase, pausedBy } = JSON.parse(stdout).recordings[0];
    return [phase, ...pausedBy];
  };
  assert.deepEqual(await act('pause'), ['paused', 'operator']);
  await call.customer.prefer('pause');
  await call.customer.prefer('on');
  const [session] = laboratory.recorder.sessions;
  const datagrams = () => session?.streams.reduce((sum, { statistics }) => sum + statistics.datagrams, 0);
  const before = datagrams();
  await stage.talk(call, 50);
  assert.equal(datagrams(), before, 'not a packet leaves');
  await call.customer.prefer('pause');
  assert.deepEqual(await act('resume'), ['paused', 'party']);
  await stage.talk(call, 25);
  assert.equal(datagrams(), before, 'not a packet leaves');
  await call.customer.prefer('on');
  await eventually(() => (datagrams() ?? 0) > (before ?? 0) + 50, 'both are recorded again');
  await call.customer.hangUp();
  await stage.nothingIsLeft();
});

test('a tenant that honours preferences: off from the start is not recorded; on, pause and on again are obeyed in the call', async (t) => {
  const customer = ear();
  const stage = await Stage.start(t, {
    customer: { recordAware: true, recordPreference: 'off', onMessage: customer.onMessage },
    configure: (config) => {
      for (const { recording } of Object.values(config.tenants)) recording.recordPreference = 'honour';
    },
  });
  if (!stage) return;
  const { laboratory } = stage;
  const call = await stage.inbound();
  await eventually(() => laboratory.bodies('recordingFailed').length === 1, 'the recording is declined');
  assert.equal(laboratory.bodies('recordingFailed')[0]?.termination?.reason, 'declined-by-party');
  await stage.talk(call, 25);
  assert.equal(laboratory.recorder.sessions.length, 0);
  assert.deepEqual(customer.heard.indications, ['off']);

  for (const [preference, told] of [
    ['on', 'on'],
    ['pause', 'paused'],
    ['on', 'on'],
    ['off', 'off'],
  ] as const) {
    await call.customer.prefer(preference);
    await eventually(() => customer.heard.indications.at(-1) === told, `${preference} is obeyed and told`);
    await stage.talk(call, 25);
  }
  const [session, ...more] = laboratory.recorder.sessions;
  assert.equal(more.length, 0);
  await session?.ended;
  assert.deepEqual(session?.findings, []);
  await call.customer.hangUp();
  await stage.nothingIsLeft();
});
