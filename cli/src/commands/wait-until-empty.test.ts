import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ChannelCredentials, Server, ServerCredentials, type sendUnaryData, status } from '@grpc/grpc-js';
import {
  CallsServiceClient,
  CallsServiceService,
  type ListCallsRequest,
  ListCallsResponse,
} from '@sidestream/proto/calls/v1';
import { type DrainState, waitUntilEmpty } from './wait-until-empty.js';

type Answer = Partial<ListCallsResponse> | 'fails' | 'hangs';

/** A signalling instance that answers as told, the last answer for ever. */
async function instance(t: TestContext, id: string, ...answers: Answer[]) {
  const server = new Server();
  const asked: ListCallsRequest[] = [];
  const listCalls = ({ request }: { request: ListCallsRequest }, callback: sendUnaryData<ListCallsResponse>) => {
    asked.push(request);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer === 'fails') callback({ code: status.UNAVAILABLE, details: 'gone' });
    else if (answer !== 'hangs')
      callback(null, ListCallsResponse.fromPartial({ instance: `name of ${id}`, ...answer }));
  };
  server.addService({ listCalls: CallsServiceService.listCalls }, { listCalls });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  const client = new CallsServiceClient(`127.0.0.1:${port}`, ChannelCredentials.createInsecure());
  t.after(() => {
    client.close();
    server.forceShutdown();
  });
  return { asked, of: { id, who: id, client } };
}

function draining(id: string, calls: number): [string, DrainState] {
  return [id, { instance: `name of ${id}`, draining: true, calls }];
}

async function waited(instances: Awaited<ReturnType<typeof instance>>[], begun: [string, DrainState][], ms: number) {
  const told: string[] = [];
  const started = performance.now();
  const left = await waitUntilEmpty(
    instances.map(({ of }) => of),
    new Map(begun),
    ms,
    {
      onChange: ({ instance, draining, calls }) => told.push(`${instance}: ${draining ? 'drains' : 'takes'} ${calls}`),
      onGone: ({ instance }) => told.push(`${instance}: gone`),
    },
  );
  return { left, told, ms: performance.now() - started };
}

test('it waits for the last call, asks for numbers alone, and takes a list of who does not know how to count', async (t) => {
  const one = await instance(t, 's1', { draining: true, live: 2 }, { draining: true, live: 0 });
  const older = await instance(t, 's2', { draining: true, calls: [{} as never] }, { draining: true });
  const { left, told } = await waited([one, older], [draining('s1', 3), draining('s2', 2)], 20_000);
  assert.deepEqual(told, [
    'name of s1: drains 2',
    'name of s2: drains 1',
    'name of s1: drains 0',
    'name of s2: drains 0',
  ]);
  assert.deepEqual(left, [draining('s1', 0)[1], draining('s2', 0)[1]]);
  assert.ok(one.asked.every(({ countOnly }) => countOnly));
});

test('an instance that ends with its last call is gone after three polls, and nobody waits for it', async (t) => {
  const ending = await instance(t, 's1', { draining: true, live: 1 }, 'fails');
  const flaky = await instance(t, 's2', 'fails', 'fails', { draining: true, live: 1 }, 'fails', { draining: true });
  const { left, told, ms } = await waited([ending, flaky], [draining('s1', 1), draining('s2', 1)], 60_000);
  assert.deepEqual(told, ['name of s1: gone', 'name of s2: drains 0']);
  assert.deepEqual(left, [draining('s2', 0)[1]]);
  assert.ok(ms < 30_000, `after ${ms} ms`);
});

test('an instance that did not take the drain is neither waited for nor said to be undone', async (t) => {
  const deaf = await instance(t, 's1', { draining: false, live: 7 });
  const one = await instance(t, 's2', { draining: true, live: 0 });
  const { left, told } = await waited([deaf, one], [draining('s2', 1)], 20_000);
  assert.deepEqual(told, ['name of s2: drains 0']);
  assert.deepEqual(left, [draining('s2', 0)[1]]);
});

test('an instance that does not answer keeps nobody longer than the time that is left', async (t) => {
  const hanging = await instance(t, 's1', 'hangs');
  const { left, ms } = await waited([hanging], [draining('s1', 1)], 1_500);
  assert.deepEqual(left, [draining('s1', 1)[1]]);
  assert.ok(ms < 8_000, `after ${ms} ms`);
});
