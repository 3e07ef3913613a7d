import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../clock.js';
import { createResponse } from '../message/create-response.js';
import type { SipResponse } from '../message/sip-message.js';
import type { TransportProtocol } from '../transport/flow.js';
import type { ClientTransaction } from './client-transaction.js';
import { exampleRequest, ScriptedFlow, ScriptedTransports, settle } from './scripted-flow.js';
import { TransactionLayer } from './transaction-layer.js';

function start(method: string, protocol: TransportProtocol) {
  const clock = new ManualClock();
  const transports = new ScriptedTransports();
  const flow = new ScriptedFlow(clock, protocol);
  const layer = new TransactionLayer({ transports, clock });
  const transaction = layer.request(exampleRequest(method), flow);
  const heard = listen(transaction, clock);
  const answer = (status: number, toTag = 'b'): SipResponse => {
    const response = createResponse(transaction.request, status, { toTag });
    transports.receive(response, flow);
    return response;
  };
  return { clock, transports, flow, layer, transaction, heard, answer };
}

function listen(transaction: ClientTransaction, clock: ManualClock): string[] {
  const heard: string[] = [];
  transaction.on('provisional', (response) => heard.push(`${response.status}`));
  transaction.on('final', (response) => heard.push(`${response.status}`));
  transaction.on('timeout', () => heard.push(`timeout at ${clock.now()}`));
  transaction.on('transportError', (error) => heard.push(error.code));
  transaction.on('terminated', () => heard.push(`terminated at ${clock.now()}`));
  return heard;
}

test('RFC 3261 §17.1.1.2: over UDP an INVITE is repeated by timer A, doubling without limit, until timer B at 64*T1', () => {
  const { clock, flow, layer, heard } = start('INVITE', 'udp');
  clock.advance(60_000);
  assert.deepEqual(flow.times('INVITE'), [0, 500, 1500, 3500, 7500, 15_500, 31_500]);
  assert.deepEqual(heard, ['timeout at 32000', 'terminated at 32000']);
  assert.equal(layer.size, 0);
  assert.equal(clock.pending, 0);
});

test('RFC 3261 §17.1.1.2: over TCP an INVITE is sent once and times out all the same', () => {
  const { clock, flow, heard } = start('INVITE', 'tcp');
  clock.advance(60_000);
  assert.deepEqual(flow.times('INVITE'), [0]);
  assert.deepEqual(heard, ['timeout at 32000', 'terminated at 32000']);
});

test('RFC 3261 §17.1.1.2: a provisional response ends timers A and B', () => {
  const { clock, flow, heard, answer } = start('INVITE', 'udp');
  answer(180);
  clock.advance(600_000);
  assert.deepEqual(flow.times('INVITE'), [0]);
  assert.deepEqual(heard, ['180']);
  assert.equal(clock.pending, 0);
});

test('RFC 3261 §17.1.1.3: a failure is acknowledged by the layer, each copy of it too, and delivered once', () => {
  const { clock, flow, layer, heard, answer, transaction } = start('INVITE', 'udp');
  answer(486, 'first');
  answer(486, 'first');
  assert.deepEqual(flow.times('ACK'), [0, 0]);
  const ack = flow.last;
  assert.equal(ack.kind === 'request' && ack.uri, transaction.request.uri);
  assert.equal(ack.headers.get('Via'), transaction.request.headers.get('Via'));
  assert.equal(ack.headers.get('CSeq'), '1 ACK');
  assert.equal(ack.headers.get('To'), '<sip:bob@example.net>;tag=first');
  clock.advance(31_999);
  assert.equal(layer.size, 1);
  clock.advance(1);
  assert.deepEqual(heard, ['486', 'terminated at 32000'], 'timer D is 32 s over UDP');
  assert.equal(layer.size, 0);
});

test('RFC 3261 §17.1.1.2: over TCP timer D is zero', () => {
  const { flow, layer, heard, answer, clock } = start('INVITE', 'tcp');
  answer(486);
  assert.deepEqual(heard, ['486', 'terminated at 0']);
  assert.deepEqual(flow.times('ACK'), [0]);
  assert.equal(layer.size, 0);
  assert.equal(clock.pending, 0);
});

test('RFC 6026 §7.2: every 2xx, of any fork, is delivered until timer M at 64*T1, and nothing else is', () => {
  const { clock, heard, layer, answer, flow } = start('INVITE', 'tcp');
  answer(200, 'fork-1');
  clock.advance(1000);
  answer(200, 'fork-2');
  answer(486, 'fork-3');
  answer(180, 'fork-3');
  clock.advance(31_000);
  assert.deepEqual(heard, ['200', '200', 'terminated at 32000']);
  assert.deepEqual(flow.times('ACK'), [], 'the ACK of a 2xx belongs to the user');
  assert.equal(layer.size, 0);
});

