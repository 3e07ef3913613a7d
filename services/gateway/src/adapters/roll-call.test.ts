import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallsServiceClient, ListCallsResponse } from '@sidestream/proto/calls/v1';
import { createLogger } from '@sidestream/service';
import { KnownCalls } from '../domain/known-calls.js';
import { started } from '../testing/stream.js';
import { type LostCall, RollCall } from './roll-call.js';

const log = createLogger({ name: 'gateway', instance: 'test', level: 'silent' });
type Leases = Map<string, { at: string; active: boolean; sinceMs: number | undefined }>;

/** What answers at the address of `s1`; `calls`: ids of all that it has. */
interface Answerer {
  instance: string;
  calls: string[];
  /** What happens while it is asked. */
  meanwhile?: () => void;
  /** What happens while it is asked, in vain. */
  instead?: () => void;
}

function clientOf({ instance, calls, meanwhile, instead }: Answerer): CallsServiceClient {
  const listed = calls.map((callId) => ({ callId }));
  const answer = (tenant: string) => ({ instance, draining: false, calls: tenant === '' ? listed : [] });
  const listCalls = (
    { tenant }: { tenant: string },
    _metadata: unknown,
    _options: unknown,
    done: (error: Error | null, answer?: ListCallsResponse) => void,
  ) => {
    meanwhile?.();
    if (instead === undefined) return done(null, answer(tenant) as unknown as ListCallsResponse);
    instead();
    done(new Error('no answer'));
  };
  return { listCalls } as unknown as CallsServiceClient;
}

/** Two calls of `s1`, which began at 1 s and at 5 s. `refresh`: the leases were read. */
function rollCallOf() {
  const known = new KnownCalls({ maxCalls: 10 });
  const begin = (callId: string, ms: number) =>
    known.take({ body: started('ada', callId), source: 'signalling.s1', time: new Date(ms) });
  begin('c1', 1_000);
  begin('c2', 5_000);
  const leases: Leases = new Map();
  const lost: LostCall[] = [];
  const unseen: string[] = [];
  let refresh = () => {};
  let current = true;
  let nowMs = 10_000;
  let answerer: Answerer | undefined;
  const rollCall = new RollCall({
    signalling: {
      leases,
      clientOf: () => answerer && clientOf(answerer),
      onRefresh: (listener) => {
        refresh = listener;
      },
    },
    known,
    isCurrent: () => current,
    onLost: (one) => lost.push(one),
    onUnseen: ({ callId }, at) => unseen.push(`${callId} ${at.getTime()}`),
    log,
    graceMs: 100,
    clock: () => nowMs,
  });
  const look = async (afterMs: number) => {
    nowMs += afterMs;
    refresh();
    await new Promise((resolve) => setImmediate(resolve));
    return lost.map(({ call }) => call.callId);
  };
  const lease = (sinceMs: number) => leases.set('s1', { at: 'x:1', active: true, sinceMs });
  const setCurrent = (is: boolean) => {
    current = is;
  };
  const setAnswerer = (one: Answerer | undefined) => {
    answerer = one;
  };
  return { rollCall, known, unseen, leases, lease, look, setCurrent, setAnswerer };
}

test('calls from before the process that has their instance now, and which it does not list, are lost', async () => {
  const { rollCall, lease, look, setAnswerer } = rollCallOf();
  lease(4_000);
  setAnswerer({ instance: 's1', calls: ['c2'] });
  await look(0);
  assert.deepEqual(await look(100), [], 'its end may be on its way');
  assert.deepEqual(await look(100), ['c1']);
  assert.deepEqual(await look(1_000), ['c1']);
  assert.equal(rollCall.gone.size, 0);
  assert.deepEqual(
    rollCall.lost('contoso').map(({ call, at }) => [call.callId, at.getTime()]),
    [['c1', 4_000]],
  );
  assert.deepEqual(rollCall.lost('fabrikam'), []);
  await look(3_600_000);
  assert.deepEqual(rollCall.lost('contoso'), [], 'it is told for an hour');
});

test('where the clock was set back after its start, a process lists calls that look older than itself: they are not lost', async () => {
  const { known, lease, look, setAnswerer } = rollCallOf();
  lease(9_000);
  setAnswerer({ instance: 's1', calls: ['c1', 'c2'] });
  for (const afterMs of [0, 100, 100, 100]) assert.deepEqual(await look(afterMs), []);
  setAnswerer({ instance: 's1', calls: ['c2'] });
  await look(100);
  known.end('c1', 'contoso');
  assert.deepEqual(await look(100), [], 'it has ended well');
});

test('a process that does not answer for its name has lost nothing yet', async () => {
  const { lease, look, setAnswerer } = rollCallOf();
  lease(9_000);
  for (const answerer of [undefined, { instance: 's2', calls: [] }]) {
    setAnswerer(answerer);
    for (const afterMs of [0, 100, 100, 100]) assert.deepEqual(await look(afterMs), []);
  }
});

