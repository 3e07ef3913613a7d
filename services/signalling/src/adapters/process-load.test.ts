import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import type { ProcessLoad } from '../domain/overload.js';
import { ProcessLoadMeter } from './process-load.js';

/** Keeps the event loop busy for so long, turn after turn, until the signal aborts. */
function loiter(ms: number, signal: AbortSignal): void {
  if (signal.aborted) return;
  const end = performance.now() + ms;
  while (performance.now() < end);
  setImmediate(() => loiter(ms, signal));
}

test('a loop that is late every time shows; one that was does no more', async () => {
  const readings = new EventEmitter<{ reading: [ProcessLoad] }>();
  const meter = new ProcessLoadMeter((load) => readings.emit('reading', load));
  const busy = new AbortController();
  // The meter alone keeps no process alive.
  const alive = setInterval(() => {}, 1_000);
  try {
    loiter(60, busy.signal);
    await once(readings, 'reading');
    const [late] = await once(readings, 'reading');
    assert.ok(late.lagMs > 40, `${late.lagMs} ms`);
    busy.abort();
    await once(readings, 'reading');
    const [calm] = await once(readings, 'reading');
    assert.ok(calm.lagMs < late.lagMs / 2, `${calm.lagMs} ms after ${late.lagMs} ms`);
    assert.ok(calm.heapShare > 0 && calm.heapShare < 0.5);
  } finally {
    busy.abort();
    meter.close();
    clearInterval(alive);
  }
});
