import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closeReason } from './states.js';

test('the gateway’s close codes, as its README tells them', () => {
  const reasons = [
    [1001, 'going away', 'going-away'],
    [1006, '', 'connection-lost'],
    [1013, 'does not keep up', 'too-slow'],
    [1013, 'not ready yet', 'try-later'],
    [1013, 'issuer-unavailable', 'try-later'],
    [4400, 'malformed frame', 'protocol'],
    [4401, 'expired', 'token-refused'],
    [4403, 'origin not allowed', 'forbidden'],
    [4408, 'no first frame in time', 'no-answer'],
    [4409, 'unknown lastEventId', 'unknown-event-id'],
    [4429, 'too many frames', 'too-many'],
  ] as const;
  for (const [code, text, reason] of reasons) assert.equal(closeReason(code, text), reason, `${code} ${text}`);
});
