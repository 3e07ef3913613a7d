// What becomes of the calls of a signalling process that is stopped, or killed: real processes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listedSeller } from '@sidestream/cli';
import { eventually } from '@sidestream/peers';
import { startSecond } from '../second-signalling.js';
import { Dialer } from './dialer.js';
import { GatewayStage } from './gateway-stage.js';

interface Seen {
  readonly calls: { readonly callId: string; readonly instance: string; readonly silent: boolean }[];
  readonly instances: { readonly instance: string; readonly state: string }[];
  readonly lost: {
    readonly callId: string;
    readonly termination: { readonly result: string; readonly reason: string };
  }[];
}

test('calls of an instance that does not answer are shown as silent, those of a killed one as lost; their seller hears of the end once', async (t) => {
  const set = await GatewayStage.start(t, { limits: { requestsPerSecond: 1_000 } });
  if (!set) return;
  const { stage } = set;
  const second = await startSecond(t, stage);
  const operator = await set.operator();
  const seen = async (): Promise<Seen> => {
    const answer = await set.api(operator, '/api/v1/calls');
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
  };
  const stateOf = ({ instances }: Seen, id: string) => instances.find(({ instance }) => instance === id)?.state;
  const dialer = await Dialer.open(set.url, await set.token());
  const here = await stage.inbound();
  const there = await stage.inbound(listedSeller.number, second.uri(listedSeller.number));
  await eventually(() => dialer.events.length === 2, 'both calls are told');
  await eventually(async () => stateOf(await seen(), 's2') === 'live', 'the second instance is found');
  const { calls } = await seen();
  assert.deepEqual(
    calls.map(({ silent }) => silent),
    [false, false],
  );
  const lost = calls.find(({ instance }) => instance === 's2')?.callId ?? '';

  // Its lease lives on for a while: it is silent, and its call is neither gone nor over.
  second.service.kill('SIGSTOP');
  const silent = await seen();
  assert.deepEqual([stateOf(silent, 's1'), stateOf(silent, 's2')], ['live', 'silent']);
  assert.deepEqual(silent.calls.map(({ callId, silent }) => [callId === lost, silent]).sort(), [
    [false, false],
    [true, true],
  ]);
  assert.deepEqual(silent.lost, []);
  // The others' calls are told soon, now that it is known.
  const askedAt = performance.now();
  assert.equal(stateOf(await seen(), 's2'), 'silent');
  assert.ok(performance.now() - askedAt < 2_500, 'nobody waits 3 s for it again');
  assert.equal((await set.api(operator, `/api/v1/calls/${lost}`)).json.silent, true);

  second.service.kill('SIGKILL');
  await eventually(async () => stateOf(await seen(), 's2') === 'gone', 'it is known to be gone', 30_000);
  const gone = await seen();
  assert.deepEqual(
    gone.calls.map(({ instance }) => instance),
    ['s1'],
  );
  const [one] = gone.lost;
  assert.deepEqual(
    [one?.callId, one?.termination.result, one?.termination.reason],
    [lost, 'indeterminate', 'instance-lost'],
  );
  assert.equal((await set.api(operator, `/api/v1/calls/${lost}`)).status, 404);
  await eventually(() => dialer.events.length === 3, 'the seller hears of its end');
  const [, , end] = dialer.events;
  assert.equal(end?.event, 'WIDGET_CALL_ENDED');
  assert.deepEqual([end?.payload['callTerminationReason'], end?.payload['isCallStarted']], ['error', true]);

  // Who comes back later hears the same, by the same id; the other call goes on.
  const again = await Dialer.open(set.url, await set.token(), dialer.events[1]?.id);
  await eventually(() => again.events.length === 1, 'what was missed is told');
  assert.deepEqual(again.events[0], end);
  await here.customer.hangUp();
  await eventually(() => dialer.events.length === 4, 'the other call ends');
  assert.equal(dialer.events[3]?.payload['callTerminationReason'], 'success');
  for (const one of [dialer, again]) await one.close();
  await there.customer.hangUp().catch(() => undefined);
});

test('an instance that was stopped for so long that it seemed gone brings its call back, which has one end: its own', async (t) => {
  const set = await GatewayStage.start(t, { limits: { requestsPerSecond: 1_000 } });
  if (!set) return;
  const { stage } = set;
  const second = await startSecond(t, stage);
  const operator = await set.operator();
  const seen = async (): Promise<Seen> => (await set.api(operator, '/api/v1/calls')).json;
  const there = await stage.inbound(listedSeller.number, second.uri(listedSeller.number));
  await eventually(async () => (await seen()).calls.length === 1, 'it is seen');
  const callId = (await seen()).calls[0]?.callId;

  second.service.kill('SIGSTOP');
  await eventually(async () => (await seen()).lost.length === 1, 'it seems to be lost', 30_000);
  second.service.kill('SIGCONT');
  await eventually(async () => (await seen()).calls.length === 1, 'it is back', 30_000);
  assert.deepEqual((await seen()).lost, []);

  await there.customer.hangUp();
  const records = async (): Promise<{ callId: string; termination: { reason: string } }[]> =>
    (await set.api(operator, '/api/v1/records')).json.records;
  await eventually(async () => (await records()).length === 1, 'its record is there', 30_000);
  assert.deepEqual(
    (await records()).map((record) => [record.callId, record.termination.reason]),
    [[callId, 'hangup']],
  );
  const after = await seen();
  assert.deepEqual([after.calls, after.lost], [[], []]);
});
