import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallRegistry } from './call-registry.js';
import { newCallId } from './identifiers.js';

test('there is room for maxCalls and no more', () => {
  const registry = new CallRegistry(1);
  const call = { id: newCallId() };
  assert.equal(registry.add(call), true);
  assert.equal(registry.add({ id: newCallId() }), false);
  assert.equal(registry.get(call.id), call);
  registry.remove(call.id);
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
