import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../clock.js';
import { createResponse } from '../message/create-response.js';
import { exampleRequest, ScriptedFlow, ScriptedTransports, settle } from './scripted-flow.js';
import type { ServerTransaction } from './server-transaction.js';
import { TransactionLayer } from './transaction-layer.js';

const via = 'SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK';

function serve(handle: (transaction: ServerTransaction) => void) {
  const clock = new ManualClock();
  const transports = new ScriptedTransports();
  const flow = new ScriptedFlow(clock, 'udp');
  const layer = new TransactionLayer({ transports, clock });
  const faults: string[] = [];
  layer.on('fault', (error) => faults.push(error.message));
  layer.on('request', handle);
  return { clock, transports, flow, layer, faults };
}

function bug(): never {
  throw new Error('a bug');
}

test('a request whose handler throws gets 500, and the next one is served', () => {
  let handled = 0;
  const { transports, flow, faults, layer, clock } = serve((transaction) => {
    handled += 1;
    if (handled === 1) bug();
    void transaction.respond(createResponse(transaction.request, 200, { toTag: transaction.toTag }));
  });
  transports.receive(exampleRequest('OPTIONS', { via: `${via}1` }), flow);
  transports.receive(exampleRequest('OPTIONS', { via: `${via}2` }), flow);
  assert.deepEqual([flow.times(500), flow.times(200)], [[0], [0]]);
  assert.deepEqual(faults, ['a bug']);
  clock.advance(32_000);
  assert.equal(layer.size, 0);
});

test('what throws after the answer, or is no Error, changes nothing but the report', () => {
  const { transports, flow, faults } = serve((transaction) => {
    void transaction.respond(createResponse(transaction.request, 200));
    throw 'only words';
  });
  transports.receive(exampleRequest('OPTIONS', { via: `${via}1` }), flow);
  assert.deepEqual([flow.times(500), flow.times(200)], [[], [0]]);
  assert.deepEqual(faults, ['only words']);
});

test('an ACK whose handler throws is not answered', () => {
  const { transports, flow, faults, layer } = serve(bug);
  layer.on('ack', bug);
  transports.receive(exampleRequest('ACK', { via: `${via}1` }), flow);
  assert.deepEqual(flow.sent, []);
  assert.deepEqual(faults, ['a bug']);
});

test('an INVITE whose owner throws at the CANCEL gets 500', () => {
  const { transports, flow, faults } = serve((transaction) => transaction.on('cancel', bug));
  transports.receive(exampleRequest('INVITE', { via: `${via}1` }), flow);
  transports.receive(exampleRequest('CANCEL', { via: `${via}1` }), flow);
  assert.deepEqual([flow.times(200), flow.times(500)], [[0], [0]]);
  assert.deepEqual(faults, ['a bug']);
});

test('listeners of transactions that throw, on messages, timers and lost connections, keep nothing alive', async () => {
  const { transports, flow, faults, layer, clock } = serve((transaction) => {
    transaction.on('timeout', bug).on('terminated', bug);
    void transaction.respond(createResponse(transaction.request, 486, { toTag: transaction.toTag }));
  });
  transports.receive(exampleRequest('INVITE', { via: `${via}1` }), flow);
  const answered = layer.request(exampleRequest('INFO'), flow).on('final', bug);
  transports.receive(createResponse(answered.request, 200), flow);
  layer.request(exampleRequest('INFO'), flow).on('timeout', bug);
  flow.broken = true;
  layer.request(exampleRequest('INFO'), flow).on('transportError', bug);
  await settle();
  clock.advance(120_000);
  assert.equal(layer.size + clock.pending, 0);
  assert.equal(faults.length, 5);
});

test('a response whose To cannot be read is sent as it is', async () => {
  const answers: string[] = [];
  const { transports, flow, faults } = serve((transaction) => {
    const response = createResponse(transaction.request, 200);
    response.headers.set('To', '<sip:bob@example.net>;tag;tag=x');
    void transaction.respond(response);
  });
  flow.send = async (bytes) => {
    answers.push(String(bytes));
  };
  transports.receive(exampleRequest('OPTIONS', { via: `${via}1` }), flow);
  assert.match(answers[0] ?? '', /^SIP\/2\.0 200 /);
  assert.deepEqual(faults, []);
});

test('a fault in the one who hears of faults goes no further', () => {
  const { transports, flow, layer } = serve(bug);
  layer.prependListener('fault', bug);
  transports.receive(exampleRequest('OPTIONS', { via: `${via}1` }), flow);
  assert.deepEqual(flow.times(500), [0]);
});
