import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Headers } from '../message/headers.js';
import { SipRequest, SipResponse } from '../message/sip-message.js';
import { SipError } from '../sip-error.js';
import {
  allowsReliable,
  formatRAck,
  isReliableProvisional,
  parseRAck,
  parseRSeq,
  rackFor,
  rackIn,
  requiresReliable,
} from './rack.js';

const malformed = (error: unknown): boolean => error instanceof SipError && error.code === 'malformed';

test('RFC 3262 §7.2: RAck is two numbers and a method; what is written is read back', () => {
  const rack = fc.record({
    rseq: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
    cseq: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    method: fc.constantFrom('INVITE', 'FOO', "x-!%*_+`'~."),
  });
  fc.assert(fc.property(rack, (value) => assert.deepEqual(parseRAck(formatRAck(value)), { ...value })));
  assert.deepEqual(parseRAck('776656 \t 1 INVITE'), { rseq: 776656, cseq: 1, method: 'INVITE' });
  for (const bad of [
    '',
    '1',
    '1 1',
    '0 1 INVITE',
    '4294967296 1 INVITE',
    '1 2147483648 INVITE',
    '-1 1 INVITE',
    '1 1 I@',
  ]) {
    assert.throws(() => parseRAck(bad), malformed, bad);
  }
});

test('RFC 3262 §7.1: RSeq is within 1 and 2^32 - 1', () => {
  assert.equal(parseRSeq('1'), 1);
  assert.equal(parseRSeq('4294967295'), 4294967295);
  for (const bad of ['', '0', '4294967296', '1.5', '0x1', '1 2', '99999999999']) {
    assert.throws(() => parseRSeq(bad), malformed, bad);
  }
});

test('RAck of a response names its RSeq, CSeq number and method; a PRACK without RAck is malformed', () => {
  const response = new SipResponse({
    status: 183,
    headers: new Headers([
      ['CSeq', '7 INVITE'],
      ['RSeq', '99'],
    ]),
  });
  assert.deepEqual(rackFor(response), { rseq: 99, cseq: 7, method: 'INVITE' });
  const prack = new SipRequest({ method: 'PRACK', uri: 'sip:a@b', headers: new Headers([['RAck', '99 7 INVITE']]) });
  assert.deepEqual(rackIn(prack), rackFor(response));
  assert.throws(() => rackIn(new SipRequest({ method: 'PRACK', uri: 'sip:a@b' })), malformed);
  assert.throws(
    () => rackFor(new SipResponse({ status: 183, headers: new Headers([['CSeq', '7 INVITE']]) })),
    malformed,
  );
});

test('RFC 3262 §3 and §4: who may and must be reliable, in any case and any line; on a 100 the tag means nothing', () => {
  const invite = (...headers: [string, string][]) =>
    new SipRequest({ method: 'INVITE', uri: 'sip:a@b', headers: new Headers(headers) });
  assert.equal(allowsReliable(invite()), false);
  assert.equal(allowsReliable(invite(['k', 'timer, 100REL'])), true);
  assert.equal(requiresReliable(invite(['Supported', '100rel'])), false);
  assert.equal(requiresReliable(invite(['Require', 'timer'], ['Require', 'foo,100rel'])), true);
  assert.equal(allowsReliable(invite(['Require', 'x100rel'])), false);
  const reliable = (status: number) =>
    isReliableProvisional(new SipResponse({ status, headers: new Headers([['Require', '100rel']]) }));
  assert.deepEqual([100, 101, 199, 200].map(reliable), [false, true, true, false]);
});
