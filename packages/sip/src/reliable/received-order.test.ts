import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nothingReceived, type ReceivedOrder, receiveReliable } from './received-order.js';

function verdicts(...received: [tag: string, rseq: number][]): string[] {
  let order: ReceivedOrder = nothingReceived;
  return received.map(([tag, rseq]) => {
    const step = receiveReliable(order, tag, rseq);
    order = step.order;
    return step.verdict;
  });
}

test('RFC 3262 §4: the first one sets the number, then only the next is taken; copies are told from gaps', () => {
  assert.deepEqual(verdicts(['a', 10], ['a', 10], ['a', 12], ['a', 11], ['a', 10], ['a', 12]), [
    'accept',
    'repeat',
    'drop',
    'accept',
    'drop',
    'accept',
  ]);
});

test('RFC 3262 §4: every early dialog of a fork has its own numbers', () => {
  assert.deepEqual(verdicts(['k1', 11], ['k2', 21], ['k2', 22], ['k1', 12]), ['accept', 'accept', 'accept', 'accept']);
});

test('a fork without end is not remembered without end', () => {
  const many = Array.from({ length: 70 }, (_, i): [string, number] => [`tag${i}`, 1]);
  assert.equal(verdicts(...many).filter((verdict) => verdict === 'accept').length, 64);
});
