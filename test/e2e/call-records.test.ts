// Records of calls that are over, on a whole laboratory: what is kept of a call whose recording went well, and of three whose did not.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { listedSeller, unlistedSeller } from '@sidestream/cli';
import { eventually } from '@sidestream/peers';
import {
  type Behaviour,
  type LiveSession,
  refuseOneStream,
  rejectWith,
  wellBehaved,
} from '@sidestream/simulators';
import { runCli } from './run-cli.js';
import { customerNumber, Stage, type StageCall } from './stage.js';

const timeoutMs = 30_000;

async function run(stage: Stage, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runCli([...args, '--config', stage.laboratory.configFile], { timeoutMs });
  assert.equal(code, 0, stderr);
  return stdout;
}

/** The record of the laboratory's call, once it has been published. */
async function recordOf(stage: Stage, nth = 0) {
  const { laboratory } = stage;
  const { callId = '' } = laboratory.bodies('callStarted')[nth] ?? {};
  await eventually(
    async () => (await laboratory.metric('signalling', 'sidestream_call_records_published_total')) === nth + 1,
    'the record is published',
  );
  return { callId, record: JSON.parse(await run(stage, 'calls', 'show', callId, '--json')) };
}

test('a recorded call is kept with its legs, its recorder and its ends; one that nobody wanted recorded says why', async (t) => {
  const stage = await Stage.start(t, { recorder: { behaviour: wellBehaved } });
  if (!stage) return;
  const { laboratory } = stage;
  const call = await stage.inbound();
  await eventually(() => laboratory.bodies('recordingStarted').length === 1, 'the recording has started');
  // The relay looks every 3 s and compares two looks.
  await stage.talk(call, 500);
  await call.customer.hangUp();
  await stage.nothingIsLeft();
  const { callId, record } = await recordOf(stage);
  assert.deepEqual([record.version, record.callId, record.tenant, record.instance], [1, callId, 'contoso', 's1']);
  assert.deepEqual([record.termination.reason, record.verdict], ['hangup', 'VERDICT_COMPLETE']);
  assert.deepEqual(
    record.legs.map(({ sipStatus = 0 }) => sipStatus),
    [0, 200],
  );
  const ids = record.legs.map(({ sipCallId }: { sipCallId: string }) => sipCallId);
  assert.deepEqual(ids, [call.customer.dialog?.state.callId, call.seller.dialog?.state.callId]);
  assert.equal(record.seller, listedSeller.id);
  const [{ attempts, recorderCallId, termination }] = record.recordings;
  assert.equal(recorderCallId, laboratory.recorder.sessions[0]?.callId);
  assert.equal(termination.reason, 'call-ended');
  // The relay counts at its borders to a few packets; what the recorder has decrypted is the measure.
  const heard = laboratory.recorder.sessions[0]?.streams.map(({ statistics }) => statistics.received) ?? [];
  for (const [index, party] of ['customer', 'seller'].entries()) {
    const packetsOf = (counts: { party: string; packets: string }[]) =>
      Number(counts.find((one) => one.party === party)?.packets);
    const copied = packetsOf(record.recordings[0].copied);
    assert.ok(Math.abs(copied - (heard[index] ?? 0)) <= 5, `${party}: ${copied} copied, ${heard[index]} heard`);
    assert.ok(packetsOf(record.received) >= copied && copied > 450, `${party}: ${packetsOf(record.received)} received`);
  }
  assert.match(await run(stage, 'calls', 'show', callId), /^ {4}copied {3}customer \d+, seller \d+ packets$/m);
  const times = [attempts[0].invitedAt, attempts[0].acceptedAt, attempts[0].mediaConfirmedAt, record.endedAt];
  assert.deepEqual([...times].sort(), times);

  const other = await stage.inbound(unlistedSeller.number);
  await other.customer.hangUp();
  await stage.nothingIsLeft();
  const { callId: second } = await recordOf(stage, 1);
  assert.match(await run(stage, 'calls', 'show', second), /not recorded: the policy does not name the seller/);
  const listed = JSON.parse(await run(stage, 'calls', 'list', '--ended', '--json'));
  assert.deepEqual(
    listed.calls.map((one: { callId: string }) => one.callId),
    [second, callId],
  );
  const [head, first, ...rest] = (await run(stage, 'calls', 'export', '--format', 'csv')).trim().split('\n');
  assert.match(head ?? '', /^callId,tenant,/);
  assert.ok(first?.startsWith(callId) && first.includes(customerNumber));
  assert.equal(rest.length, 1);
  assert.equal(await run(stage, 'calls', 'export', '--until', '1h'), '');
});

