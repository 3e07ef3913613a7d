import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ApiError } from '../api/api-error.js';
import type { ServerEvent } from '../api/event-stream.js';
import type { Call, CallRecord, ListName, Lists } from '../api/shapes.js';
import { callOf } from './call-fixture.js';
import { Operations, type OperationsTimes, type Source } from './operations.js';

const live = (...calls: Call[]): Lists['calls'] => ({ calls, instances: [], lost: [] });
const callsOf = ({ sections }: Operations): number | undefined => sections.calls.state.value.value?.calls.length;

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
    const empty: unknown = name === 'calls' ? live() : [];
    return this.lists[name] ?? (empty as Lists[Name]);
  }

  async recordsBefore(): Promise<readonly CallRecord[]> {
    return [];
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

function operationsOf(
  t: TestContext,
  puppet: Puppet,
  isWatched = true,
  changes: Partial<OperationsTimes> = {},
): { operations: Operations; done: Promise<void> } {
  const times = { everythingMs: 60_000, callsMs: 5, retryMs: 5, callsRestMs: 5, restMs: 5, ...changes };
  const operations = new Operations(puppet, () => isWatched, times);
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
  puppet.lists = { calls: live(callOf()) };
  puppet.say?.({ event: 'call.started', data: '{}' });
  await until('the call is shown', () => callsOf(operations) === 1);
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
  puppet.lists = { calls: live(callOf()) };
  await until('a call is found without events', () => callsOf(operations) === 1);
  await until('the stream is tried again', () => puppet.follows === 2);
  puppet.open?.();
  assert.equal(operations.connection.value, 'live');
});

test('a gateway that does not answer is told apart from one that sends no events, and what was shown stays', async (t) => {
  const puppet = new Puppet();
  puppet.lists = { calls: live(callOf()) };
  const { operations } = operationsOf(t, puppet);
  await until('the first read', () => operations.connection.value === 'polling');
  puppet.refusal = new ApiError('offline', 'The gateway can’t be reached.');
  await until('offline', () => operations.connection.value === 'offline');
  assert.equal(callsOf(operations), 1);
  assert.equal(operations.staleSince.value, operations.sections.calls.state.value.readAt);
  assert.match(operations.trouble.value, /can’t be reached/);
  puppet.refusal = undefined;
  await until('back', () => operations.connection.value === 'polling');
  assert.equal(operations.staleSince.value, undefined);
});

test('a stream that stays open over a dead network hides nothing: the calls are read beside it while somebody looks', async (t) => {
  const puppet = new Puppet();
  const { operations } = operationsOf(t, puppet);
  puppet.open?.();
  await until('live', () => operations.connection.value === 'live');
  puppet.refusal = new ApiError('offline', 'The gateway can’t be reached.');
  await until('offline', () => operations.connection.value === 'offline');
});

test('a page that nobody sees reads what events concern, and not the calls again and again', async (t) => {
  const puppet = new Puppet();
  const { operations } = operationsOf(t, puppet, false);
  puppet.open?.();
  await until('everything is read', () => operations.sections.records.state.value.readAt !== undefined);
  await new Promise((resolve) => setTimeout(resolve, 300));
  puppet.reads.length = 0;
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual(puppet.reads, []);
  puppet.say?.({ event: 'call.started', data: '{}' });
  await until('the event has them read', () => puppet.reads.includes('calls'));
});

test('each failure doubles the wait for the next read, up to eight times', async (t) => {
  const puppet = new Puppet();
  puppet.refusal = new ApiError('unavailable', 'Not now.');
  const { operations } = operationsOf(t, puppet);
  await until('it is told', () => operations.connection.value === 'unavailable');
  let longest = 0;
  await until('the wait is eight times the usual one', () => {
    longest = Math.max(longest, (operations.nextTryAt.value ?? 0) - Date.now());
    return longest > 30;
  });
  assert.ok(longest <= 40, `${longest} ms`);
});

test('however many events come, each list rests between two reads, and longer after a failure', async (t) => {
  const puppet = new Puppet();
  const { operations } = operationsOf(t, puppet, false, { callsMs: 60_000, callsRestMs: 30, restMs: 60_000 });
  puppet.open?.();
  await until('everything is read', () => operations.sections.records.state.value.readAt !== undefined);
  puppet.reads.length = 0;
  const began = performance.now();
  while (performance.now() - began < 300) {
    puppet.say?.({ event: 'call.ended', data: '{}' });
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const calls = puppet.reads.filter((name) => name === 'calls').length;
  assert.ok(calls > 1 && calls <= (performance.now() - began) / 30 + 1, `${calls} reads of calls`);
  assert.ok(puppet.reads.every((name) => name === 'calls'));

  puppet.refusal = new ApiError('unavailable', 'Too many requests.');
  puppet.say?.({ event: 'call.started', data: '{}' });
  await until('it is told', () => operations.connection.value === 'unavailable');
  puppet.refusal = undefined;
  puppet.reads.length = 0;
  for (let n = 0; n < 50; n += 1) {
    puppet.say?.({ event: 'call.started', data: '{}' });
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.deepEqual(puppet.reads, []);
  operations.retry();
  await until('somebody is impatient', () => operations.connection.value !== 'unavailable');
});

test('without a network nothing is asked; once it is back, everything at once', async (t) => {
  const puppet = new Puppet();
  const { operations } = operationsOf(t, puppet);
  puppet.open?.();
  await until('live', () => operations.connection.value === 'live');
  operations.networkLost();
  assert.equal(operations.connection.value, 'offline');
  assert.equal(operations.trouble.value, 'This browser is offline.');
  await new Promise((resolve) => setTimeout(resolve, 300));
  puppet.reads.length = 0;
  const { follows } = puppet;
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual([puppet.reads, puppet.follows, operations.nextTryAt.value], [[], follows, undefined]);
  operations.networkBack();
  await until('the stream is tried', () => puppet.follows > follows);
  puppet.open?.();
  await until('live again', () => operations.connection.value === 'live');
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
