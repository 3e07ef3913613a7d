// What a seller's dialer is told of real calls: real parts, a real gateway process, over its restart.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { listedSeller, unlistedSeller } from '@sidestream/cli';
import { eventually } from '@sidestream/peers';
import { type Behaviour, rejectWith } from '@sidestream/simulators';
import { customerNumber } from '../stage.js';
import { Dialer } from './dialer.js';
import { GatewayStage } from './gateway-stage.js';

test('STARTED and ENDED of a real call, in order and once each, over a restart of the gateway; others hear nothing', async (t) => {
  const set = await GatewayStage.start(t);
  if (!set) return;
  const { stage } = set;
  const first = await Dialer.open(set.url, await set.token());
  const other = await Dialer.open(set.url, await set.token({ oid: unlistedSeller.id }));
  assert.equal(first.frames[0]?.type, 'authenticated');
  const call = await stage.inbound();
  await eventually(() => first.events.length > 0, 'the dialer hears of the start');
  const [started] = first.events;
  assert.equal(started?.event, 'WIDGET_CALL_STARTED');
  assert.equal(started?.payload['callId'], stage.laboratory.recorder.sessions[0]?.callId);
  assert.equal(started?.payload['isIncomingCall'], true);
  assert.equal(started?.payload['contactNumber'], customerNumber);

  await stage.laboratory.deployment.restart('gateway');
  await eventually(() => first.closed !== undefined && other.closed !== undefined, 'the dialers are sent away');
  assert.equal(first.closed?.code, 1001);
  const again = await Dialer.open(set.url, await set.token(), started?.id);
  const anew = await Dialer.open(set.url, await set.token({ oid: unlistedSeller.id }));
  await call.customer.hangUp();
  await eventually(() => again.events.length > 0, 'the dialer hears of the end');
  const [ended] = again.events;
  assert.equal(ended?.event, 'WIDGET_CALL_ENDED');
  assert.equal(ended?.payload['callId'], started?.payload['callId']);
  assert.equal(ended?.payload['isCallStarted'], true);
  assert.equal(ended?.payload['callTerminationReason'], 'success');

  // Who comes back later is told the same again, by the same id.
  const late = await Dialer.open(set.url, await set.token(), started?.id);
  await eventually(() => late.events.length > 0, 'what was missed is told');
  assert.deepEqual(late.events, again.events);
  assert.deepEqual([first.events.length, again.events.length], [1, 1]);

  // An unlisted seller's call tells nobody anything; the listed one's next call proves that all was heard meanwhile.
  const unlisted = await stage.inbound(unlistedSeller.number);
  await unlisted.customer.hangUp();
  const next = await stage.outbound();
  await eventually(() => late.events.length === 2, 'the next call is told');
  assert.equal(late.events[1]?.payload['isIncomingCall'], false);
  await next.seller.hangUp();
  await eventually(() => late.events.length === 3, 'and its end');
  assert.deepEqual([other.events, anew.events], [[], []]);
  for (const dialer of [again, anew, late]) await dialer.close();
  await stage.nothingIsLeft();
});

test('a recording that nobody takes in time: its seller is told why, and of no start; the end says so', async (t) => {
  let refuses = true;
  const refusal = rejectWith(503);
  const behaviour: Behaviour = {
    beforeAnswer: async (invite) => (refuses ? refusal.beforeAnswer?.(invite) : undefined),
  };
  const set = await GatewayStage.start(t, { recorder: { behaviour }, limits: { recordingStarts: '2s' } });
  if (!set) return;
  const { stage } = set;
  const dialer = await Dialer.open(set.url, await set.token());
  const call = await stage.inbound();
  await eventually(() => dialer.events.length === 1, 'the bound has passed', 20_000);
  assert.deepEqual(
    [dialer.events[0]?.event, dialer.events[0]?.payload['reason']],
    ['CALL_NOT_RECORDED', 'recorder-refused'],
  );
  // What begins later raises nothing.
  refuses = false;
  await eventually(() => stage.laboratory.bodies('recordingStarted').length === 1, 'it is recorded after all', 60_000);
  await call.customer.hangUp();
  await eventually(() => dialer.events.length === 2, 'the end is told');
  const [, ended] = dialer.events;
  assert.deepEqual([ended?.event, ended?.payload['isCallStarted']], ['WIDGET_CALL_ENDED', false]);
  await dialer.close();
  await stage.nothingIsLeft();
});

test('pause by the API: no packet reaches the recorder until it is resumed; parties are masked unless revealed', async (t) => {
  const set = await GatewayStage.start(t);
  if (!set) return;
  const { stage } = set;
  const { recorder } = stage.laboratory;
  const operator = await set.operator();
  const call = await stage.inbound();
  const datagrams = () => recorder.sessions[0]?.streams.map(({ statistics }) => statistics.datagrams) ?? [];
  await eventually(() => datagrams().length === 2 && datagrams().every((count) => count > 20), 'both are recorded');
  const list = await set.api(operator, '/api/v1/calls');
  assert.equal(list.status, 200, list.text);
  const [live] = list.json.calls;
  assert.equal(live.seller, listedSeller.id);
  assert.ok(!list.text.includes(customerNumber));
  assert.ok((await set.api(operator, `/api/v1/calls/${live.callId}?reveal=true`)).text.includes(customerNumber));

  const paused = await set.api(operator, `/api/v1/calls/${live.callId}/recording/pause`, {});
  assert.equal(paused.json.recordings[0].phase, 'paused');
  // What had left before stands in the recorder's sockets: this process has to read it.
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
  const before = datagrams();
  await stage.talk(call, 50);
  assert.deepEqual(datagrams(), before);
  assert.equal((await set.api(operator, `/api/v1/calls/${live.callId}/recording/resume`, {})).status, 200);
  await eventually(() => datagrams().every((count, index) => count > (before[index] ?? 0) + 20), 'packets again');

  const act = async (action: string) =>
    (await set.api(operator, `/api/v1/calls/${live.callId}/recording/${action}`, {})).json.recordings;
  await act('stop');
  const phases = async () =>
    (await set.api(operator, `/api/v1/calls/${live.callId}`)).json.recordings.map(
      (one: { phase: string }) => one.phase,
    );
  await eventually(async () => (await phases())[0] === 'ended', 'the recording has ended, the call has not');
  await act('start');
  await eventually(async () => (await phases())[1] === 'active', 'another one has begun');
  const again = await set.api(operator, `/api/v1/calls/${live.callId}/recording/start`, {});
  assert.deepEqual([again.status, again.json.code], [409, 'wrong-state']);

  const ends = [call.customer.ended, call.seller.ended];
  assert.equal((await set.api(operator, `/api/v1/calls/${live.callId}/end`, { reason: 'enough' })).status, 200);
  await Promise.all(ends);
  assert.equal((await set.api(operator, `/api/v1/calls/${live.callId}`)).status, 404);
  const records = async () => (await set.api(operator, '/api/v1/records')).json.records;
  await eventually(async () => (await records()).length === 1, 'the call is among those that are over');
  const [record] = await records();
  assert.deepEqual([record.callId, record.termination.reason], [live.callId, 'ended-by-operator']);
  assert.deepEqual(record.recordings.length, 2);
  assert.deepEqual((await set.api(operator, `/api/v1/records/${live.callId}`)).json, record);
  await stage.nothingIsLeft();
});
