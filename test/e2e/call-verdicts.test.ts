// Whether each voice of a call was recorded, on a whole laboratory: by its packets, and by what the recorder takes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { refuseOneStream, rejectWith } from '@sidestream/simulators';
import { recordOf, runOn } from './records.js';
import { Stage, type StageCall } from './stage.js';

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
    configure: (config) => {
      config.mediaRelay.forks = { lookEvery: '30s' };
    },
  });
  if (!stage) return;
  const { laboratory } = stage;
  /** Too short for the relay to see media leave: it compares two looks. @param silent who says nothing */
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
    return { verdict: record.verdict, shown: await runOn(stage, 'calls', 'show', callId) };
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

test('a recorder that does not take a voice is told of while the call lives, and the record names the voice', async (t) => {
  const stage = await Stage.start(t, { recorder: { behaviour: refuseOneStream(2) } });
  if (!stage) return;
  const { laboratory } = stage;
  const call = await stage.inbound();
  await eventually(() => laboratory.bodies('recordingMissing').length === 1, 'it is told', 30_000);
  const [live] = JSON.parse(await runOn(stage, 'calls', 'list', '--json')).calls;
  assert.equal(live.missing.reason, 'seller-voice-refused');
  assert.equal(live.recordings[0].phase, 'active');
  const told = laboratory.events.find(({ body }) => body?.$case === 'recordingMissing')?.time;
  const afterMs = Number(told) - Date.parse(live.missing.since);
  t.diagnostic(`told ${afterMs} ms after it was missing`);
  assert.ok(afterMs <= 10_000);
  await call.customer.hangUp();
  await stage.nothingIsLeft();
  const { callId, record } = await recordOf(stage);
  assert.equal(record.verdict, 'VERDICT_PARTIAL');
  assert.match(await runOn(stage, 'calls', 'show', callId), /nothing of the seller's voice was copied/);
});

test('a recorder that takes a call late, as was told while it lived: the record has the gap, and says recorded in part', async (t) => {
  let refuses = true;
  const refusal = rejectWith(503);
  const behaviour = {
    beforeAnswer: async (invite: Parameters<NonNullable<typeof refusal.beforeAnswer>>[0]) =>
      refuses ? refusal.beforeAnswer?.(invite) : undefined,
  };
  const stage = await Stage.start(t, { recorder: { behaviour } });
  if (!stage) return;
  const { laboratory } = stage;
  const call = await stage.inbound();
  await eventually(() => laboratory.bodies('recordingMissing').length === 1, 'it is told', 30_000);
  refuses = false;
  await eventually(() => laboratory.bodies('recordingFound').length === 1, 'it is recorded after all', 60_000);
  await stage.talk(call, 60);
  await call.customer.hangUp();
  await stage.nothingIsLeft();
  const { callId, record } = await recordOf(stage);
  assert.equal(record.verdict, 'VERDICT_PARTIAL');
  const [{ gaps, gapMs, startedAt }] = record.recordings;
  assert.deepEqual(gaps, [{ beganAt: gaps[0].beganAt, endedAt: startedAt, reason: 'recorder-refused' }]);
  const lateMs = Date.parse(startedAt) - Date.parse(record.answeredAt);
  assert.ok(lateMs >= 5_000 && Math.abs(gapMs - lateMs) < 500, `${gapMs} of ${lateMs} ms`);
  assert.match(await runOn(stage, 'calls', 'show', callId), /verdict .*recorded in part at .*: \d+\.\d s are missing/);
});