test('RFC 3261 §17.1.2.2: over UDP a request is repeated by timer E up to every T2, until timer F at 64*T1', () => {
  const { clock, flow, heard } = start('OPTIONS', 'udp');
  clock.advance(60_000);
  assert.deepEqual(flow.times('OPTIONS'), [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
  assert.deepEqual(heard, ['timeout at 32000', 'terminated at 32000']);
});

test('RFC 3261 §17.1.2.2: after a provisional response timer E runs at T2 and timer F goes on', () => {
  const { clock, flow, heard, answer } = start('OPTIONS', 'udp');
  answer(100);
  clock.advance(60_000);
  assert.deepEqual(flow.times('OPTIONS'), [0, 500, 4500, 8500, 12_500, 16_500, 20_500, 24_500, 28_500]);
  assert.deepEqual(heard, ['100', 'timeout at 32000', 'terminated at 32000']);
});

test('RFC 3261 §17.1.2.2: copies of the final response are absorbed for timer K: T4 over UDP, nothing over TCP', () => {
  const udp = start('BYE', 'udp');
  udp.answer(200);
  udp.clock.advance(4999);
  udp.answer(200);
  assert.equal(udp.layer.size, 1);
  udp.clock.advance(1);
  assert.deepEqual(udp.heard, ['200', 'terminated at 5000']);
  const tcp = start('BYE', 'tcp');
  tcp.answer(200);
  assert.deepEqual(tcp.heard, ['200', 'terminated at 0']);
  assert.equal(tcp.clock.pending, 0);
});

test('RFC 3261 §17.1.4: a send that fails ends the transaction', async () => {
  for (const method of ['INVITE', 'OPTIONS']) {
    const clock = new ManualClock();
    const flow = new ScriptedFlow(clock, 'tcp');
    flow.broken = true;
    const layer = new TransactionLayer({ transports: new ScriptedTransports(), clock });
    const heard = listen(layer.request(exampleRequest(method), flow), clock);
    await settle();
    assert.deepEqual(heard, ['transport-failed', 'terminated at 0']);
    assert.equal(layer.size + clock.pending, 0);
  }
});

test('a connection that closes ends what waits on it, and nothing on other connections', () => {
  const { transports, flow, layer, heard, clock } = start('INVITE', 'tcp');
  const other = new ScriptedFlow(clock, 'tcp');
  layer.request(exampleRequest('OPTIONS'), other);
  transports.emit('closed', flow);
  assert.deepEqual(heard, ['transport-failed', 'terminated at 0']);
  assert.equal(layer.size, 1);
});

test('RFC 3261 §9.1: CANCEL waits for a provisional response', () => {
  const { clock, flow, layer, transaction, answer, heard } = start('INVITE', 'udp');
  transaction.cancel();
  clock.advance(400);
  assert.deepEqual(flow.times('CANCEL'), []);
  answer(100);
  assert.deepEqual(flow.times('CANCEL'), [400]);
  const cancel = flow.last;
  assert.equal(cancel.headers.get('Via'), transaction.request.headers.get('Via'));
  assert.equal(cancel.headers.get('CSeq'), '1 CANCEL');
  transaction.cancel();
  assert.equal(flow.times('CANCEL').length, 1, 'a second cancel() changes nothing');
  answer(487);
  assert.deepEqual(heard, ['100', '487']);
  assert.deepEqual(flow.times('ACK'), [400]);
  clock.advance(40_000);
  assert.equal(layer.size + clock.pending, 0);
});

test('RFC 3261 §9.1: after a provisional response CANCEL goes at once, and without final response 64*T1 end the INVITE', () => {
  const { clock, flow, layer, transaction, answer, heard } = start('INVITE', 'tcp');
  answer(180);
  clock.advance(100);
  transaction.cancel();
  assert.deepEqual(flow.times('CANCEL'), [100]);
  answer(183);
  clock.advance(32_000);
  assert.deepEqual(heard, ['180', '183', 'timeout at 32100', 'terminated at 32100']);
  assert.equal(layer.size, 0);
});

test('RFC 3261 §9.1: CANCEL does nothing to an answered INVITE nor to other methods', () => {
  const invite = start('INVITE', 'tcp');
  invite.answer(200);
  invite.transaction.cancel();
  assert.deepEqual(invite.flow.times('CANCEL'), []);
  const options = start('OPTIONS', 'tcp');
  options.transaction.cancel();
  options.answer(100);
  assert.deepEqual(options.flow.times('CANCEL'), []);
});

test('close() ends every timer and tells who waits', () => {
  const { layer, heard, clock } = start('INVITE', 'udp');
  layer.close();
  layer.close();
  assert.deepEqual(heard, ['transport-failed', 'terminated at 0']);
  assert.equal(layer.size + clock.pending, 0);
  assert.throws(() => layer.request(exampleRequest('BYE'), new ScriptedFlow(clock, 'tcp')), { code: 'not-possible' });
});
