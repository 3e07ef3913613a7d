import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Result } from '@sidestream/proto/events/v1';
import {
  answered,
  ended,
  recorded,
  recordingDelayed,
  recordingFailed,
  started,
  TestStream,
  transferred,
} from '../testing/stream.js';
import type { Happening } from './call-story.js';
import type { Told } from './dialer-event.js';
import { DialerFold } from './dialer-fold.js';

const options = { startWithinMs: 20_000, maxCalls: 100 };

/** What is told of these events, in words: `1:ada:WIDGET_CALL_STARTED`. */
function fold(bodies: readonly Happening['body'][], stream = new TestStream(), folder = new DialerFold(options)) {
  return bodies.flatMap((body) => folder.take(stream.next(body))).map(inWords);
}

const inWords = ({ id, seller, event, payload }: Told) =>
  `${id} ${seller} ${event}${'reason' in payload ? ` ${payload.reason}` : ''}${'isCallStarted' in payload ? ` ${payload.isCallStarted}` : ''}`;

test('STARTED comes on the later of the answer and the recording, ENDED at the end', () => {
  const end = '4 ada WIDGET_CALL_ENDED true';
  assert.deepEqual(fold([started(), answered(), recorded(), ended()]), ['3 ada WIDGET_CALL_STARTED', end]);
  assert.deepEqual(fold([started(), recorded(), answered(), ended()]), ['3 ada WIDGET_CALL_STARTED', end]);
});

test('the payloads have what the recorder owner documents: its Call-ID, the contact, whole seconds', () => {
  const stream = new TestStream();
  const folder = new DialerFold(options);
  const told = [started(), answered(), recorded(), ended(Result.UPSTREAM_ERROR)].flatMap((body) =>
    folder.take(stream.next(body)),
  );
  assert.deepEqual(
    told.map(({ payload }) => payload),
    [
      {
        callId: 'r-c1',
        startTime: '2026-01-01T00:00:02.000Z',
        isIncomingCall: true,
        contactNumber: '+4915112345678',
        contactName: '+4915112345678',
      },
      {
        callId: 'r-c1',
        callDurationInSeconds: 2,
        callTerminationReason: 'error',
        callEndTime: '2026-01-01T00:00:04.000Z',
        isCallStarted: true,
      },
    ],
  );
});

test('a recording that fails, before the answer or after it, is told once, and the end has isCallStarted false', () => {
  const said = ['3 ada CALL_NOT_RECORDED recorder-refused', '4 ada WIDGET_CALL_ENDED false'];
  assert.deepEqual(fold([started(), answered(), recordingFailed(), ended()]), said);
  assert.deepEqual(fold([started(), recordingFailed(), answered(), ended()]), said);
});

test('of several recorders at once the one counts whose Call-ID the call has', () => {
  const bodies = [started(), answered(), recordingFailed('r-other'), recorded('r-second'), recorded(), ended()];
  assert.deepEqual(fold(bodies), ['5 ada WIDGET_CALL_STARTED', '6 ada WIDGET_CALL_ENDED true']);
});

test('a recording that does not start in time is told by the id of the answer; one that starts later raises nothing', () => {
  const stream = new TestStream();
  const folder = new DialerFold(options);
  assert.deepEqual(fold([started(), answered()], stream, folder), []);
  assert.deepEqual(folder.expire(stream.nowMs + 19_999).map(inWords), []);
  const expected = ['2 ada CALL_NOT_RECORDED not-started-in-time'];
  assert.deepEqual(folder.expire(stream.nowMs + 20_000).map(inWords), expected);
  assert.deepEqual(fold([recorded(), ended()], stream, folder), ['4 ada WIDGET_CALL_ENDED false']);
});

test('a recording that no recorder has taken in time is told with what the last one said', () => {
  const stream = new TestStream();
  const folder = new DialerFold(options);
  assert.deepEqual(fold([started(), answered(), recordingDelayed('recorder-unreachable')], stream, folder), []);
  const expected = ['2 ada CALL_NOT_RECORDED recorder-unreachable'];
  assert.deepEqual(folder.expire(stream.nowMs + 20_000).map(inWords), expected);
});

test('who reads the stream later, without a timer, comes to the same events in the same order', () => {
  const stream = new TestStream();
  const before = [started(), answered()].map((body) => stream.next(body));
  stream.nowMs += 25_000;
  const after = [recorded(), ended()].map((body) => stream.next(body));
  const live = new DialerFold(options);
  const seen = [
    ...before.flatMap((one) => live.take(one)),
    ...live.expire(stream.nowMs - 3_000),
    ...after.flatMap((one) => live.take(one)),
  ];
  const later = new DialerFold(options);
  assert.deepEqual(
    [...before, ...after].flatMap((one) => later.take(one)),
    seen,
  );
  assert.equal(seen.length, 2);
});

