import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Result } from '@sidestream/proto/events/v1';
import { errorTable, SidestreamError } from '@sidestream/service';
import {
  relayedStatus,
  resultLabel,
  statusOf,
  terminated,
  terminationOf,
  terminationOfRefusal,
  terminationReasons,
} from './termination.js';

test('every reason has a result that is told', () => {
  for (const reason of terminationReasons) {
    const { result } = terminated(reason);
    assert.notEqual(result, Result.UNSPECIFIED, reason);
    assert.match(resultLabel(result), /^(success|client_error|server_error|upstream_error|indeterminate)$/);
    assert.match(reason, /^[a-z]+(-[a-z]+)*$/);
  }
  assert.equal(new Set(terminationReasons).size, terminationReasons.length);
});

test('every error code ends with its own reason and status', () => {
  for (const code of Object.keys(errorTable) as (keyof typeof errorTable)[]) {
    const error = new SidestreamError(code, 'why');
    assert.deepEqual(terminationOf(error), { result: errorTable[code].result, reason: code, detail: 'why' });
    assert.equal(statusOf(error), errorTable[code].sip);
  }
});

test('every final status of the far side has a reason, and a time-out depends on whether it rang', () => {
  const table: [status: number, rang: boolean, reason: string, result: Result][] = [
    [486, true, 'busy', Result.CLIENT_ERROR],
    [600, false, 'busy', Result.CLIENT_ERROR],
    [603, true, 'declined', Result.CLIENT_ERROR],
    [408, true, 'no-answer', Result.CLIENT_ERROR],
    [408, false, 'far-side-unreachable', Result.UPSTREAM_ERROR],
    [480, true, 'no-answer', Result.CLIENT_ERROR],
    [404, false, 'unknown-number', Result.CLIENT_ERROR],
    [488, false, 'not-acceptable-here', Result.CLIENT_ERROR],
    [482, false, 'loop-detected', Result.CLIENT_ERROR],
    [503, false, 'far-side-unreachable', Result.UPSTREAM_ERROR],
    [500, false, 'far-side-failed', Result.UPSTREAM_ERROR],
    [302, false, 'far-side-failed', Result.UPSTREAM_ERROR],
  ];
  for (const [status, rang, reason, result] of table) {
    const termination = terminationOfRefusal(status, 'Phrase', rang);
    assert.deepEqual([termination.reason, termination.result], [reason, result], String(status));
    assert.match(termination.detail, new RegExp(String(status)));
  }
  for (let status = 300; status < 700; status++)
    assert.ok(terminationReasons.includes(terminationOfRefusal(status, '', false).reason));
});

test('challenges and redirections of the far side are not relayed to the caller', () => {
  assert.deepEqual([302, 401, 407, 404, 486, 503].map(relayedStatus), [502, 502, 502, 404, 486, 503]);
});
