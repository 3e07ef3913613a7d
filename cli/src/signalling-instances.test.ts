import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Server, ServerCredentials, type sendUnaryData } from '@grpc/grpc-js';
import { CallsServiceService, type ListCallsRequest, ListCallsResponse } from '@sidestream/proto/calls/v1';
import { callUnary, type SidestreamConfig } from '@sidestream/service';
import { withSignalling } from './signalling-instances.js';

test('an instance that has 10,000 calls is heard', async (t) => {
  const party = { uri: `sip:${'1'.repeat(64)}@carrier.example`, name: 'N'.repeat(256) };
  const calls = Array.from({ length: 10_000 }, (_, number) => ({
    callId: `c${number}`,
    calling: party,
    called: party,
  }));
  const answer = ListCallsResponse.fromPartial({ instance: 's1', calls });
  assert.ok(ListCallsResponse.encode(answer).finish().length > 4 * 1024 * 1024, 'more than is taken by default');
  const server = new Server();
  const listCalls = (_: { request: ListCallsRequest }, callback: sendUnaryData<ListCallsResponse>) =>
    callback(null, answer);
  server.addService({ listCalls: CallsServiceService.listCalls }, { listCalls });
  t.after(() => server.forceShutdown());
  const port = await new Promise<number>((resolve, reject) => {
    const credentials = ServerCredentials.createInsecure();
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  const config = { grpc: {} } as SidestreamConfig;
  const heard = await withSignalling({ config, address: `127.0.0.1:${port}` }, async ([one]) => {
    assert.ok(one);
    const request = { tenant: '', activity: false, countOnly: false };
    return callUnary(one.client.listCalls.bind(one.client), request, { deadlineMs: 30_000 });
  });
  assert.equal(heard.calls.length, 10_000);
});
