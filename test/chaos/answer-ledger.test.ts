import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnswerLedger } from './answer-ledger.js';

/** What is found when `answers` come to a datagram with this start line. */
function found(startLine: string, answers: readonly string[]): readonly string[] {
  const ledger = new AnswerLedger();
  const via = 'Via: SIP/2.0/UDP 127.0.0.4;branch=z9hG4bK1x2\r\n\r\n';
  ledger.sent(Buffer.from(`${startLine}\r\n${via}`));
  for (const answer of answers) ledger.heard(Buffer.from(`${answer}\r\n${via}`));
  return ledger.findings;
}

for (const [what, startLine, answers] of [
  ['an answer to an ACK', 'ACK sip:a SIP/2.0', ['SIP/2.0 400 Bad']],
  ['an answer to a response', 'SIP/2.0 200 OK', ['SIP/2.0 400 Bad']],
  ['a copy of an answer to BYE', 'BYE sip:a SIP/2.0', ['SIP/2.0 481 No', 'SIP/2.0 481 No']],
  ['a second answer to BYE', 'BYE sip:a SIP/2.0', ['SIP/2.0 100 Trying', 'SIP/2.0 481 No']],
  ['a second final answer to INVITE', 'INVITE sip:a SIP/2.0', ['SIP/2.0 403 No', 'SIP/2.0 400 Bad']],
  ['a copy of a provisional answer', 'INVITE sip:a SIP/2.0', ['SIP/2.0 100 Trying', 'SIP/2.0 100 Trying']],
  ['a request', 'INVITE sip:a SIP/2.0', ['BYE sip:a SIP/2.0']],
  ['an answer that is much larger', 'OPTIONS sip:a SIP/2.0', [`SIP/2.0 200 ${'x'.repeat(700)}`]],
] as const)
  test(`${what} is found`, () => assert.equal(found(startLine, answers).length, 1));

test('a final answer to INVITE may come again, behind a provisional one', () => {
  assert.deepEqual(found('INVITE sip:a SIP/2.0', ['SIP/2.0 100 Trying', 'SIP/2.0 403 No', 'SIP/2.0 403 No']), []);
});
