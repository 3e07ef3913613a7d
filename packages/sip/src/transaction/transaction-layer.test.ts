import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../clock.js';
import { createResponse } from '../message/create-response.js';
import { tagOf } from '../message/name-addr.js';
import type { SipRequest } from '../message/sip-message.js';
import { exampleRequest, ScriptedFlow, ScriptedTransports, settle } from './scripted-flow.js';
import type { ServerTransaction } from './server-transaction.js';
import { TransactionLayer, type TransactionLayerOptions } from './transaction-layer.js';

const viaText = 'SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK1';

function serve(options: Partial<TransactionLayerOptions> = {}, flow?: ScriptedFlow) {
  const clock = new ManualClock();
  const transports = new ScriptedTransports();
  const on = flow ?? new ScriptedFlow(clock, 'udp');
  const layer = new TransactionLayer({ transports, clock, ...options });
  const requests: ServerTransaction[] = [];
  layer.on('request', (transaction) => requests.push(transaction));
  const receive = (request: SipRequest): void => transports.receive(request, on);
  return { clock, transports, flow: on, layer, requests, receive };
}

function first(requests: readonly ServerTransaction[]): ServerTransaction {
  const [transaction] = requests;
  if (transaction === undefined) throw new Error('no request has come');
  return transaction;
}

test('RFC 3261 §9.2: a CANCEL gets 200 with the To tag of the INVITE, whose owner hears of it', () => {
  const { flow, receive, requests } = serve();
  receive(exampleRequest('INVITE', { via: viaText }));
  const invite = first(requests);
  let cancelled = 0;
  invite.on('cancel', () => {
    cancelled += 1;
  });
  receive(exampleRequest('CANCEL', { via: viaText }));
  receive(exampleRequest('CANCEL', { via: viaText }));
  assert.equal(cancelled, 1);
  assert.equal(requests.length, 1, 'the CANCEL is no request of its own to the owner');
  assert.deepEqual(flow.times(200), [0, 0], 'the copy gets the 200 again');
  assert.equal(tagOf(flow.last.to), invite.toTag);
  assert.deepEqual(flow.times(487), []);
});

test('RFC 3261 §9.2: with autoTerminate the layer answers a cancelled INVITE 487', () => {
  const { flow, receive } = serve({ autoTerminate: true });
  receive(exampleRequest('INVITE', { via: viaText }));
  receive(exampleRequest('CANCEL', { via: viaText }));
  assert.deepEqual(flow.times(487), [0]);
});

test('RFC 3261 §9.2: a CANCEL after the final response gets 200 and has no effect', () => {
  const { flow, receive, requests } = serve({ autoTerminate: true });
  receive(exampleRequest('INVITE', { via: viaText }));
  const invite = first(requests);
  invite.on('cancel', () => assert.fail('no cancel after an answer'));
  void invite.respond(createResponse(invite.request, 200, { toTag: 'b' }));
  receive(exampleRequest('CANCEL', { via: viaText }));
  assert.deepEqual(flow.times(487), []);
  assert.equal(flow.last.headers.get('CSeq'), '1 CANCEL');
  assert.equal(tagOf(flow.last.to), 'b');
});

test('RFC 3261 §9.2: a CANCEL without transaction gets 481', () => {
  const { flow, receive, layer, clock } = serve();
  receive(exampleRequest('CANCEL', { via: viaText }));
  assert.deepEqual(flow.times(481), [0]);
  clock.advance(32_000);
  assert.equal(layer.size, 0);
});

test('RFC 3261 §17.2.3: branch, sent-by and method tell transactions apart', () => {
  const { receive, requests } = serve();
  receive(exampleRequest('INVITE', { via: viaText }));
  receive(exampleRequest('INVITE', { via: viaText }));
  receive(exampleRequest('INFO', { via: viaText }));
  receive(exampleRequest('INVITE', { via: viaText.replace('5060', '5070') }));
  receive(exampleRequest('INVITE', { via: `${viaText}x` }));
  assert.deepEqual(
    requests.map(({ request }) => request.method),
    ['INVITE', 'INFO', 'INVITE', 'INVITE'],
  );
});