test('an instance without a lease is gone after the grace, with all its calls, until it is back', async () => {
  const { rollCall, known, lease, look, setCurrent } = rollCallOf();
  setCurrent(false);
  await look(0);
  assert.deepEqual(await look(1_000), [], 'nothing is judged before the past is known');
  setCurrent(true);
  await look(0);
  assert.deepEqual(await look(100), ['c1', 'c2']);
  assert.deepEqual([[...rollCall.gone.keys()], known.instances], [['s1'], []]);
  lease(11_000);
  await look(1);
  assert.equal(rollCall.gone.size, 0);
});

test('a call that was lost, and whose end is told after all, is lost no more', async () => {
  const { rollCall, look } = rollCallOf();
  await look(0);
  assert.deepEqual(await look(100), ['c1', 'c2']);
  rollCall.found('c1');
  assert.deepEqual(
    rollCall.lost('contoso').map(({ call }) => call.callId),
    ['c2'],
  );
});

test('an instance whose calls have ended by the time that it is known not to answer is not gone', async () => {
  const { rollCall, known, look, setAnswerer } = rollCallOf();
  const instead = () => {
    for (const callId of ['c1', 'c2']) known.end(callId, 'contoso');
  };
  setAnswerer({ instance: 's1', calls: [], instead });
  await look(0);
  assert.deepEqual([await look(100), rollCall.gone.size], [[], 0]);
});

test('NATS that goes while an instance is asked makes it not gone', async () => {
  const { rollCall, look, setAnswerer, setCurrent } = rollCallOf();
  setAnswerer({ instance: 's1', calls: [], instead: () => setCurrent(false) });
  await look(0);
  assert.deepEqual([await look(100), rollCall.gone.size], [[], 0]);
});

test('an instance without a lease that answers is not gone, but another one at its address is no answer', async () => {
  const { rollCall, look, setAnswerer } = rollCallOf();
  setAnswerer({ instance: 's1', calls: ['c1', 'c2'] });
  await look(0);
  assert.deepEqual([await look(100), await look(1_000), rollCall.gone.size], [[], [], 0]);
  setAnswerer({ instance: 's2', calls: [] });
  assert.deepEqual([await look(100), rollCall.gone.size], [['c1', 'c2'], 1]);
});

test('a call that its own process has not listed for a while is known no more, and is not lost', async () => {
  const { known, rollCall, unseen, lease, look } = rollCallOf();
  lease(500);
  for (const afterMs of [0, 200]) {
    await look(afterMs);
    rollCall.heard('s1', 'contoso', [{ callId: 'c2' }]);
  }
  assert.deepEqual([known.of('s1').map(({ callId }) => callId), await look(0)], [['c2'], []]);
  assert.deepEqual(unseen, ['c1 10200']);
});

test('in a recount each instance is asked twice what it has, once it answers; what it has not any more is over', async () => {
  const { known, rollCall, unseen, lease, look, setAnswerer } = rollCallOf();
  lease(500);
  let asked = 0;
  const silent = { instance: 's1', calls: [], instead: () => (asked += 1) };
  setAnswerer(silent);
  await look(0);
  assert.equal(asked, 0, 'nobody asks for nothing');
  rollCall.recount();
  await look(100);
  await look(100);
  assert.equal(asked, 2);
  setAnswerer({ instance: 's1', calls: ['c2'] });
  await look(100);
  assert.equal(known.of('s1').length, 2, 'its end may be on its way');
  setAnswerer(silent);
  await look(199);
  assert.equal(asked, 2, 'not before the time is over');
  setAnswerer({ instance: 's1', calls: ['c2'] });
  await look(1);
  assert.deepEqual([known.of('s1').map(({ callId }) => callId), unseen], [['c2'], ['c1 10500']]);
  setAnswerer(silent);
  await look(1_000);
  assert.deepEqual([asked, await look(0)], [2, []]);
});

test('an answer that can not be judged is no round of a recount: the instance is asked again', async () => {
  const { rollCall, unseen, leases, lease, look, setAnswerer } = rollCallOf();
  lease(500);
  rollCall.recount();
  setAnswerer({ instance: 's1', calls: ['c2'] });
  await look(0);
  setAnswerer({ instance: 's1', calls: ['c2'], meanwhile: () => leases.delete('s1') });
  await look(200);
  assert.deepEqual(unseen, []);
  lease(500);
  setAnswerer({ instance: 's1', calls: ['c2'] });
  await look(1);
  assert.deepEqual(unseen, ['c1 10201']);
});

test('a recount that is wanted while an instance is asked begins with its first question', async () => {
  const { rollCall, known, unseen, lease, look, setAnswerer } = rollCallOf();
  lease(500);
  setAnswerer({ instance: 's1', calls: ['c1', 'c2'] });
  rollCall.recount();
  await look(0);
  setAnswerer({ instance: 's1', calls: ['c1', 'c2'], meanwhile: () => rollCall.recount() });
  await look(200);
  setAnswerer({ instance: 's1', calls: ['c2'] });
  await look(1);
  await look(200);
  assert.deepEqual([known.of('s1').map(({ callId }) => callId), unseen], [['c2'], ['c1 10401']]);
});
