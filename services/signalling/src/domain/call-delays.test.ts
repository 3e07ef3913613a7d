import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallDelays } from './call-delays.js';

test('post-dial delay is our way out and our way back, not what the far side took', () => {
  const delays = new CallDelays(1_000);
  delays.inviteLeft(1_012);
  delays.ringingPassed(4_000, 4_003);
  delays.ringingPassed(9_000, 9_500);
  assert.deepEqual(delays.atAnswer(9_500), { answerDelayMs: 8_500, postDialDelayMs: 15 });
});
