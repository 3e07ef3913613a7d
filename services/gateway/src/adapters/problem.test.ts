import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, SidestreamError } from '@sidestream/service';
import { problemOf } from './problem.js';

test('what went wrong behind the gateway has a status that says whether to ask again, and no more than the caller may know', () => {
  const statuses: readonly (readonly [ErrorCode, number])[] = [
    ['bad-request', 400],
    ['cancelled', 400],
    ['forbidden', 403],
    ['not-found', 404],
    ['wrong-state', 409],
    ['internal', 500],
    ['recorder-refused', 502],
    ['not-ready', 503],
    ['draining', 503],
    ['overloaded', 503],
    ['media-engine-unavailable', 503],
    ['deadline-exceeded', 504],
  ];
  for (const [code, status] of statuses) {
    const problem = problemOf(new SidestreamError(code, 'at 10.0.0.7'));
    assert.deepEqual([problem.status, problem.code], [status, code]);
    if (status === 500 || status === 503) assert.ok(!problem.message.includes('10.0.0.7'), problem.message);
  }
  assert.deepEqual(problemOf(new Error('at 10.0.0.7')).message, 'something went wrong here');
});
