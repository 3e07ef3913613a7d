// What a call and its recording have to do with each other: when it begins, that the fork hears of each answer, and what becomes of a
// call that must be recorded and is not. Knows no recorder.
import { within } from './deadline.js';
import type { MediaSession } from './ports.js';
import { planOf, type RecordingPlan, type RecordingTerms } from './recording-terms.js';

/** The call's own recording, be it by one recorder or several. */
export interface CallRecording {
  /** Begins. Never throws. */
  start(media: MediaSession): void;
  /** The media changed. */
  refresh(): void;
  /** The call ended for this reason: ends it; resolves when everything is given back. Idempotent, never rejects. */
  stop(why: string): Promise<void>;
  /** Resolves with true once the call is recorded, with false when it cannot be any more. */
  readonly recorded: Promise<boolean>;
  /** Resolves when the call is not recorded any more. */
  readonly lost: Promise<void>;
}

export interface PlannedRecording extends RecordingTerms {
  readonly of: CallRecording;
}

export interface RecordedCall {
  readonly onRecorded: () => void;
  /** The call must be recorded and is not: it has to end. */
  readonly onUnrecorded: (why: string) => void;
  /** Aborted when the call ends. */
  readonly signal: AbortSignal;
}

export class RecordingOfCall {
  readonly plan: RecordingPlan;
  readonly #planned: PlannedRecording | undefined;
  readonly #call: RecordedCall;
  #begun = false;
  #recorded = false;

  /** @param planned undefined: the call is not to be recorded. */
  constructor(planned: PlannedRecording | undefined, call: RecordedCall) {
    this.plan = planned === undefined ? 'none' : planOf(planned);
    this.#planned = planned;
    this.#call = call;
  }

  begin(media: MediaSession): void {
    if (this.#planned === undefined || this.#call.signal.aborted) return;
    const { of, required, onLoss } = this.#planned;
    this.#begun = true;
    of.start(media);
    void of.recorded.then((recorded) => {
      this.#recorded = recorded;
      if (recorded) this.#call.onRecorded();
      else if (required) this.#call.onUnrecorded('no recorder has taken the call');
    });
    void of.lost.then(() => {
      if (required && onLoss === 'end') this.#call.onUnrecorded('the recording was lost');
    });
  }

  /** The far side has answered and waits: as long as is configured. */
  hold(): void {
    const { requiredTimeoutMs = 0 } = this.#planned ?? {};
    const limit = within(this.#call.signal, requiredTimeoutMs);
    limit.addEventListener('abort', () => {
      if (!this.#recorded) this.#call.onUnrecorded(`no recorder took the call in ${requiredTimeoutMs} ms`);
    });
  }

  /** The media changed, or its description. */
  refresh(): void {
    if (this.#begun) this.#planned?.of.refresh();
  }

  async stop(why: string): Promise<void> {
    await this.#planned?.of.stop(why);
  }
}
