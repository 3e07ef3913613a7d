// Dialers that stop reading, on real sockets: what waits for them is bounded, and nobody else notices.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { eventually } from '@sidestream/peers';
import { endpointOf } from '../testing/dialer-stage.js';

type Stage = Awaited<ReturnType<typeof endpointOf>>;
type Client = ReturnType<Stage['dial']>;

/** Tells of events until the endpoint has closed one; who reads hears each one before the next. @returns how many */
async function tellUntilClosed({ tell, closings }: Stage, reader: Client): Promise<number> {
  for (let sequence = 1; ; sequence += 1) {
    if (closings.length > 0) return sequence - 1;
    assert.ok(sequence < 5_000, 'what waits has no bound');
    tell(sequence, 'x'.repeat(10_000));
    // After its greeting.
    await eventually(() => reader.frames.length === sequence + 1, 'who reads has heard it');
    await setImmediate();
  }
}

test('a dialer that does not read is closed with 1013 when its buffer is full, and reads so when it reads again', async (t) => {
  const stage = await endpointOf(t);
  const [reader, slow] = [stage.dial(), stage.dial()];
  await eventually(() => reader.frames.length + slow.frames.length === 2, 'both are authenticated');
  slow.socket.pause();
  const told = await tellUntilClosed(stage, reader);
  assert.deepEqual(stage.closings, [{ code: 1013, reason: 'does not keep up' }]);
  const closed = once(slow.socket, 'close');
  slow.socket.resume();
  const [code, reason] = await closed;
  assert.deepEqual([code, String(reason)], [1013, 'does not keep up']);
  // What it was sent came whole and in order: it resumes behind the last one.
  const ids = slow.frames.slice(1).map(({ id }) => Number(id));
  assert.deepEqual(
    ids,
    Array.from(ids, (_, index) => index + 1),
  );
  assert.ok(ids.length <= told);
  stage.tell(told + 1);
  await eventually(() => reader.frames.at(-1)?.id === String(told + 1), 'who reads goes on');
  assert.equal(reader.socket.readyState, reader.socket.OPEN);
  reader.socket.terminate();
});

test('a dialer that never reads again is cut off, and gives its place back', async (t) => {
  const stage = await endpointOf(t);
  const [reader, deaf] = [stage.dial(), stage.dial()];
  await eventually(() => reader.frames.length + deaf.frames.length === 2, 'both are authenticated');
  deaf.socket.pause();
  await tellUntilClosed(stage, reader);
  await eventually(() => stage.connections.open === 1, 'the connection is given back', 10_000);
  assert.equal(reader.socket.readyState, reader.socket.OPEN);
  for (const { socket } of [reader, deaf]) socket.terminate();
});
