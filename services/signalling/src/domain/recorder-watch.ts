// Whether a recorder is still of use once something speaks against it. A lost connection alone is no lost recording: the recorder is
// dialled again and asked by OPTIONS within the dialog, every 2 s until it answers; two that stay unanswered in a row lose it. Where the
// relay says that nothing leaves for the recorder, or that its RTCP has stopped, an answer to OPTIONS does not help it: it is lost, too.
import { pause } from '@sidestream/service';
import { within } from './deadline.js';
import type { ForkCondition, MonotonicClock, RecorderDialog } from './ports.js';
import { type Termination, terminated } from './termination.js';

/** Why a recorder may be gone, and since when. */
export interface Doubt {
  readonly why: string;
  readonly sinceMs: number;
}

export interface RecorderWatchOptions {
  readonly dialog: Pick<RecorderDialog, 'host' | 'probe'>;
  readonly clock: MonotonicClock;
  /** `sinceMs`: since when it was doubted, which it has not answered since. */
  readonly onLost: (termination: Termination, sinceMs: number) => void;
  /** Aborted when the recorder is given up. */
  readonly signal: AbortSignal;
  /** In [0, 1); for tests. */
  readonly random?: () => number;
}

const periodMs = 2_000;
const answerDeadlineMs = 1_500;
const tolerated = 2;
/** The dialogs of one connection are probed one after the other, not in one burst. */
const spreadMs = 500;

/** What may speak against a recorder, as a loss says it. */
const complaints = {
  stalled: 'media does not leave for it',
  'recorder-silent': 'its RTCP has stopped',
} as const satisfies Record<Exclude<ForkCondition, 'flowing'>, string>;

export class RecorderWatch {
  readonly #options: RecorderWatchOptions;
  #probing = false;
  /** What the relay has said, for as long as the recorder is being asked. */
  #complaint: { readonly what: string; readonly sinceMs: number } | undefined;

  constructor(options: RecorderWatchOptions) {
    this.#options = options;
  }

  /**
   * Returns at once; while the recorder is being asked already it changes nothing.
   * @param why what happened, as in "no answer to OPTIONS after …"
   * @param sinceMs the last moment at which the recorder was known to be there
   */
  doubt({ why, sinceMs }: Doubt): void {
    this.#ask(why, sinceMs);
  }

  /** The relay says how the fork does its work, and for how long it has been so. Returns at once. */
  forkChanged(condition: ForkCondition, lastedMs: number): void {
    if (condition === 'flowing') {
      this.#complaint = undefined;
      return;
    }
    this.#complaint = { what: complaints[condition], sinceMs: this.#options.clock() - lastedMs };
    this.#ask(this.#complaint.what, this.#complaint.sinceMs);
  }

  #ask(why: string, sinceMs: number): void {
    if (this.#probing) return;
    this.#probing = true;
    void this.#probe(why, sinceMs).finally(() => {
      this.#probing = false;
      this.#complaint = undefined;
    });
  }

  async #probe(why: string, doubtSinceMs: number): Promise<void> {
    const { dialog, clock, onLost, signal, random = Math.random } = this.#options;
    const lost = (detail: string, sinceMs = doubtSinceMs) =>
      onLost(terminated('recorder-lost', `${dialog.host}: ${detail}`), sinceMs);
    await pause(random() * spreadMs, signal);
    for (let unanswered = 0; unanswered < tolerated && !signal.aborted; ) {
      const askedAtMs = clock();
      const status = await dialog.probe(within(signal, answerDeadlineMs));
      if (signal.aborted) return;
      if (status === 481) return lost(`481 to OPTIONS after ${why}`);
      // Any answer but a proxy's time-out is the recorder's own.
      if (status !== undefined && status !== 408) {
        const { what, sinceMs } = this.#complaint ?? {};
        return what === undefined ? undefined : lost(`${what}, although it answers OPTIONS`, sinceMs);
      }
      unanswered += 1;
      if (unanswered < tolerated) await pause(Math.max(0, askedAtMs + periodMs - clock()), signal);
    }
    if (!signal.aborted) lost(`no answer to OPTIONS after ${why}`);
  }
}
