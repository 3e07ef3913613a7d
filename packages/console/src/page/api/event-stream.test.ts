import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EventStreamParser } from './event-stream.js';

const stream =
  ': hello\r\nid: 7\nevent: call.answered\ndata: {"callId":\ndata: "a"}\n\ndata:x\r\rretry: 5\n\n: beat\n\n';
const events = [
  { event: 'call.answered', data: '{"callId":\n"a"}' },
  { event: 'message', data: 'x' },
];

test('WHATWG HTML §9.2.6: fields of several lines, comments, each kind of line end', () => {
  assert.deepEqual(new EventStreamParser().push(stream), events);
});

test('a stream means the same however it is cut into pieces', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(stream.length)), (cuts) => {
      const edges = [0, ...cuts.sort((a, b) => a - b), stream.length];
      const parser = new EventStreamParser();
      const read = edges.slice(1).flatMap((end, index) => parser.push(stream.slice(edges[index], end)));
      assert.deepEqual(read, events);
    }),
  );
});

test('an event without end is refused before it fills the memory', () => {
  const parser = new EventStreamParser();
  parser.push('data: ');
  assert.throws(() => parser.push('x'.repeat(70_000)), RangeError);
});
