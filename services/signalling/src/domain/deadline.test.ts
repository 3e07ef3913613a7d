import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import { test } from 'node:test';
import { setImmediate as immediate } from 'node:timers/promises';
import { SidestreamError } from '@sidestream/service';
import { raced, within } from './deadline.js';

test('a deadline that passes aborts with what the error table calls deadline-exceeded', async () => {
  const keepsTheProcess = setTimeout(() => undefined, 5_000);
  const signal = within(new AbortController().signal, 5);
  await once(signal, 'abort');
  clearTimeout(keepsTheProcess);
  assert.equal(SidestreamError.from(signal.reason).code, 'deadline-exceeded');
});

test('what aborts first is the reason: the parent, also one that has aborted before', () => {
  const parent = new AbortController();
  const signal = within(parent.signal, 60_000);
  parent.abort(new SidestreamError('cancelled', 'enough'));
  for (const one of [signal, within(parent.signal, 60_000)]) {
    assert.equal(one.aborted, true);
    assert.equal(SidestreamError.from(one.reason).message, 'enough');
  }
});

test('a race ends with the promise or with the first of several signals, and leaves nothing at any of them', async () => {
  const [call, edge] = [new AbortController(), new AbortController()];
  const signals = [call.signal, edge.signal];
  const listeners = () => signals.map((signal) => getEventListeners(signal, 'abort').length);
  assert.equal(await raced(Promise.resolve('won'), ...signals), 'won');
  await immediate();
  assert.deepEqual(listeners(), [0, 0]);
  const never = new Promise<void>(() => {});
  const race = raced(never, ...signals);
  assert.deepEqual(listeners(), [1, 1]);
  edge.abort(new Error('the edge is lost'));
  await assert.rejects(race, /the edge is lost/);
  await assert.rejects(raced(never, ...signals), /the edge is lost/);
  assert.deepEqual(listeners(), [0, 0]);
});