test('RFC 3261 §17.2.3: a client of RFC 2543 is matched by URI, tags, Call-ID, CSeq and Via', () => {
  const { receive, requests, layer, clock } = serve();
  const old = 'SIP/2.0/UDP 192.0.2.2:5060';
  receive(exampleRequest('INVITE', { via: old }));
  receive(exampleRequest('INVITE', { via: old }));
  assert.equal(requests.length, 1);
  const invite = first(requests);
  void invite.respond(createResponse(invite.request, 486, { toTag: 'b' }));
  receive(exampleRequest('ACK', { via: old, toTag: 'b' }));
  assert.equal(invite.state, 'confirmed');
  receive(exampleRequest('INVITE', { via: old, cseq: 2 }));
  assert.equal(requests.length, 2);
  clock.advance(5000);
  assert.equal(layer.size, 1);
});

test('RFC 3261 §17.1.3: a response is matched by branch and method, anything else is stray', () => {
  const { layer, transports, flow } = serve();
  const strays: string[] = [];
  layer.on('strayResponse', (response) => strays.push(response.headers.get('CSeq') ?? ''));
  const transaction = layer.request(exampleRequest('INFO'), flow);
  const finals: number[] = [];
  transaction.on('final', (response) => finals.push(response.status));
  const other = exampleRequest('BYE', { via: transaction.request.headers.get('Via') ?? '' });
  transports.receive(createResponse(other, 200), flow);
  transports.receive(createResponse(exampleRequest('INFO', { via: viaText }), 200), flow);
  transports.receive(createResponse(transaction.request, 200), flow);
  assert.deepEqual(strays, ['1 BYE', '1 INFO']);
  assert.deepEqual(finals, [200]);
});

test('RFC 3581 §4: received and rport are noted where the client asked, received alone where hosts differ', () => {
  const clock = new ManualClock();
  const flow = new ScriptedFlow(clock, 'udp', { host: '198.51.100.7', port: 40_000 });
  const { receive, requests } = serve({}, flow);
  receive(exampleRequest('OPTIONS', { via: 'SIP/2.0/UDP 10.0.0.1:5060;rport;branch=z9hG4bKa' }));
  receive(
    exampleRequest('OPTIONS', { via: 'SIP/2.0/UDP 198.51.100.7:40000;branch=z9hG4bKb, SIP/2.0/UDP a;branch=z9hG4bKc' }),
  );
  const [natted, plain] = requests;
  assert.equal(natted?.request.topVia.parameters.get('received'), '198.51.100.7');
  assert.equal(natted?.request.topVia.parameters.get('rport'), '40000');
  assert.equal(plain?.request.topVia.parameters.has('received'), false);
  assert.equal(plain?.request.headers.values('Via').length, 2);
});

test('RFC 3261 §18.2.2: without rport the response goes to the port of sent-by, with it to the source port', async () => {
  const clock = new ManualClock();
  const flow = new ScriptedFlow(clock, 'udp', { host: '198.51.100.7', port: 40_000 });
  const { receive, requests, transports } = serve({}, flow);
  const back = new ScriptedFlow(clock, 'udp', { host: '198.51.100.7', port: 5060 });
  transports.next = back;
  receive(exampleRequest('OPTIONS', { via: 'SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa' }));
  const { request } = first(requests);
  assert.equal(await first(requests).respond(createResponse(request, 200)), true);
  assert.deepEqual(transports.dialled, [{ protocol: 'udp', host: '198.51.100.7', port: 5060, local: flow.local }]);
  assert.deepEqual(back.times(200), [0]);
  assert.deepEqual(flow.sent, []);
});

test('a request of ours carries our Via: branch, sent-by of choice, rport over UDP only', () => {
  const { layer, flow, clock } = serve({ viaHost: 'edge.example.org:5070' });
  const request = exampleRequest('OPTIONS');
  const { request: sent, branch } = layer.request(request, flow);
  assert.equal(sent.headers.get('Via'), `SIP/2.0/UDP edge.example.org:5070;branch=${branch};rport`);
  assert.match(branch, /^z9hG4bK/);
  assert.equal(request.headers.has('Via'), false, 'the given request is not changed');
  const tcp = layer.request(request, new ScriptedFlow(clock, 'tcp')).request;
  assert.equal(tcp.topVia.parameters.has('rport'), false);
});

