import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallSeats, TrunkLimits } from './trunk-limits.js';

function limits(now = () => 0) {
  return new TrunkLimits(
    {
      carrier: { limits: { calls: 2, callsPerSecond: 4, maxDurationMs: 60_000 } },
      pbx: { limits: { calls: 1, maxDurationMs: 30_000 } },
      free: {},
    },
    now,
  );
}

test('calls from a trunk and calls to it are counted together, and given back once', () => {
  const trunks = limits();
  const first = new CallSeats(trunks, 'carrier', false);
  const second = new CallSeats(trunks, 'free', false);
  assert.equal(second.moveTo('carrier'), undefined);
  assert.deepEqual(trunks.problem('carrier'), { reason: 'trunk-full', text: 'trunk carrier: 2 calls are up' });
  second.release();
  second.release();
  assert.equal(trunks.problem('carrier'), undefined);
  assert.deepEqual(Object.fromEntries(trunks.calls), { carrier: 1, pbx: 0, free: 0 });
  first.release();
  assert.deepEqual(Object.fromEntries(trunks.calls), { carrier: 0, pbx: 0, free: 0 });
});

test('a call that is sent on to another trunk leaves the one before', () => {
  const trunks = limits();
  const call = new CallSeats(trunks, 'free', false);
  assert.equal(call.moveTo('pbx'), undefined);
  assert.equal(trunks.problem('pbx')?.reason, 'trunk-full');
  assert.equal(call.moveTo('carrier'), undefined);
  assert.equal(trunks.problem('pbx'), undefined);
  const other = new CallSeats(trunks, 'pbx', false);
  assert.equal(call.moveTo('pbx')?.reason, 'trunk-full');
  assert.deepEqual(Object.fromEntries(trunks.calls), { carrier: 0, pbx: 1, free: 1 });
  other.release();
  call.release();
});

test('calls a second: what a second may bring may come at once, no more', () => {
  let now = 0;
  const trunks = limits(() => now);
  for (let index = 0; index < 4; index += 1) new CallSeats(trunks, 'carrier', false).release();
  assert.equal(trunks.problem('carrier')?.reason, 'trunk-rate');
  now = 250;
  assert.equal(trunks.problem('carrier'), undefined);
});

test('a newcomer takes a seat where it is, and the one in whose place it comes gives its own back', () => {
  const trunks = limits();
  const call = new CallSeats(trunks, 'carrier', false);
  call.moveTo('pbx');
  call.succeed('far', 'pbx');
  call.succeed('far', 'carrier');
  assert.deepEqual([trunks.calls.get('carrier'), trunks.calls.get('pbx')], [2, 0]);
  call.succeed('near', 'pbx');
  assert.deepEqual([trunks.calls.get('carrier'), trunks.calls.get('pbx')], [1, 1]);
  call.release();
  assert.deepEqual([trunks.calls.get('carrier'), trunks.calls.get('pbx')], [0, 0]);
});

test('a call for help is counted, never held back and never ended', () => {
  const trunks = limits();
  const calls = Array.from({ length: 3 }, () => new CallSeats(trunks, 'pbx', true));
  for (const call of calls) assert.equal(call.moveTo('pbx'), undefined);
  assert.equal(trunks.calls.get('pbx'), 6);
  assert.equal(calls[0]?.maxDurationMs, undefined);
  for (const call of calls) call.release();
  assert.equal(trunks.calls.get('pbx'), 0);
});

test('of two trunks the shorter time counts', () => {
  const trunks = limits();
  const call = new CallSeats(trunks, 'carrier', false);
  assert.equal(call.maxDurationMs, 60_000);
  call.moveTo('pbx');
  assert.equal(call.maxDurationMs, 30_000);
  assert.equal(new CallSeats(trunks, 'free', false).maxDurationMs, undefined);
});
