// Turns of an active recording: it was paused, or may flow again, and its recorder has to agree. Who waits for that, and when a recorder
// that refuses is asked again. What is asked, and how, the updates know.
import { pause } from '@sidestream/service';

/** Hears the status by which the recorder refused, or undefined. */
export type TurnTeller = (refused: number | undefined) => void;

/** Between two questions to a recorder that refuses: doubled each time, up to the longest. */
const usualFirstMs = 2_000;
const longestMs = 30_000;

export class RecordingTurns {
  readonly #ask: () => void;
  readonly #signal: AbortSignal;
  readonly #firstMs: number;
  #waiting: TurnTeller[] = [];
  #open = false;
  #refusals = 0;
  #resting = false;

  /**
   * @param ask the recorder is to be asked; what comes of it is told by `agreed` or `refused`
   * @param signal aborted when the recorder is given up
   */
  constructor(ask: () => void, signal: AbortSignal, firstMs = usualFirstMs) {
    this.#ask = ask;
    this.#signal = signal;
    this.#firstMs = firstMs;
  }

  /** Resolves with the status of the refusal, or with undefined once the recorder has agreed; not at all when it is lost. */
  want(): Promise<number | undefined> {
    const said = new Promise<number | undefined>((resolve) => this.#waiting.push(resolve));
    this.#open = true;
    this.#ask();
    return said;
  }

  /** Whether the recorder does not know of a turn yet, or does not accept it. */
  get open(): boolean {
    return this.#open;
  }

  /** Those whom the next answer concerns. */
  take(): TurnTeller[] {
    return this.#waiting.splice(0);
  }

  /** There was no answer: the next one concerns them. */
  putBack(turns: readonly TurnTeller[]): void {
    this.#waiting.unshift(...turns);
  }

  agreed(turns: readonly TurnTeller[]): void {
    this.#open = this.#waiting.length > 0;
    this.#refusals = 0;
    for (const tell of turns) tell(undefined);
  }

  /** The recorder is asked again later. */
  refused(turns: readonly TurnTeller[], status: number): void {
    for (const tell of turns) tell(status);
    if (!this.#resting) void this.#askLater(Math.min(longestMs, this.#firstMs * 2 ** this.#refusals));
    this.#refusals += 1;
  }

  async #askLater(waitMs: number): Promise<void> {
    this.#resting = true;
    await pause(waitMs, this.#signal);
    this.#resting = false;
    if (this.#open) this.#ask();
  }
}
