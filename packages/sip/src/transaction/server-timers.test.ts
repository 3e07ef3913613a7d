import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../clock.js';
import { createResponse } from '../message/create-response.js';
import type { TransportProtocol } from '../transport/flow.js';
import { retransmit2xx } from './retransmit-2xx.js';
import { exampleRequest, ScriptedFlow, ScriptedTransports, settle } from './scripted-flow.js';
import type { ServerTransaction } from './server-transaction.js';
import { TransactionLayer, type TransactionLayerOptions } from './transaction-layer.js';

const via = (branch: string): string => `SIP/2.0/UDP 192.0.2.2:5060;branch=${branch}`;

function serve(method: string, protocol: TransportProtocol, options: Partial<TransactionLayerOptions> = {}) {
  const clock = new ManualClock();
  const transports = new ScriptedTransports();
  const flow = new ScriptedFlow(clock, protocol);
  const layer = new TransactionLayer({ transports, clock, ...options });
  const heard: string[] = [];
  let given: ServerTransaction | undefined;
  layer.on('request', (transaction) => {
    heard.push(transaction.request.method);
    given = transaction;
    transaction.on('ack', () => heard.push('ack'));
    transaction.on('cancel', () => heard.push('cancel'));
    transaction.on('timeout', () => heard.push(`timeout at ${clock.now()}`));
    transaction.on('transportError', (error) => heard.push(error.code));
    transaction.on('terminated', () => heard.push(`terminated at ${clock.now()}`));
  });
  layer.on('ack', () => heard.push('ack of a 2xx'));
  const request = exampleRequest(method, { via: via('z9hG4bK1') });
  const again = (): void => transports.receive(request, flow);
  again();
  if (given === undefined) throw new Error('no transaction');
  const transaction = given;
  const respond = (status: number): Promise<boolean> =>
    transaction.respond(createResponse(transaction.request, status, { toTag: 'b' }));
  const ack = (branch: string): void =>
    transports.receive(exampleRequest('ACK', { via: via(branch), toTag: 'b' }), flow);
  return { clock, transports, flow, layer, heard, transaction, respond, again, ack };
}

test('RFC 3261 §17.2.1: an INVITE gets its 100 at once, or after the delay of choice unless it was answered', () => {
  const atOnce = serve('INVITE', 'udp');
  assert.deepEqual(atOnce.flow.times(100), [0]);
  const delayed = serve('INVITE', 'udp', { tryingDelayMs: 200 });
  delayed.again();
  assert.deepEqual(delayed.flow.sent, []);
  delayed.clock.advance(1000);
  assert.deepEqual(delayed.flow.times(100), [200]);
  const answered = serve('INVITE', 'udp', { tryingDelayMs: 200 });
  void answered.respond(180);
  answered.clock.advance(1000);
  assert.deepEqual(answered.flow.times(100), []);
});

test('RFC 3261 §17.2.1: a copy of the INVITE gets the last provisional response again', () => {
  const { flow, respond, again, heard, clock } = serve('INVITE', 'udp');
  void respond(183);
  clock.advance(500);
  again();
  assert.deepEqual(flow.times(183), [0, 500]);
  assert.deepEqual(heard, ['INVITE']);
});