/** One command of the ng protocol. */
async function tellEngine(hostPort: string, command: Readonly<Record<string, string>>): Promise<void> {
  const [host, port] = hostPort.split(':');
  const socket = createSocket('udp4');
  const string = (text: string) => `${Buffer.byteLength(text)}:${text}`;
  const dictionary = Object.entries(command).map(([key, value]) => string(key) + string(value));
  try {
    socket.send(`1 d${dictionary.join('')}e`, Number(port), host);
    const [answer] = await once(socket, 'message', { signal: AbortSignal.timeout(timeoutMs) });
    assert.match(String(answer), /6:result2:ok/);
  } finally {
    socket.close();
  }
}

test('three faults are told: refused by all, media that goes nowhere, lost in mid-call with no other', async (t) => {
  let refuses = true;
  let ng = '';
  let live: LiveSession | undefined;
  const refusal = rejectWith(503);
  const behaviour: Behaviour = {
    beforeAnswer: async (invite) => (refuses ? refusal.beforeAnswer?.(invite) : undefined),
    answered: (session) => {
      live = session;
    },
  };
  const stage = await Stage.start(t, {
    recorder: { behaviour },
    configure: (config) => {
      ng = config.mediaRelay.rtpengine.ng;
    },
  });
  if (!stage) return;
  const { laboratory } = stage;

  const refused = await stage.inbound();
  await eventually(() => laboratory.bodies('recordingDelayed').length === 1, 'nobody has taken it');
  const missing = (count: number, reason: string) =>
    eventually(
      () =>
        laboratory.bodies('recordingMissing').length === count &&
        laboratory.bodies('recordingMissing').at(-1)?.reason === reason,
      `${reason} is told`,
      60_000,
    );
  await missing(1, 'recorder-refused');
  const [live1] = JSON.parse(await run(stage, 'calls', 'list', '--json')).calls;
  const told = laboratory.bodies('recordingMissing')[0];
  assert.deepEqual(live1.missing, { reason: 'recorder-refused', since: told?.since?.toISOString() });
  assert.match(await run(stage, 'calls', 'list'), /missing: recorder-refused/);
  assert.match(await run(stage, 'calls', 'show', live1.callId), /^ {2}missing {4}recorder-refused, since 2/m);
  await refused.customer.hangUp();
  await stage.nothingIsLeft();
  const first = await recordOf(stage);
  assert.equal(first.record.verdict, 'VERDICT_MISSING');

  refuses = false;
  const lost = await stage.inbound();
  await eventually(() => laboratory.bodies('recordingStarted').length === 1, 'the recording has started', 60_000);
  await stage.talk(lost, 50);
  refuses = true;
  await live?.bye();
  await missing(2, 'recorder-hangup');
  await lost.customer.hangUp();
  await stage.nothingIsLeft();
  const second = await recordOf(stage, 1);
  assert.equal(second.record.verdict, 'VERDICT_PARTIAL');
  assert.equal(second.record.recordings[0].gaps[0].reason, 'recorder-hangup');

  refuses = false;
  const nowhere = await stage.inbound();
  await eventually(() => laboratory.bodies('recordingStarted').length === 2, 'the recorder has taken it', 60_000);
  const { callId, recordingId } = laboratory.bodies('recordingStarted')[1] ?? {};
  // Behind the relay's back the engine feeds the fork no more.
  await tellEngine(ng, {
    command: 'unsubscribe',
    'call-id': `sidestream/r1/${callId}`,
    'to-tag': `fork/${recordingId}.0`,
  });
  // The only recorder is asked again, and takes it again.
  await eventually(() => laboratory.bodies('recordingRecovered').length === 1, 'it was given up', 60_000);
  await missing(3, 'media-stalled');
  await eventually(() => laboratory.bodies('recordingFound').length === 1, 'media is seen to leave again', 60_000);
  assert.equal(JSON.parse(await run(stage, 'calls', 'list', '--json')).calls[0].missing, undefined);
  for (const { body, time } of laboratory.events)
    if (body?.$case === 'recordingMissing')
      t.diagnostic(`${body.value.reason}: told ${Number(time) - Number(body.value.since)} ms after it was missing`);
  await nowhere.customer.hangUp();
  await stage.nothingIsLeft();
  const third = await recordOf(stage, 2);
  assert.equal(third.record.verdict, 'VERDICT_PARTIAL');
  assert.match(third.record.recordings[0].attempts[0].failure.detail, /media does not leave/);

  const report = JSON.parse(await run(stage, 'calls', 'report', '--json'));
  const [figures] = report.tenants;
  assert.deepEqual(
    [figures.tenant, figures.expected, figures.started, figures.missing, figures.partial],
    ['contoso', 3, 2, 1, 2],
  );
  const whys: readonly string[] = figures.faults.map(({ why }: { why: string }) => why);
  assert.match(whys[0] ?? '', /not recorded, although it should have been: .*503/);
  assert.match(whys[1] ?? '', /s are missing; it ended by recorder-hangup/);
  assert.match(whys[2] ?? '', /s are missing/);
});

