import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ApiError } from '../api/api-error.js';
import type { ServerEvent } from '../api/event-stream.js';
import type { ListName, Lists } from '../api/shapes.js';
import { callOf } from './call-fixture.js';
import { Operations, type Source } from './operations.js';

/** A gateway that does as it is told: its stream opens, breaks and speaks on command. */
class Puppet implements Source {
  readonly reads: ListName[] = [];
  lists: Partial<Lists> = {};
  follows = 0;
  refusal: ApiError | undefined;
  open: (() => void) | undefined;
  say: ((event: ServerEvent) => void) | undefined;
  break: (() => void) | undefined;

  async list<Name extends ListName>(name: Name): Promise<Lists[Name]> {
    this.reads.push(name);
    if (this.refusal !== undefined) throw this.refusal;
    return this.lists[name] ?? ([] as unknown as Lists[Name]);
  }

  follow(onOpen: () => void, onEvent: (event: ServerEvent) => void, signal: AbortSignal): Promise<void> {
    this.follows += 1;
    return new Promise((resolve, reject) => {
      this.open = onOpen;
      this.say = onEvent;
      this.break = () => reject(new ApiError('offline', 'The stream broke off.'));
      signal.addEventListener('abort', () => resolve());
    });
  }
}

function operationsOf(t: TestContext, puppet: Puppet): { operations: Operations; done: Promise<void> } {
  const operations = new Operations(puppet, { everythingMs: 60_000, callsMs: 5, retryMs: 5 });
  t.after(() => operations.stop());
  return { operations, done: operations.run() };
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`not within 10 s: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('an event has its lists read at once, and no others', async (t) => {
  const puppet = new Puppet();
  const { operations } = operationsOf(t, puppet);
  assert.equal(operations.connection.value, 'connecting');
  puppet.open?.();
  await until(
    'everything is read after the stream opens',
    () => operations.sections.records.state.value.readAt !== undefined,
  );
  assert.equal(operations.connection.value, 'live');
  const before = operations.sections.policies.state.value;
  puppet.lists = { calls: [callOf()] };
  puppet.say?.({ event: 'call.started', data: '{}' });
  await until('the call is shown', () => operations.sections.calls.state.value.value?.length === 1);
  puppet.reads.length = 0;
  puppet.say?.({ event: 'policy.applied', data: '{}' });
  await until('the policies are read', () => operations.sections.policies.state.value !== before);
  assert.ok(!puppet.reads.includes('records'));
});

test('while no events come the calls are read again and again, and the stream is tried again', async (t) => {
  const puppet = new Puppet();
  const { operations } = operationsOf(t, puppet);
  puppet.open?.();
  await until('live', () => operations.connection.value === 'live');
  puppet.break?.();
  await until('polling', () => operations.connection.value === 'polling');
  puppet.lists = { calls: [callOf()] };
  await until('a call is found without events', () => operations.sections.calls.state.value.value?.length === 1);
  await until('the stream is tried again', () => puppet.follows === 2);
  puppet.open?.();
  assert.equal(operations.connection.value, 'live');
});

test('a gateway that does not answer is told apart from one that sends no events, and what was shown stays', async (t) => {
  const puppet = new Puppet();
  puppet.lists = { calls: [callOf()] };
  const { operations } = operationsOf(t, puppet);
  await until('the first read', () => operations.connection.value === 'polling');
  puppet.refusal = new ApiError('offline', 'The gateway can’t be reached.');
  await until('offline', () => operations.connection.value === 'offline');
  assert.equal(operations.sections.calls.state.value.value?.length, 1);
  puppet.refusal = undefined;
  await until('back', () => operations.connection.value === 'polling');
});

for (const code of ['signed-out', 'forbidden'] as const)
  test(`once it is ${code}, nothing is asked any more`, async (t) => {
    const puppet = new Puppet();
    puppet.refusal = new ApiError(code, 'No.');
    const { operations, done } = operationsOf(t, puppet);
    await done;
    assert.equal(operations.connection.value, code);
    const { length } = puppet.reads;
    operations.retry();
    assert.equal(puppet.reads.length, length);
  });
