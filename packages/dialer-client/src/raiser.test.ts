import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { type Cif, CifError } from './cif.js';
import type { DialerEvent } from './events.js';
import { Memory } from './memory.js';
import { type RaiseOutcome, Raiser } from './raiser.js';

const start = (id: string): DialerEvent => ({
  id: `start ${id}`,
  name: 'WIDGET_CALL_STARTED',
  payload: { callId: id, startTime: new Date(0), isIncomingCall: true, contactNumber: '1', contactName: 'C' },
});
const end = (id: string): DialerEvent => ({
  id: `end ${id}`,
  name: 'WIDGET_CALL_ENDED',
  payload: {
    callId: id,
    callDurationInSeconds: 1,
    callTerminationReason: 'success',
    callEndTime: new Date(0),
    isCallStarted: true,
  },
});
const unrecorded: DialerEvent = { id: 'no', name: 'CALL_NOT_RECORDED', payload: { callId: 'x', reason: 'failed' } };

function stage(t: TestContext, cif: Promise<Cif> | Cif['raiseEvent'], attemptMs = 30_000) {
  const settled: [string, RaiseOutcome | undefined][] = [];
  const memory = new Memory('wss://gateway.example', undefined);
  const raiser = new Raiser({
    cif: typeof cif === 'function' ? Promise.resolve({ raiseEvent: cif }) : cif,
    payload: 'object',
    isStarted: (callId) => memory.isStarted(callId),
    onSettled: (event, outcome) => {
      memory.settle(event, outcome?.raised === true);
      settled.push([event.id, outcome]);
    },
    onIdle: () => undefined,
    timing: { attemptMs, retryMs: 1 },
  });
  t.after(() => raiser.stop());
  return { raiser, settled };
}

test('an event is tried three times under one correlation id, and what follows waits for it', async (t) => {
  const calls: string[] = [];
  const { raiser, settled } = stage(t, async (_, __, correlationId) => {
    calls.push(String(correlationId));
    if (calls.length === 1) throw new Error('timed out');
    return calls.length !== 2;
  });
  raiser.push(start('a'));
  raiser.push(end('a'));
  await eventually(() => settled.length === 2, 'both settled');
  assert.deepEqual(calls, ['start a', 'start a', 'start a', 'end a']);
  assert.deepEqual(settled[0], ['start a', { raised: true, attempts: 3 }]);
});

test('isCallStarted is true only if the start was raised', async (t) => {
  const ends: unknown[] = [];
  const { raiser, settled } = stage(t, async (name, input) => {
    if (name === 'WIDGET_CALL_STARTED') return (input as { callId: string }).callId === 'b';
    return ends.push((input as { isCallStarted: boolean }).isCallStarted) > 0;
  });
  // Of the third nothing was heard before its end.
  for (const event of [start('a'), start('b'), end('a'), end('b'), end('c')]) raiser.push(event);
  await eventually(() => settled.length === 5, 'all settled');
  assert.deepEqual(settled[0], ['start a', { raised: false, attempts: 3, reason: 'refused' }]);
  assert.deepEqual(ends, [false, true, false]);
});

test('a library that never answers and one that throws at once hold nothing up', async (t) => {
  let calls = 0;
  const { raiser, settled } = stage(
    t,
    (): Promise<boolean> => {
      calls += 1;
      if (calls === 1) return new Promise(() => undefined);
      if (calls === 2) throw new Error('DataCloneError');
      return Promise.resolve(true);
    },
    5,
  );
  raiser.push(start('a'));
  await eventually(() => settled.length === 1, 'settled');
  assert.deepEqual(settled[0], ['start a', { raised: true, attempts: 3 }]);
});

test('events wait for CIF; without it none is raised, and each says why', async (t) => {
  let refuse = (_: Error): void => undefined;
  const cif = new Promise<Cif>((_, reject) => {
    refuse = reject;
  });
  const { raiser, settled } = stage(t, cif);
  raiser.push(start('a'));
  raiser.push(unrecorded);
  assert.equal(settled.length, 0);
  refuse(new CifError('too-old', 'the CIF library has no raiseEvent'));
  await eventually(() => settled.length === 2, 'settled');
  assert.deepEqual(settled, [
    ['start a', { raised: false, attempts: 0, reason: 'CifError: the CIF library has no raiseEvent' }],
    ['no', undefined],
  ]);
});
