// Records of calls that are over, on a whole laboratory: what is kept of one that was recorded, and of one that nobody wanted recorded.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listedSeller, unlistedSeller } from '@sidestream/cli';
import { eventually } from '@sidestream/peers';
import { wellBehaved } from '@sidestream/simulators';
import { recordOf, runOn } from './records.js';
import { customerNumber, Stage } from './stage.js';

test('a recorded call is kept with its legs, its recorder and its ends; one that nobody wanted recorded says why', async (t) => {
  const stage = await Stage.start(t, { recorder: { behaviour: wellBehaved } });
  if (!stage) return;
  const { laboratory } = stage;
  const call = await stage.inbound();
  await eventually(() => laboratory.bodies('recordingStarted').length === 1, 'the recording has started');
  // The relay looks every 2 s and compares two looks.
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
  assert.match(await runOn(stage, 'calls', 'show', callId), /^ {4}copied {3}customer \d+, seller \d+ packets$/m);
  const times = [attempts[0].invitedAt, attempts[0].acceptedAt, attempts[0].mediaConfirmedAt, record.endedAt];
  assert.deepEqual([...times].sort(), times);

  const other = await stage.inbound(unlistedSeller.number);
  await other.customer.hangUp();
  await stage.nothingIsLeft();
  const { callId: second } = await recordOf(stage, 1);
  assert.match(await runOn(stage, 'calls', 'show', second), /not recorded: the policy does not name the seller/);
  const listed = JSON.parse(await runOn(stage, 'calls', 'list', '--ended', '--json'));
  assert.deepEqual(
    listed.calls.map((one: { callId: string }) => one.callId),
    [second, callId],
  );
  const [head, first, ...rest] = (await runOn(stage, 'calls', 'export', '--format', 'csv')).trim().split('\n');
  assert.match(head ?? '', /^callId,tenant,/);
  assert.ok(first?.startsWith(callId) && first.includes(customerNumber));
  assert.equal(rest.length, 1);
  assert.equal(await runOn(stage, 'calls', 'export', '--until', '1h'), '');
});
