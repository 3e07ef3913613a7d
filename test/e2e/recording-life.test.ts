// A recording that is paused, that waits, and that goes on: what reaches the recorder, packet by packet.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { type Behaviour, type LiveSession, type RecorderSession, wellBehaved } from '@sidestream/simulators';
import { runCli } from './run-cli.js';
import { Stage, type StageCall } from './stage.js';

/** What the issue of a recorder that does not want media allows, and what is under way on a busy machine. */
const stopMs = 100;

const datagrams = ({ streams }: RecorderSession) => streams.reduce((sum, one) => sum + one.statistics.datagrams, 0);

/** Both voices are recorded again. */
async function isRecorded(stage: Stage, call: StageCall, session: RecorderSession): Promise<void> {
  const from = session.streams.map(({ statistics }) => statistics.received);
  await stage.talk(call, 25);
  await eventually(
    () => session.streams.every(({ statistics }, index) => statistics.received > (from[index] ?? 0) + 20),
    'both voices are recorded',
  );
}

async function ends(stage: Stage, call: StageCall, session: RecorderSession): Promise<void> {
  await call.customer.hangUp();
  await stage.nothingIsLeft();
  await session.ended;
  assert.deepEqual(session.findings, []);
  for (const { label, statistics } of session.streams) {
    const { authFailures, inClear } = statistics;
    assert.deepEqual({ authFailures, inClear }, { authFailures: 0, inClear: 0 }, label);
  }
  assert.equal(stage.laboratory.recorder.sessions.length, 1);
  assert.equal(stage.laboratory.bodies('recordingEnded')[0]?.termination?.reason, 'call-ended');
}

test('paused: not one packet reaches the recorder, resumed: the same streams go on', async (t) => {
  const stage = await Stage.start(t, { recorder: { behaviour: wellBehaved } });
  if (!stage) return;
  const { laboratory } = stage;
  const call = await stage.inbound();
  await eventually(() => laboratory.bodies('recordingStarted').length === 1, 'the recording has started');
  const [session] = laboratory.recorder.sessions;
  assert.ok(session);
  await isRecorded(stage, call, session);
  const labels = session.streams.map(({ label }) => label);
  const id = laboratory.bodies('callStarted')[0]?.callId ?? '';
  const calls = async (action: string) => {
    const args = ['calls', action, id, '--json', '--config', laboratory.configFile];
    const { code, stdout, stderr } = await runCli(args, { timeoutMs: 30_000 });
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout).recordings[0].phase;
  };

  for (let round = 0; round < 2; round++) {
    assert.equal(await calls('pause'), 'paused');
    const before = datagrams(session);
    await stage.talk(call, 50);
    assert.equal(datagrams(session), before);
    assert.equal(await calls('resume'), 'active');
    await isRecorded(stage, call, session);
  }
  assert.deepEqual(
    session.streams.map(({ label }) => label),
    labels,
  );
  assert.equal(laboratory.bodies('recordingPaused')[0]?.reason, 'operator');
  assert.equal(laboratory.bodies('recordingResumed').length, 2);
  assert.equal(laboratory.bodies('recordingEnded').length, 0);
  await ends(stage, call, session);
});

test(`RFC 7866 §7.2: a recorder that wants no media in mid-call gets none after ${stopMs} ms, until it does`, async (t) => {
  let live: LiveSession | undefined;
  const behaviour: Behaviour = {
    answered: (session) => {
      live = session;
    },
  };
  const stage = await Stage.start(t, { recorder: { behaviour } });
  if (!stage) return;
  const { laboratory } = stage;
  const call = await stage.inbound();
  await eventually(() => laboratory.bodies('recordingStarted').length === 1, 'the recording has started');
  const [session] = laboratory.recorder.sessions;
  assert.ok(session && live);
  await isRecorded(stage, call, session);
  await live.reinvite({ direction: 'inactive', glareRetries: 5 });
  const answeredAt = Date.now();
  await stage.talk(call, 50);
  for (const { label, statistics } of session.streams)
    assert.ok((statistics.lastPacketAt ?? 0) <= answeredAt + stopMs, `${label}: a packet after the answer`);
  const before = datagrams(session);
  await stage.talk(call, 25);
  assert.equal(datagrams(session), before);
  await live.reinvite({ direction: 'recvonly', glareRetries: 5 });
  await isRecorded(stage, call, session);
  assert.equal(laboratory.bodies('recordingPaused')[0]?.reason, 'recorder-inactive');
  assert.equal(laboratory.bodies('recordingResumed').length, 1);
  await ends(stage, call, session);
});

test('RFC 7865 §6.6: a hold and its end are told to the recorder in the metadata, while the recording goes on', async (t) => {
  const stage = await Stage.start(t);
  if (!stage) return;
  const { laboratory } = stage;
  const call = await stage.inbound();
  await eventually(() => laboratory.bodies('recordingStarted').length === 1, 'the recording has started');
  const [session] = laboratory.recorder.sessions;
  assert.ok(session);
  const flows = () => {
    const xml = session.metadata.at(-1)?.xml ?? '';
    return [...xml.matchAll(/<(send|recv)>/g)].map(([, name]) => name).join(' ');
  };
  assert.equal(flows(), 'send recv send recv');
  await call.customer.hold();
  await eventually(() => flows() !== 'send recv send recv', 'the hold is told');
  assert.equal(session.metadata.at(-1)?.method, 're-INVITE');
  await call.customer.resume();
  await eventually(() => flows() === 'send recv send recv', 'its end is told');
  await isRecorded(stage, call, session);
  await ends(stage, call, session);
});
