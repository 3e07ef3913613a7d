import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, SidestreamError } from '@sidestream/service';
import { Hono } from 'hono';
import { answerProblem, problemOf } from './problem.js';

test('what went wrong behind the gateway has a status that says whether to ask again, and no more than the caller may know', () => {
  const statuses: readonly (readonly [ErrorCode, number])[] = [
    ['bad-request', 400],
    ['forbidden', 403],
    ['not-found', 404],
    ['wrong-state', 409],
    ['internal', 500],
    ['recorder-refused', 502],
    ['not-ready', 503],
    ['draining', 503],
    ['overloaded', 503],
    ['cancelled', 503],
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

test('what was cancelled is the fault of whoever asked only where that one has gone; a service behind that stops cancels as well', async () => {
  const cancelled = new SidestreamError('cancelled', 'Cancelled on 10.0.0.7');
  assert.equal(problemOf(cancelled, AbortSignal.abort()).status, 400);
  assert.equal(problemOf(cancelled, new AbortController().signal).status, 503);
  const app = new Hono();
  app.get('/', () => Promise.reject(cancelled));
  app.onError((error, c) => answerProblem(c, error));
  const answer = await app.request('/');
  assert.deepEqual([answer.status, answer.headers.get('Retry-After')], [503, '2']);
});