test('sellers whom the policy does not name, calls that are not to be recorded, and calls never answered tell nothing', () => {
  assert.deepEqual(fold([started(''), answered(''), ended()]), []);
  assert.deepEqual(fold([started(), answered('ada', false), ended()]), []);
  assert.deepEqual(fold([started(), ended()]), []);
  assert.deepEqual(fold([answered(), recorded(), ended()]), []);
});

test('a recording that an operator begins is told with its own Call-ID', () => {
  const said = ['3 ada WIDGET_CALL_STARTED', '4 ada WIDGET_CALL_ENDED true'];
  assert.deepEqual(fold([started(), answered('ada', false), recorded('r-new'), ended()]), said);
});

test('a transfer to another seller ends it for the one before and starts it for the new one', () => {
  assert.deepEqual(fold([started(), answered(), recorded(), transferred('eve'), ended()]), [
    '3 ada WIDGET_CALL_STARTED',
    '4 ada WIDGET_CALL_ENDED true',
    '4 eve WIDGET_CALL_STARTED',
    '5 eve WIDGET_CALL_ENDED true',
  ]);
  assert.deepEqual(fold([started(), answered(), recorded(), transferred('', false), ended()]), [
    '3 ada WIDGET_CALL_STARTED',
    '4 ada WIDGET_CALL_ENDED true',
  ]);
});

test('calls are bounded in number and age', () => {
  const stream = new TestStream();
  const folder = new DialerFold({ ...options, maxCalls: 3 });
  for (let index = 0; index < 10; index += 1) folder.take(stream.next(started('ada', `c${index}`)));
  folder.expire(stream.nowMs);
  assert.equal(folder.calls, 3);
  folder.expire(stream.nowMs + 7 * 86_400_000);
  assert.equal(folder.calls, 0);
});

test('a call that has gone with its instance ends with an error, once, by the id of its beginning', () => {
  const stream = new TestStream();
  const folder = new DialerFold(options);
  fold([started(), answered(), recorded()], stream, folder);
  const [end, ...more] = folder.lose('c1', new Date(stream.nowMs + 8_000));
  assert.deepEqual(more, []);
  assert.equal(end && inWords(end), '1 ada WIDGET_CALL_ENDED true');
  assert.deepEqual(end?.payload, {
    callId: 'r-c1',
    callDurationInSeconds: 9,
    callTerminationReason: 'error',
    callEndTime: '2026-01-01T00:00:11.000Z',
    isCallStarted: true,
  });
  assert.deepEqual(folder.lose('c1', new Date()), []);
  assert.deepEqual(fold([ended()], stream, folder), [], 'what it says when it comes back tells nothing');
  assert.equal(folder.calls, 0);
});

test('where the stream begins anew, calls go on; what has no event of it is told by the place before its first', () => {
  const folder = new DialerFold(options);
  const begin = (callId: string) => [started('ada', callId), answered('ada', true, callId)];
  fold(
    [...begin('c1'), ...begin('c2'), recorded('r-c2', 'c2'), ...begin('c3'), recorded('r-c3', 'c3')],
    undefined,
    folder,
  );
  folder.restart();
  const anew = new TestStream();
  assert.deepEqual(fold([ended(undefined, 'c2')], anew, folder), ['1 ada WIDGET_CALL_ENDED true']);
  assert.deepEqual(folder.expire(anew.nowMs + 60_000).map(inWords), ['0 ada CALL_NOT_RECORDED not-started-in-time']);
  assert.deepEqual(folder.lose('c3', new Date(anew.nowMs)).map(inWords), ['0 ada WIDGET_CALL_ENDED true']);
});

test('times are those of the events themselves, not of their storing or reading', () => {
  const stream = new TestStream();
  const folder = new DialerFold(options);
  const late = (body: Happening['body'], time: string) =>
    folder.take({ ...stream.next(body), storedAtMs: Date.UTC(2026, 5, 1), time: new Date(time) });
  late(started(), '2026-01-01T00:00:00Z');
  late(answered(), '2026-01-01T00:00:04.250Z');
  const [start] = late(recorded(), '2026-01-01T00:00:09Z');
  const [end] = late(ended(), '2026-01-01T00:01:04.300Z');
  assert.deepEqual(start?.event === 'WIDGET_CALL_STARTED' && start.payload.startTime, '2026-01-01T00:00:04.250Z');
  assert.ok(end?.event === 'WIDGET_CALL_ENDED');
  assert.deepEqual([end.payload.callDurationInSeconds, end.payload.callEndTime], [60, '2026-01-01T00:01:04.300Z']);
});
