import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, SidestreamError } from '@sidestream/service';
import { Headers, SipError, type SipErrorCode, SipResponse } from '@sidestream/sip';
import { type FailureClass, failureOf, recorderError, retryAfterMs } from './recorder-failure.js';

type Health = readonly [FailureClass, 'link' | 'invite', 'definite' | 'maybe'] | undefined;

const ofCodes: Readonly<Record<Exclude<SipErrorCode, 'rejected'>, readonly [Health, ErrorCode]>> = {
  'transport-failed': [['unreachable', 'link', 'maybe'], 'recorder-unreachable'],
  'tls-refused': [['tls-refused', 'link', 'definite'], 'recorder-unreachable'],
  'timed-out': [['timed-out', 'invite', 'maybe'], 'recorder-unreachable'],
  malformed: [['refused', 'invite', 'maybe'], 'recorder-refused'],
  'unsupported-version': [['refused', 'invite', 'maybe'], 'recorder-refused'],
  'too-large': [['refused', 'invite', 'maybe'], 'recorder-refused'],
  cancelled: [undefined, 'cancelled'],
  'dialog-gone': [undefined, 'recorder-unreachable'],
  'not-possible': [undefined, 'recorder-unreachable'],
};

const ofStatuses: ReadonlyArray<readonly [status: number, Health]> = [
  [302, ['refused', 'invite', 'maybe']],
  [401, ['unauthorized', 'invite', 'definite']],
  [403, ['unauthorized', 'invite', 'definite']],
  [407, ['unauthorized', 'invite', 'definite']],
  [408, ['timed-out', 'invite', 'maybe']],
  [415, ['refused', 'invite', 'maybe']],
  [420, ['refused', 'invite', 'maybe']],
  [486, ['refused', 'invite', 'maybe']],
  [488, ['refused', 'invite', 'maybe']],
  [500, ['unavailable', 'invite', 'maybe']],
  [503, ['unavailable', 'invite', 'maybe']],
  [504, ['timed-out', 'invite', 'maybe']],
  [603, ['refused', 'invite', 'maybe']],
];

function health(error: unknown): Health {
  const failure = failureOf(error);
  return failure && [failure.class, failure.proof, failure.definite ? 'definite' : 'maybe'];
}

function rejected(status: number, retryAfter?: string): SipError {
  const headers = new Headers(retryAfter === undefined ? [] : [['Retry-After', retryAfter]]);
  const response = new SipResponse({ status, reason: 'No', headers });
  return new SipError('rejected', `INVITE: ${status}`, { status, response });
}

for (const [code, [expected, termination]] of Object.entries(ofCodes) as [
  SipErrorCode,
  readonly [Health, ErrorCode],
][]) {
  test(`${code} at a recorder: ${expected?.join(', ') ?? 'says nothing of it'}; ends as ${termination}`, () => {
    const error = new SipError(code, 'why');
    assert.deepEqual(health(error), expected);
    const told = recorderError('recorder.test', error);
    assert.equal(told.code, termination);
    assert.equal(told.message, 'recorder recorder.test: why');
  });
}

for (const [status, expected] of ofStatuses) {
  test(`${status} of a recorder: ${expected?.join(', ')}`, () => {
    assert.deepEqual(health(rejected(status)), expected);
    assert.equal(recorderError('recorder.test', rejected(status)).code, 'recorder-refused');
  });
}

test('an error of our own says nothing of the recorder', () => {
  assert.equal(failureOf(new SidestreamError('overloaded', 'full')), undefined);
  assert.equal(failureOf(new Error('bug')), undefined);
});

for (const [value, ms] of [
  ['5', 5_000],
  ['18000;duration=3600', 18_000_000],
  ['120 (at lunch)', 120_000],
  ['0', 0],
  ['-5', undefined],
  ['soon', undefined],
  ['99999999999', undefined],
  [undefined, undefined],
] as const) {
  test(`RFC 3261 §20.33: Retry-After '${value}' is ${ms} ms`, () => {
    assert.equal(retryAfterMs(value), ms);
    if (value !== undefined) assert.equal(failureOf(rejected(503, value))?.retryAfterMs, ms);
  });
}