test('short calls are judged voice by voice: both copied, one refused by the recorder, the only one refused, nobody spoke', async (t) => {
  let refuses = false;
  let silenced = Promise.resolve();
  const stage = await Stage.start(t, {
    recorder: {
      behaviour: {
        beforeAnswer: async () => void (await silenced),
        // The customer's voice is always the first line.
        changeStreams: (...answer) =>
          (refuses ? refuseOneStream(2).changeStreams?.(...answer) : undefined) ?? answer[0],
      },
    },
  });
  if (!stage) return;
  const { laboratory } = stage;
  /** Too short for the relay to see media leave: it looks every 3 s and compares two looks. @param silent who says nothing */
  const shortCall = async (nth: number, refused: boolean, silent: readonly (keyof StageCall)[] = []) => {
    let open = () => {};
    silenced = new Promise((resolve) => {
      open = resolve;
    });
    refuses = refused;
    const call = await stage.inbound();
    for (const party of silent) call[party].fallSilent();
    open();
    const started = () => laboratory.bodies('recordingStarted').length === nth + 1;
    await eventually(started, 'the recording has started', 60_000);
    const heard = call.customer.statistics.received + 60;
    if (silent.length < 2) await eventually(() => call.customer.statistics.received >= heard, 'the seller is heard');
    await call.customer.hangUp();
    await stage.nothingIsLeft();
    const { callId, record } = await recordOf(stage, nth);
    const [{ attempts, copied, due }] = record.recordings;
    assert.equal(attempts[0].mediaConfirmedAt, undefined, 'the call was short enough');
    const packetsOf = (counts: { party: string; packets?: string }[]) =>
      counts.map(({ party, packets = '0' }) => `${party} ${packets}`).join(', ');
    t.diagnostic(`${record.verdict}: ${packetsOf(copied)} copied of ${packetsOf(due)}`);
    return { verdict: record.verdict, shown: await run(stage, 'calls', 'show', callId) };
  };

  assert.equal((await shortCall(0, false)).verdict, 'VERDICT_COMPLETE');

  const half = await shortCall(1, true);
  assert.equal(half.verdict, 'VERDICT_PARTIAL');
  const nothing = "nothing of the seller's voice was copied \\(0 of \\d+ packets\\)";
  assert.match(half.shown, new RegExp(`verdict .*recorded in part at .*: ${nothing}`));
  assert.match(half.shown, /^ {4}copied {3}customer \d+, seller 0 of \d+ packets$/m);

  const none = await shortCall(2, true, ['customer']);
  assert.equal(none.verdict, 'VERDICT_MISSING');
  assert.match(none.shown, new RegExp(`verdict .*not recorded, although it should have been: ${nothing}`));

  const mute = await shortCall(3, false, ['customer', 'seller']);
  assert.equal(mute.verdict, 'VERDICT_UNCONFIRMED');
  assert.match(mute.shown, /as far as is known: nobody spoke/);

  const stages = ['expected', 'started', 'media_confirmed', 'complete'].map((of) =>
    laboratory.metric('signalling', 'sidestream_calls_to_record_total', `stage="${of}"`),
  );
  assert.deepEqual(await Promise.all(stages), [4, 4, 2, 1]);
});
