// For tests only.
import assert from 'node:assert/strict';
import { SiprecError, type SiprecErrorCode } from '../siprec-error.js';

/** Asserts that the action throws a SiprecError of this code, and returns it. */
export function expectSiprecError(code: SiprecErrorCode, action: () => unknown): SiprecError {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof SiprecError, `not a SiprecError: ${String(error)}`);
    assert.equal(error.code, code, error.message);
    return error;
  }
  return assert.fail(`nothing thrown instead of ${code}`);
}
