import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SteadyIndication } from './steady-indication.js';

function indication(t: TestContext, phase: string) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const recording = { phase, goesOn: true };
  const told: string[] = [];
  const call = new AbortController();
  const steady: SteadyIndication = new SteadyIndication(
    () => [recording],
    () => told.at(-1) !== steady.now && told.push(steady.now),
    call.signal,
  );
  const becomes = (now: string, goesOn = true) => {
    Object.assign(recording, { phase: now, goesOn });
    steady.changed();
  };
  const passes = async (ms: number) => {
    t.mock.timers.tick(ms);
    await new Promise((resolve) => setImmediate(resolve));
  };
  becomes(phase);
  return { told, becomes, passes, call };
}

test('a recording that is up at the next recorder within a second changes nothing for the parties', async (t) => {
  const { told, becomes, passes } = indication(t, 'active');
  for (const phase of ['forking', 'inviting', 'connecting']) {
    becomes(phase);
    await passes(300);
  }
  becomes('active');
  await passes(5_000);
  assert.deepEqual(told, ['on']);
});

test('one that is not is told to be off, and on again once it is up', async (t) => {
  const { told, becomes, passes } = indication(t, 'paused');
  becomes('forking');
  await passes(900);
  becomes('waiting');
  assert.deepEqual(told, ['paused']);
  await passes(100);
  assert.deepEqual(told, ['paused', 'off']);
  becomes('forking');
  becomes('active');
  assert.deepEqual(told, ['paused', 'off', 'on']);
});

test('the end of a recording is told at once, that of the call ends the waiting', async (t) => {
  const ended = indication(t, 'active');
  ended.becomes('stopping', false);
  assert.deepEqual(ended.told, ['on', 'off']);
  t.mock.timers.reset();
  const over = indication(t, 'active');
  over.becomes('waiting');
  over.call.abort();
  await over.passes(2_000);
  assert.deepEqual(over.told, ['on']);
});

test('a recording that begins is not recorded before it is', async (t) => {
  const { told, becomes } = indication(t, 'forking');
  assert.deepEqual(told, ['off']);
  becomes('active');
  assert.deepEqual(told, ['off', 'on']);
});
