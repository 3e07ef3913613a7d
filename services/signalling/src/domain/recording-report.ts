// What the world is told of one recording, with its times: when it began and ended, what was missing meanwhile. It decides nothing.
import type { CallEvents, MonotonicClock, RecorderDialog, RecordingFacts } from './ports.js';
import { RecordingGaps } from './recording-gaps.js';
import type { Termination } from './termination.js';

export class RecordingReport {
  readonly #events: CallEvents;
  readonly #clock: MonotonicClock;
  readonly #facts: () => RecordingFacts;
  readonly #gaps = new RecordingGaps();
  #beganAtMs = 0;
  #startedAtMs: number | undefined;
  #endedAtMs: number | undefined;

  /** @param facts as they are now */
  constructor(events: CallEvents, clock: MonotonicClock, facts: () => RecordingFacts) {
    this.#events = events;
    this.#clock = clock;
    this.#facts = facts;
  }

  /** The recording is wanted from now on. */
  began(): void {
    this.#beganAtMs = this.#clock();
  }

  /** No recorder has taken it yet. @param recorder the one that was asked last */
  delayed(recorder: string, why: Termination): void {
    this.#events.recordingDelayed(this.#facts(), recorder, why);
  }

  /** Media flows for the first time. */
  started(dialog: RecorderDialog): void {
    this.#startedAtMs = this.#clock();
    this.#events.recordingStarted(this.#facts(), dialog, this.#startedAtMs - this.#beganAtMs);
  }

  /** Somebody wants the pause, or nobody any more: of what is paused nothing is missing. */
  turned(paused: boolean): void {
    if (paused) this.#gaps.pause(this.#clock());
    else this.#gaps.resume(this.#clock());
  }

  /** Nothing flows any more. @param by who wants that; 'recorder-inactive' if it is the recorder */
  paused(by: string): void {
    this.#events.recordingPaused(this.#facts(), by);
  }

  resumed(): void {
    this.#events.recordingResumed(this.#facts());
  }

  /** A recorder that was up is gone. @param sinceMs the last moment at which it was known to be there; absent: now */
  lost(sinceMs = this.#clock()): void {
    if (this.#startedAtMs !== undefined) this.#gaps.begin(Math.max(sinceMs, this.#startedAtMs));
  }

  /** Nothing is missing any more. */
  recovered(dialog: RecorderDialog, lost: Termination): void {
    this.#events.recordingRecovered(this.#facts(), dialog, lost, this.#gaps.end(this.#clock()));
  }

  /** What is recorded after this is no part of it. Only the first time counts. */
  ending(): void {
    this.#endedAtMs ??= this.#clock();
  }

  ended(termination: Termination): void {
    const endedAtMs = this.#endedAtMs ?? this.#clock();
    const durationMs = endedAtMs - (this.#startedAtMs ?? endedAtMs);
    this.#events.recordingEnded(this.#facts(), termination, { durationMs, gapMs: this.#gaps.sum(endedAtMs) });
  }

  /** It has never started. @param recorder the one that was asked last */
  failed(recorder: string, termination: Termination): void {
    this.#events.recordingFailed(this.#facts(), recorder, termination);
  }
}