test('above maxTransactions a new request gets 503 with Retry-After, but CANCEL and ACK of known ones go through', () => {
  const { layer, flow, receive, requests } = serve({ maxTransactions: 1 });
  const refused: string[] = [];
  layer.on('refused', (request) => refused.push(request.method));
  receive(exampleRequest('INVITE', { via: viaText }));
  receive(exampleRequest('INVITE', { via: `${viaText}x` }));
  assert.deepEqual(flow.times(503), [0]);
  assert.equal(flow.last.headers.get('Retry-After'), '5');
  assert.deepEqual(refused, ['INVITE']);
  receive(exampleRequest('CANCEL', { via: viaText }));
  assert.deepEqual(flow.times(200), [0]);
  assert.equal(requests.length, 1);
});

test('above maxTransactions a request within a call is still served, up to a quarter more', () => {
  const { flow, receive, requests } = serve({ maxTransactions: 4 });
  for (let i = 0; i < 5; i += 1) receive(exampleRequest('OPTIONS', { via: `${viaText}${i}` }));
  assert.equal(requests.length, 4);
  assert.deepEqual(flow.times(503), [0]);
  receive(exampleRequest('BYE', { via: `${viaText}-1`, toTag: 'b' }));
  assert.equal(requests.at(-1)?.request.method, 'BYE');
  receive(exampleRequest('BYE', { via: `${viaText}-2`, toTag: 'b' }));
  assert.equal(requests.length, 5);
  assert.deepEqual(flow.times(503), [0, 0]);
});

test('RFC 3261 §25.1: a tag without a value gets 400 whatever the method, and opens no transaction', () => {
  const { layer, flow, transports, requests } = serve();
  const faults: Error[] = [];
  layer.on('fault', (error) => faults.push(error));
  const answers: string[] = [];
  flow.send = async (bytes) => {
    answers.push(String(bytes));
  };
  for (const method of ['OPTIONS', 'INVITE', 'CANCEL', 'BYE']) {
    const request = exampleRequest(method, { via: `${viaText}${method}` });
    request.headers.set('To', '<sip:bob@example.net>;tag');
    transports.receive(request, flow);
    // RFC 3261 §8.2.6.2: a To that has a tag goes back as it came.
    assert.match(answers.pop() ?? '', /^SIP\/2\.0 400 .*\r\nTo: <sip:bob@example\.net>;tag\r\n/s);
  }
  assert.deepEqual(faults, []);
  assert.equal(layer.size + requests.length, 0);
});

test('a malformed request is refused without a transaction, a malformed ACK or response never answered; all are told', () => {
  const { layer, flow, transports } = serve();
  const told: [string, boolean][] = [];
  layer.on('malformed', (error, _flow, answered) => told.push([error.code, answered]));
  const lines = [`Via: ${viaText}`, 'From: <sip:a@b>;tag=1', 'To: <sip:c@d>', 'Call-ID: x'];
  const send = (start: string, ...rest: string[]): void => {
    transports.emit('message', Buffer.from([start, ...lines, ...rest, '', ''].join('\r\n')), flow);
  };
  send('INVITE sip:c@d SIP/2.0', 'CSeq: 1 INFO');
  assert.deepEqual(flow.times(400), [0]);
  assert.notEqual(tagOf(flow.last.to), undefined);
  send('INVITE sip:c@d SIP/3.0', 'CSeq: 1 INVITE');
  assert.deepEqual(flow.times(505), [0]);
  send('ACK sip:c@d SIP/2.0', 'CSeq: one ACK');
  send('SIP/2.0 200 OK', 'CSeq: one INVITE');
  transports.emit('message', Buffer.from('nonsense\r\n\r\n'), flow);
  assert.equal(flow.sent.length, 2);
  assert.deepEqual(told, [
    ['malformed', true],
    ['unsupported-version', true],
    ['malformed', false],
    ['malformed', false],
    ['malformed', false],
  ]);
  assert.equal(layer.size, 0);
});

test('the connection of an unanswered request that closes is told to its owner, and nothing of it is left', async () => {
  const clock = new ManualClock();
  const flow = new ScriptedFlow(clock, 'tcp');
  const { receive, requests, transports, layer } = serve({}, flow);
  receive(exampleRequest('INVITE', { via: viaText }));
  const codes: string[] = [];
  first(requests).on('transportError', (error) => codes.push(error.code));
  flow.close();
  transports.emit('closed', flow);
  await settle();
  assert.deepEqual(codes, ['transport-failed']);
  assert.equal(layer.size + clock.pending, 0);
  const { request, toTag } = first(requests);
  assert.equal(await first(requests).respond(createResponse(request, 200, { toTag })), false);
});
