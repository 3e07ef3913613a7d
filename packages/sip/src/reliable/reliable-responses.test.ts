import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../clock.js';
import { createResponse } from '../message/create-response.js';
import { Headers } from '../message/headers.js';
import { SipRequest, type SipResponse } from '../message/sip-message.js';
import { SipError } from '../sip-error.js';
import { exampleRequest, ScriptedFlow, ScriptedTransports } from '../transaction/scripted-flow.js';
import type { ServerTransaction } from '../transaction/server-transaction.js';
import { TransactionLayer } from '../transaction/transaction-layer.js';
import { ReliableResponses } from './reliable-responses.js';
import { maxWaitingReliable } from './sending.js';

function ring(protocol: 'udp' | 'tcp' = 'udp') {
  const clock = new ManualClock();
  const transports = new ScriptedTransports();
  const flow = new ScriptedFlow(clock, protocol);
  const layer = new TransactionLayer({ transports, clock });
  let given: ServerTransaction | undefined;
  layer.on('request', (transaction) => {
    given = transaction;
  });
  const via = 'SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK1';
  transports.receive(exampleRequest('INVITE', { via, cseq: 7 }), flow);
  if (given === undefined) throw new Error('no transaction');
  const transaction = given;
  const heard: string[] = [];
  const reliable = new ReliableResponses(transaction, { onGaveUp: () => heard.push(`gave up at ${clock.now()}`) });
  const response = (status: number, body = ''): SipResponse =>
    createResponse(transaction.request, status, { toTag: 'b', body: Buffer.from(body) });
  const prack = (rseq: string | number | undefined, rest = '7 INVITE'): boolean =>
    reliable.acknowledge(
      new SipRequest({ method: 'PRACK', uri: 'sip:a@b', headers: new Headers([['RAck', `${rseq} ${rest}`]]) }),
    );
  const final = (status: number): void => reliable.final(response(status), () => heard.push(`${status} sent`));
  return { clock, flow, reliable, response, prack, final, heard };
}

const rseqOf = (response: SipResponse): number => Number(response.headers.get('RSeq'));

test('RFC 3262 §3: repeated after T1, 2*T1, 4*T1 … over any transport, until its PRACK', () => {
  for (const protocol of ['udp', 'tcp'] as const) {
    const { clock, flow, reliable, response, prack, heard } = ring(protocol);
    const sent = reliable.send(response(183, 'v=0'));
    assert.equal(sent.headers.get('Require'), '100rel');
    assert.ok(rseqOf(sent) >= 1 && rseqOf(sent) < 2 ** 31);
    clock.advance(8_000);
    // Doubling goes on beyond T2.
    assert.deepEqual(flow.times(183), [0, 500, 1500, 3500, 7500]);
    assert.equal(prack(rseqOf(sent)), true);
    clock.advance(60_000);
    assert.equal(flow.times(183).length, 5);
    assert.deepEqual(heard, []);
  }
});

test('RFC 3262 §3: no PRACK in 64*T1 gives up, once, and no longer repeats', () => {
  const { clock, flow, reliable, response, prack, heard } = ring();
  const sent = reliable.send(response(180));
  clock.advance(31_999);
  assert.deepEqual(heard, []);
  clock.advance(100_000);
  assert.deepEqual(heard, ['gave up at 32000']);
  assert.deepEqual(flow.times(180), [0, 500, 1500, 3500, 7500, 15_500, 31_500]);
  assert.equal(prack(rseqOf(sent)), false);
});

test('RFC 3262 §3: a PRACK matches RSeq, CSeq number and method; only once', () => {
  const { reliable, response, prack } = ring();
  const rseq = rseqOf(reliable.send(response(180)));
  assert.equal(prack(rseq + 1), false);
  assert.equal(prack(rseq, '8 INVITE'), false);
  assert.equal(prack(rseq, '7 UPDATE'), false);
  assert.throws(() => prack('x'), SipError);
  assert.equal(prack(rseq), true);
  assert.equal(prack(rseq), false);
});

test('RFC 3262 §3: the next reliable response waits for the PRACK of the one before, with the next RSeq', () => {
  const { flow, reliable, response, prack } = ring();
  const first = reliable.send(response(183));
  const second = reliable.send(response(180));
  assert.equal(rseqOf(second), rseqOf(first) + 1);
  assert.deepEqual(flow.times(180), []);
  assert.equal(prack(rseqOf(second)), false);
  assert.equal(prack(rseqOf(first)), true);
  assert.deepEqual(flow.times(180), [0]);
  assert.equal(prack(rseqOf(second)), true);
});

test('the responses that wait are bounded', () => {
  const { reliable, response } = ring();
  for (let i = 0; i <= maxWaitingReliable; i += 1) reliable.send(response(183));
  assert.throws(
    () => reliable.send(response(183)),
    (error) => error instanceof SipError && error.code === 'not-possible',
  );
});

test('RFC 3262 §3: a 200 waits for the PRACK of a session description, and for one that waits behind it', () => {
  const { flow, reliable, response, prack, final, heard } = ring();
  const first = reliable.send(response(183, 'v=0'));
  const second = reliable.send(response(183, 'v=0'));
  final(200);
  assert.deepEqual([flow.times(200), heard], [[], []]);
  prack(rseqOf(first));
  assert.deepEqual(flow.times(200), []);
  prack(rseqOf(second));
  assert.deepEqual([flow.times(200), heard], [[0], ['200 sent']]);
  final(200);
  assert.deepEqual(flow.times(200), [0]);
});

test('RFC 3262 §3: a 200 need not wait without a session description; repeats end, a late PRACK is still good', () => {
  const { clock, flow, reliable, response, prack, final } = ring();
  const first = reliable.send(response(180));
  reliable.send(response(181));
  final(200);
  assert.deepEqual([flow.times(200), flow.times(181)], [[0], []]);
  clock.advance(20_000);
  assert.deepEqual(flow.times(180), [0]);
  assert.equal(prack(rseqOf(first)), true);
  assert.deepEqual(flow.times(181), []);
  assert.throws(() => reliable.send(response(180)), SipError);
});

test('RFC 3262 §3: a failure goes out at once, in place of a 200 that waits too', () => {
  const { flow, reliable, response, prack, final, heard } = ring();
  const sent = reliable.send(response(183, 'v=0'));
  final(200);
  final(487);
  assert.deepEqual([flow.times(487), flow.times(200), heard], [[0], [], ['487 sent']]);
  assert.equal(prack(rseqOf(sent)), true);
  assert.deepEqual([flow.times(200), heard], [[], ['487 sent']]);
});
