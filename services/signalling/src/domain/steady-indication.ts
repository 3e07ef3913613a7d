// What the call's parties are told of recording, without what is over before they could act on it: while a recording goes from one
// recorder to the next its parties are told nothing new, if that takes no longer than a moment. It knows no leg.
import { pause } from '@sidestream/service';
import { indicationOf, type RecordIndication } from './recording-awareness.js';

/** What there is to know of a recording for that. */
export interface IndicatedRecording {
  readonly phase: string;
  /** It is neither over nor about to be. */
  readonly goesOn: boolean;
}

const usualHoldMs = 1_000;

export class SteadyIndication {
  readonly #recordings: () => readonly IndicatedRecording[];
  readonly #onChange: () => void;
  readonly #signal: AbortSignal;
  readonly #holdMs: number;
  #told: RecordIndication = 'off';
  /** Aborted when what is held back has become true or untrue. */
  #hold: AbortController | undefined;

  /**
   * @param onChange what is told may have changed
   * @param signal aborted when the call ends
   */
  constructor(
    recordings: () => readonly IndicatedRecording[],
    onChange: () => void,
    signal: AbortSignal,
    holdMs = usualHoldMs,
  ) {
    this.#recordings = recordings;
    this.#onChange = onChange;
    this.#signal = signal;
    this.#holdMs = holdMs;
  }

  get now(): RecordIndication {
    return this.#told;
  }

  /** A recording's phase has changed. */
  changed(): void {
    const recordings = this.#recordings();
    const now = indicationOf(recordings.map(({ phase }) => phase));
    if (now === 'off' && this.#told !== 'off' && recordings.some(({ goesOn }) => goesOn)) this.#wait();
    else this.#tell(now);
  }

  #wait(): void {
    if (this.#hold !== undefined) return;
    const hold = new AbortController();
    this.#hold = hold;
    void pause(this.#holdMs, hold.signal).then(() => {
      if (!hold.signal.aborted && !this.#signal.aborted) this.#tell('off');
    });
  }

  #tell(now: RecordIndication): void {
    this.#hold?.abort();
    this.#hold = undefined;
    this.#told = now;
    this.#onChange();
  }
}
