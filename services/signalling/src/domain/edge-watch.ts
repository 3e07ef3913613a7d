// What a lost edge means for the calls: their dialogs live in the edge, so calls that were up when it went are ended once it is back
// without them, or when it has been away too long. Calls that come after it is back are not touched.
import { type Termination, terminated } from './termination.js';

/** How long calls outlive their edge: their media goes on until then. */
export const edgeGraceMs = 5_000;

export class EdgeWatch {
  readonly #endAll: (termination: Termination) => void;
  readonly #graceMs: number;
  #lostOnce = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(endAll: (termination: Termination) => void, graceMs = edgeGraceMs) {
    this.#endAll = endAll;
    this.#graceMs = graceMs;
  }

  /** The connection to the edge is lost; repeated while it stays so. */
  lost(detail: string): void {
    if (this.#lostOnce) return;
    this.#lostOnce = true;
    this.#timer = setTimeout(() => this.#endAll(terminated('edge-lost', detail)), this.#graceMs);
    this.#timer.unref();
  }

  /** The edge is there, for the first time or again. */
  back(): void {
    if (!this.#lostOnce) return;
    this.close();
    this.#endAll(terminated('edge-lost', 'the edge was away'));
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#lostOnce = false;
  }
}
