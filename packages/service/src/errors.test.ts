import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import { Result } from '@sidestream/proto/events/v1';
import { type ErrorCode, errorTable, isUnanswered, SidestreamError, writeErrorCode } from './errors.js';

describe('the error table', () => {
  for (const [code, meaning] of Object.entries(errorTable)) {
    test(`${code} has a SIP failure status, a gRPC failure status and itself as the termination's reason`, () => {
      assert.ok(meaning.sip >= 400 && meaning.sip <= 699);
      assert.notEqual(meaning.grpc, status.OK);
      assert.equal(meaning.reason, code);
      assert.notEqual(meaning.result, Result.SUCCESS);
    });
  }
});

describe('SidestreamError.from', () => {
  test('keeps one of ours', () => {
    const error = new SidestreamError('draining', 'going away');
    assert.equal(SidestreamError.from(error), error);
  });

  test('an unknown error is internal, which counts against us', () => {
    assert.equal(SidestreamError.from(new TypeError('x')).code, 'internal');
    assert.equal(SidestreamError.from('x').code, 'internal');
    assert.equal(SidestreamError.from(undefined).meaning.result, Result.SERVER_ERROR);
  });

  test('aborts are cancellations, time-outs are deadlines', () => {
    assert.equal(SidestreamError.from(AbortSignal.abort().reason).code, 'cancelled');
    assert.equal(SidestreamError.from(new DOMException('late', 'TimeoutError')).code, 'deadline-exceeded');
  });

  for (const code of Object.keys(errorTable) as ErrorCode[]) {
    test(`${code} survives a gRPC hop`, () => {
      const metadata = new Metadata();
      const sent = new SidestreamError(code, 'what and where');
      writeErrorCode(metadata, sent);
      const wire = Object.assign(new Error('13 INTERNAL: …'), {
        code: sent.meaning.grpc,
        details: sent.message,
        metadata,
      });
      const received = SidestreamError.from(wire);
      assert.equal(received.code, code);
      assert.equal(received.message, 'what and where');
      assert.ok(!isUnanswered(received));
    });
  }

  test('a gRPC error without our code is read from its status', () => {
    const wire = (code: status) => Object.assign(new Error('x'), { code, details: 'd', metadata: new Metadata() });
    const unavailable = SidestreamError.from(wire(status.UNAVAILABLE));
    assert.deepEqual([unavailable.code, isUnanswered(unavailable)], ['relay-unavailable', true]);
    assert.equal(SidestreamError.from(wire(status.DEADLINE_EXCEEDED)).code, 'deadline-exceeded');
    assert.equal(SidestreamError.from(wire(status.DATA_LOSS)).code, 'internal');
  });
});
