import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readFrame } from './events.js';
import { ended, started } from './scripted-gateway.js';

test('what a call ended with is success or error, and times are times', () => {
  const withPayload = (frame: object, change: object) => {
    const { payload, ...rest } = frame as { payload: object };
    return readFrame(JSON.stringify({ ...rest, payload: { ...payload, ...change } }))?.type;
  };
  assert.equal(withPayload(ended('1'), {}), 'event');
  assert.equal(withPayload(ended('1'), { callTerminationReason: 'hangup' }), 'unknown');
  assert.equal(withPayload(ended('1'), { callEndTime: 5 }), 'unknown');
  assert.equal(withPayload(ended('1'), { isCallStarted: 'true' }), 'unknown');
  assert.equal(withPayload(started('1'), { callId: '' }), 'unknown');
  assert.equal(withPayload(started('1'), { contactName: '' }), 'event');
});

test('CALL_NOT_RECORDED carries the reason', () => {
  const payload = { callId: 'c', reason: 'recorder-unreachable' };
  const frame = readFrame(JSON.stringify({ type: 'event', id: '1', event: 'CALL_NOT_RECORDED', payload }));
  assert.deepEqual(frame, { type: 'event', event: { id: '1', name: 'CALL_NOT_RECORDED', payload } });
});

test('no text makes the reader throw', () => {
  const types = fc.constantFrom('authenticated', 'event', 'reauthenticate', 'other');
  const names = fc.constantFrom('WIDGET_CALL_STARTED', 'WIDGET_CALL_ENDED', 'CALL_NOT_RECORDED');
  const frame = fc.record(
    { type: types, id: fc.string(), event: names, payload: fc.jsonValue() },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc.string(),
        frame.map((f) => JSON.stringify(f)),
      ),
      (text) => {
        readFrame(text);
      },
    ),
  );
});
