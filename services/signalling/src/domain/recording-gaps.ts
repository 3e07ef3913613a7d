// What is missing in a recording, in milliseconds of a monotonic clock: from the moment at which a recorder was lost until media flows
// again. While the recording is paused nothing is missing.

export class RecordingGaps {
  #open = false;
  /** From when on the open gap is not counted yet; undefined while it is paused. */
  #sinceMs: number | undefined;
  #paused = false;
  #currentMs = 0;
  #endedMs = 0;

  /** A gap began; within one that goes on this is nothing new. */
  begin(atMs: number): void {
    this.#open = true;
    if (!this.#paused) this.#sinceMs ??= atMs;
  }

  pause(atMs: number): void {
    this.#count(atMs);
    this.#paused = true;
    this.#sinceMs = undefined;
  }

  resume(atMs: number): void {
    this.#paused = false;
    if (this.#open) this.#sinceMs ??= atMs;
  }

  /** The gap is over. Returns its length. */
  end(atMs: number): number {
    this.#count(atMs);
    const gapMs = this.#currentMs;
    this.#open = false;
    this.#sinceMs = undefined;
    this.#currentMs = 0;
    this.#endedMs += gapMs;
    return gapMs;
  }

  /** All of them, the one that goes on included. */
  sum(atMs: number): number {
    this.#count(atMs);
    return this.#endedMs + this.#currentMs;
  }

  #count(atMs: number): void {
    if (this.#sinceMs === undefined) return;
    this.#currentMs += Math.max(0, atMs - this.#sinceMs);
    this.#sinceMs = atMs;
  }
}
