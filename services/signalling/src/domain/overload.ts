// Whether this process has more to do than it can: judged by measured load, with hysteresis, so that it doesn't flutter at the border.

/** What was measured since the last time. */
export interface ProcessLoad {
  /** How late the event loop typically was. */
  readonly lagMs: number;
  /** Used share of what the heap may become, 0 to 1. */
  readonly heapShare: number;
}

/** Beyond it the collector takes most of the time, and the process dies soon. */
const maxHeapShare = 0.9;
/** A loop that is late in so many readings in a row is overloaded: one long pause, as of a start, may fill a reading by itself. */
const lateReadings = 2;
/** The load has to be below this part of the border … */
const relief = 0.5;
const heapRelief = 0.8;
/** … this many times in a row. */
const calmReadings = 4;

export class Overload {
  readonly #maxLagMs: number;
  #problem: string | undefined;
  #late = 0;
  #calm = 0;

  constructor(maxLagMs: number) {
    this.#maxLagMs = maxLagMs;
  }

  /** What there is too much of; undefined while all is well. */
  get problem(): string | undefined {
    return this.#problem;
  }

  read({ lagMs, heapShare }: ProcessLoad): void {
    this.#late = lagMs > this.#maxLagMs ? this.#late + 1 : 0;
    const worse =
      this.#late >= lateReadings
        ? `the event loop lags ${Math.round(lagMs)} ms`
        : heapShare > maxHeapShare
          ? `${Math.round(heapShare * 100)} % of the heap is used`
          : undefined;
    const isCalm = lagMs <= this.#maxLagMs * relief && heapShare <= heapRelief;
    this.#calm = isCalm ? this.#calm + 1 : 0;
    if (worse !== undefined) this.#problem = worse;
    else if (this.#calm >= calmReadings) this.#problem = undefined;
  }
}
