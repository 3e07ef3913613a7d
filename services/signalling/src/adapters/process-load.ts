// The load of this process, measured twice a second: how late its event loop is, how full its heap.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { ProcessLoad } from '../domain/overload.js';

const resolutionMs = 10;
const everyMs = 500;

/** Measures until it is closed. */
export class ProcessLoadMeter {
  readonly #delay = monitorEventLoopDelay({ resolution: resolutionMs });
  readonly #timer: NodeJS.Timeout;

  constructor(onReading: (load: ProcessLoad) => void) {
    this.#delay.enable();
    this.#timer = setInterval(() => onReading(this.#read()), everyMs).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#delay.disable();
  }

  #read(): ProcessLoad {
    // The median: one long pause is no overload, a loop that is late every time is.
    const lagMs = Math.max(0, this.#delay.percentile(50) / 1e6 - resolutionMs);
    this.#delay.reset();
    const { used_heap_size: used, heap_size_limit: most } = getHeapStatistics();
    return { lagMs, heapShare: used / most };
  }
}
