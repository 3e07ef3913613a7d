// An upgrade at noon: of two signalling and two relay instances one of each is told to stop, with calls on all of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { customerHost, type Deployment, listedSeller } from '@sidestream/cli';
import { eventually } from '@sidestream/peers';
import { SipRequest, Transports, UserAgent } from '@sidestream/sip';
import { lossesOf, RecordedCall } from '../chaos/recorded-call.js';
import { Stage } from '../e2e/stage.js';
import { gauge, startSecondCell, uriAt } from './second-cell.js';

const callsEach = 10;
/** Longer than the test: no call is ended by it. */
const drainSeconds = 300;
/** What a packet may be under way. */
const underWayMs = 500;
const endsMs = 30_000;

const sessionsOf = (deployment: Deployment) => gauge(deployment, 'media-relay', 'sidestream_media_sessions');

/** What an OPTIONS of the carrier hears at a deployment's edge. */
async function options(deployment: Deployment): Promise<number> {
  const transports = new Transports();
  try {
    await transports.listen({ protocol: 'udp', host: customerHost, port: 0 });
    const agent = new UserAgent({ transports });
    const uri = uriAt(deployment, 'ping');
    const port = Number(uri.slice(uri.lastIndexOf(':') + 1));
    const target = { protocol: 'udp', host: '127.0.0.1', port } as const;
    const { status } = await agent.request({ method: 'OPTIONS', uri, from: `<sip:${customerHost}>`, target });
    await agent.close();
    return status;
  } finally {
    await transports.close();
  }
}

test('SIGTERM to one signalling and one relay with 20 recorded calls: none drops, no packet is lost, both exit 0', async (t) => {
  const stage = await Stage.start(t, {
    configure: (config) => {
      config.signalling.drainSeconds = drainSeconds;
      config.log = { level: 'warn' };
    },
  });
  if (!stage) return;
  const first = stage.laboratory.deployment;
  const second = await startSecondCell(t, stage);
  const place = (deployment: Deployment, count: number) =>
    RecordedCall.placeMany(stage, count, uriAt(deployment, listedSeller.number));
  const calls = [...(await place(first, callsEach)), ...(await place(second, callsEach))];
  const before = [await sessionsOf(first), await sessionsOf(second)] as const;
  t.diagnostic(`sessions at the relays: ${before.join(' and ')}`);
  assert.equal(before[0] + before[1], 2 * callsEach);
  assert.ok(Math.min(...before) > 0, 'both relays carry calls');

  const from = Date.now();
  const signalling = first.services.get('signalling');
  const relay = second.services.get('media-relay');
  assert.ok(signalling && relay);
  signalling.kill('SIGTERM');
  relay.kill('SIGTERM');
  await eventually(async () => (await options(first)) === 503, 'the first edge answers OPTIONS with 503', endsMs);
  assert.equal(await options(second), 200);
  const refused = await stage.customer.call(uriAt(first, listedSeller.number), { answerTimeoutMs: 10_000 });
  await assert.rejects(refused.answered);
  assert.equal((await refused.ended).status, 503);
  const ready = await fetch(`${first.status.addresses['signalling.management']}/readyz`, {
    signal: AbortSignal.timeout(endsMs),
  });
  assert.equal(ready.status, 503, 'not ready while it drains');

  // The drain of the relay is known by its lease, which is read every second.
  await eventually(
    async () => {
      const call = await stage.inbound(listedSeller.number, uriAt(second, listedSeller.number));
      const there = await sessionsOf(first);
      await call.customer.hangUp();
      return there === before[0] + 1;
    },
    'a new call goes to the relay that stays',
    endsMs,
  );
  const [one] = calls;
  assert.ok(one);
  await stage.talk(one.call, 100);
  const losses = lossesOf(calls, { from, until: Date.now() - underWayMs });
  t.diagnostic(`while they drained: ${JSON.stringify(losses)}`);
  assert.ok(losses.sent > 1_000);
  assert.deepEqual([losses.atParties, losses.atRecorder], [0, 0]);
  assert.deepEqual(
    calls.filter((call) => call.over),
    [],
    'no call drops',
  );

  await Promise.all(calls.map(({ call }) => call.customer.hangUp()));
  assert.equal(await signalling.exited, 'exit code 0');
  assert.equal(await relay.exited, 'exit code 0');
  const { laboratory } = stage;
  await eventually(() => laboratory.recorder.active === 0, 'every recording has ended', endsMs);
  const ended = () => laboratory.bodies('recordingEnded').slice(0, 2 * callsEach);
  await eventually(() => ended().length === 2 * callsEach, 'every end is told', endsMs);
  assert.deepEqual(
    laboratory.recorder.sessions.flatMap(({ findings }) => findings),
    [],
  );
});

test('a drain that runs into its deadline ends calls with a reason, and recordings whole', async (t) => {
  const byes: string[] = [];
  const stage = await Stage.start(t, {
    customer: {
      onMessage: ({ message }) => {
        if (message instanceof SipRequest && message.method === 'BYE') byes.push(message.headers.get('Reason') ?? '');
      },
    },
    configure: (config) => {
      config.signalling.drainSeconds = 1;
    },
  });
  if (!stage) return;
  const [call] = await RecordedCall.placeMany(stage, 1);
  assert.ok(call);
  const signalling = stage.laboratory.deployment.services.get('signalling');
  signalling?.kill('SIGTERM');
  assert.equal(await signalling?.exited, 'exit code 0');
  await eventually(() => call.over && stage.laboratory.recorder.active === 0, 'call and recording are over', endsMs);
  assert.deepEqual(byes, ['SIP;cause=503;text="drained"']);
  const { laboratory } = stage;
  await eventually(
    () => laboratory.bodies('callEnded').length === 1 && laboratory.bodies('recordingEnded').length === 1,
    'the ends are told',
    endsMs,
  );
  assert.equal(laboratory.bodies('callEnded')[0]?.termination?.reason, 'drained');
  const [session] = laboratory.recorder.sessions;
  assert.deepEqual(session?.findings, []);
});