test('RFC 3261 §17.2.1: over UDP a failure is repeated by timer G up to every T2, until timer H at 64*T1', () => {
  const { clock, flow, layer, heard, respond } = serve('INVITE', 'udp');
  void respond(486);
  clock.advance(60_000);
  assert.deepEqual(flow.times(486), [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
  assert.deepEqual(heard, ['INVITE', 'timeout at 32000', 'terminated at 32000']);
  assert.equal(layer.size, 0);
});

test('RFC 3261 §26.3.2.4: served quietly, a failure that comes first is sent once and again for each copy of the INVITE', () => {
  const { clock, flow, layer, respond, again } = serve('INVITE', 'udp', { receive: () => 'quietly' });
  clock.advance(199);
  void respond(401);
  clock.advance(10_000);
  again();
  clock.advance(30_000);
  assert.deepEqual(flow.times(100), []);
  assert.deepEqual(flow.times(401), [199, 10_199]);
  assert.equal(layer.size, 0);
});

test('served quietly, a call that is let in gets 100 after 200 ms, and its failure is repeated as usual', () => {
  const { clock, flow, respond } = serve('INVITE', 'udp', { receive: () => 'quietly' });
  clock.advance(1_000);
  void respond(486);
  clock.advance(1_000);
  assert.deepEqual(flow.times(100), [200]);
  assert.deepEqual(flow.times(486), [1_000, 1_500]);
});

test('RFC 3261 §17.2.1: over TCP a failure is sent once, and timer H still holds', () => {
  const { clock, flow, heard, respond } = serve('INVITE', 'tcp');
  void respond(486);
  clock.advance(60_000);
  assert.deepEqual(flow.times(486), [0]);
  assert.deepEqual(heard, ['INVITE', 'timeout at 32000', 'terminated at 32000']);
});

test('RFC 3261 §17.2.1: the ACK ends timer G; its copies are absorbed for timer I: T4 over UDP, nothing over TCP', () => {
  const udp = serve('INVITE', 'udp');
  void udp.respond(486);
  udp.clock.advance(600);
  udp.ack('z9hG4bK1');
  udp.clock.advance(4999);
  udp.ack('z9hG4bK1');
  udp.again();
  assert.equal(udp.layer.size, 1);
  udp.clock.advance(1);
  assert.deepEqual(udp.flow.times(486), [0, 500]);
  assert.deepEqual(udp.heard, ['INVITE', 'ack', 'terminated at 5600']);
  const tcp = serve('INVITE', 'tcp');
  void tcp.respond(486);
  tcp.ack('z9hG4bK1');
  assert.deepEqual(tcp.heard, ['INVITE', 'ack', 'terminated at 0']);
  assert.equal(tcp.clock.pending, 0);
});

test('RFC 6026 §7.1: after a 2xx copies of the INVITE are absorbed until timer L at 64*T1, ACKs go to the user', () => {
  const { clock, flow, layer, heard, respond, again, ack } = serve('INVITE', 'tcp');
  void respond(200);
  clock.advance(10_000);
  again();
  ack('z9hG4bK-of-the-ack');
  ack('z9hG4bK1');
  assert.deepEqual(flow.times(200), [0]);
  clock.advance(21_999);
  assert.equal(layer.size, 1);
  clock.advance(1);
  assert.deepEqual(heard, ['INVITE', 'ack of a 2xx', 'ack of a 2xx', 'terminated at 32000']);
  assert.equal(clock.pending, 0);
});

test('RFC 3261 §13.3.1.4: a 2xx is repeated from T1 to T2 over any transport, and given up after 64*T1', () => {
  const { clock, flow, transaction, heard } = serve('INVITE', 'tcp');
  const response = createResponse(transaction.request, 200, { toTag: 'b' });
  void transaction.respond(response);
  retransmit2xx(transaction, response, {
    onGaveUp: () => heard.push(`no ACK at ${clock.now()}`),
    onUnreachable: () => assert.fail('the connection stands'),
  });
  clock.advance(60_000);
  assert.deepEqual(flow.times(200), [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
  assert.ok(heard.includes('no ACK at 32000'));
  assert.equal(clock.pending, 0);
});

test('RFC 3261 §17.2.2: the final response is repeated for copies during timer J: 64*T1 over UDP, nothing over TCP', () => {
  const udp = serve('OPTIONS', 'udp');
  udp.again();
  assert.deepEqual(udp.flow.sent, [], 'copies in Trying are absorbed');
  void udp.respond(200);
  udp.clock.advance(31_999);
  udp.again();
  assert.deepEqual(udp.flow.times(200), [0, 31_999]);
  udp.clock.advance(1);
  assert.deepEqual(udp.heard, ['OPTIONS', 'terminated at 32000']);
  const tcp = serve('OPTIONS', 'tcp');
  void tcp.respond(200);
  assert.deepEqual(tcp.heard, ['OPTIONS', 'terminated at 0']);
  assert.equal(tcp.clock.pending, 0);
});

test('RFC 4320 §4.1: an unanswered request gets 100 after 3.5 s and no other provisional response', async () => {
  const { clock, flow, respond } = serve('INFO', 'udp');
  assert.equal(await respond(183), false);
  clock.advance(10_000);
  assert.deepEqual(flow.times(100), [3500]);
  assert.deepEqual(flow.times(183), []);
});

test('RFC 4320 §4.2: a request other than INVITE is never answered 408', async () => {
  const { flow, layer, respond } = serve('INFO', 'udp');
  assert.equal(await respond(408), false);
  assert.deepEqual(flow.sent, []);
  assert.equal(layer.size, 0);
});

test('a second final response is not sent, and respond() says so', async () => {
  const { flow, respond } = serve('INVITE', 'udp');
  assert.equal(await respond(486), true);
  assert.equal(await respond(200), false);
  assert.deepEqual(flow.times(200), []);
});

test('RFC 6026 §7.1: a response that cannot be sent leaves the INVITE transaction, which absorbs copies', async () => {
  const { flow, layer, heard, respond, again } = serve('INVITE', 'tcp');
  flow.broken = true;
  assert.equal(await respond(200), false);
  again();
  await settle();
  assert.deepEqual(heard, ['INVITE', 'transport-failed']);
  assert.equal(layer.size, 1);
});
