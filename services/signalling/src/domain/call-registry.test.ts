import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallRegistry } from './call-registry.js';
import { newCallId } from './identifiers.js';

test('it is full with maxCalls; one that was let in all the same is a call like the others', () => {
  const registry = new CallRegistry(1);
  const [call, urgent] = [{ id: newCallId() }, { id: newCallId() }];
  assert.equal(registry.full, false);
  registry.add(call);
  assert.equal(registry.full, true);
  registry.add(urgent);
  assert.deepEqual(registry.all(), [call, urgent]);
  registry.remove(call.id);
  assert.equal(registry.full, true);
  registry.remove(urgent.id);
  assert.equal(registry.full, false);
});

test('whenIdle waits for the last call, but not longer than its signal', async () => {
  const registry = new CallRegistry(2);
  assert.equal(await registry.whenIdle(new AbortController().signal), true);
  const call = { id: newCallId() };
  registry.add(call);
  assert.equal(await registry.whenIdle(AbortSignal.abort()), false);
  const idle = registry.whenIdle(new AbortController().signal);
  registry.remove(call.id);
  assert.equal(await idle, true);
});
