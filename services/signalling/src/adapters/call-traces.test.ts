import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { SpanStatusCode, trace } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { Verdict } from '@sidestream/proto/records/v1';
import { callSpan, takeCallSpan } from '@sidestream/service';
import { FakeWorld } from '../testing/fake-world.js';
import { CallTraces } from './call-traces.js';

const kept = new InMemorySpanExporter();
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(kept)] }));
const facts = new FakeWorld().facts([]);
const invite = { sipCallId: 'a@b', header: () => undefined };
const traces = new CallTraces(false, { hash: () => '0123456789abcdef' });

beforeEach(() => kept.reset());

/** What has ended: of what it was, whether it failed, and why. */
function ended() {
  return kept.getFinishedSpans().map(({ name, attributes, status }) => ({
    name,
    call: attributes['sidestream.call'],
    failed: status.code === SpanStatusCode.ERROR,
    why: attributes['error.type'],
  }));
}

test('an INVITE that becomes a call has a span that ends with it', () => {
  traces.take(invite, () => traces.arrived(facts));
  assert.deepEqual([ended(), callSpan(facts.callId) !== undefined], [[], true]);
  traces.ended({ callId: facts.callId, termination: undefined, verdict: Verdict.COMPLETE });
  assert.deepEqual(ended(), [{ name: 'call', call: undefined, failed: false, why: undefined }]);
});

test('one that is asked for its password, or takes a party’s place, makes no call and is no fault', () => {
  traces.take(invite, () => {});
  assert.deepEqual(ended(), [{ name: 'call', call: 'none', failed: false, why: undefined }]);
});

test('one that is refused failed, for the reason that metrics and logs have', () => {
  traces.take(invite, () => traces.refused({ reason: 'trunk-full' }));
  assert.deepEqual(ended(), [{ name: 'call', call: 'none', failed: true, why: 'trunk-full' }]);
});

test('what goes wrong passes, and leaves no span open', () => {
  const fault = new Error('a number that no trace has');
  assert.throws(
    () =>
      traces.take(invite, () => {
        throw fault;
      }),
    fault,
  );
  assert.deepEqual(ended(), [{ name: 'call', call: 'none', failed: true, why: 'internal' }]);
  traces.arrived(facts);
  assert.equal(takeCallSpan(facts.callId), undefined, 'a span that has ended is no other call’s');
});
