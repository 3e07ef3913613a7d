// What the world is told of one recording, with its times: when it began and ended, what was missing meanwhile. It decides nothing.
import type { CallWitness, MonotonicClock, RecorderDialog, RecordingFacts } from './ports.js';
import { RecordingGaps } from './recording-gaps.js';
import type { RecordingEffect } from './recording-state.js';
import type { Termination } from './termination.js';

/** What the state machine wants told. */
export type Announcement = Extract<RecordingEffect, { type: `announce-${string}` }>;

/** Where the recording is when something is told. */
export interface RecordingPlace {
  /** The recorder that was asked last, and the dialog with it if it has taken the recording. */
  readonly recorder: string;
  readonly dialog: RecorderDialog | undefined;
  /** Who wants it paused; undefined: none of us. */
  readonly pausedBy: string | undefined;
}

export class RecordingReport {
  readonly #events: CallWitness;
  readonly #clock: MonotonicClock;
  readonly #facts: () => RecordingFacts;
  readonly #gaps = new RecordingGaps();
  /** Resolves with true once media flows to a recorder, with false when all were asked in vain or the recording ends without. */
  readonly made: Promise<boolean>;
  #resolveMade: (made: boolean) => void = () => {};
  /** Resolves when the end is told. */
  readonly ended: Promise<void>;
  #resolveEnded: () => void = () => {};
  #beganAtMs = 0;
  #startedAtMs: number | undefined;
  #endedAtMs: number | undefined;

  /** @param facts as they are now */
  constructor(events: CallWitness, clock: MonotonicClock, facts: () => RecordingFacts) {
    this.#events = events;
    this.#clock = clock;
    this.#facts = facts;
    this.made = new Promise((resolve) => {
      this.#resolveMade = resolve;
    });
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  /** The recording is wanted from now on. */
  began(): void {
    this.#beganAtMs = this.#clock();
    this.#events.recordingBegan(this.#facts());
  }

  /** Somebody wants the pause, or nobody any more: of what is paused nothing is missing. */
  turned(paused: boolean): void {
    if (paused) this.#gaps.pause(this.#clock());
    else this.#gaps.resume(this.#clock());
  }

  /** Somebody who may have it wants the recording to end, while the call goes on. */
  unwanted(): void {
    this.#events.recordingUnwanted(this.#facts());
  }

  /** A recorder that was up is gone. @param sinceMs the last moment at which it was known to be there; absent: now */
  lost(sinceMs = this.#clock()): void {
    if (this.#startedAtMs !== undefined) this.#gaps.begin(Math.max(sinceMs, this.#startedAtMs));
  }

  /** What is recorded after this is no part of it. Only the first time counts. */
  ending(): void {
    this.#endedAtMs ??= this.#clock();
  }

  announce(what: Announcement, at: RecordingPlace): void {
    const facts = this.#facts();
    switch (what.type) {
      case 'announce-delay':
        this.#resolveMade(false);
        this.#events.recordingDelayed(facts, at.recorder, what.termination);
        return;
      case 'announce-start':
        this.#startedAtMs = this.#clock();
        this.#resolveMade(true);
        this.#events.recordingStarted(facts, present(at.dialog), this.#startedAtMs - this.#beganAtMs);
        return;
      case 'announce-pause':
        this.#events.recordingPaused(facts, at.pausedBy ?? 'recorder-inactive');
        return;
      case 'announce-resume':
        this.#events.recordingResumed(facts);
        return;
      case 'announce-recovery':
        this.#events.recordingRecovered(facts, present(at.dialog), what.lost, this.#gaps.end(this.#clock()));
        return;
      case 'announce-end':
        this.#resolveMade(false);
        this.#resolveEnded();
        this.#end(facts, what.termination, at.recorder);
        return;
      default:
        unreachable(what);
    }
  }

  #end(facts: RecordingFacts, termination: Termination, recorder: string): void {
    if (this.#startedAtMs === undefined) {
      this.#events.recordingFailed(facts, recorder, termination);
      return;
    }
    const endedAtMs = this.#endedAtMs ?? this.#clock();
    this.#events.recordingEnded(facts, termination, {
      durationMs: endedAtMs - this.#startedAtMs,
      gapMs: this.#gaps.sum(endedAtMs),
      lostMs: this.#gaps.open(endedAtMs),
    });
  }
}

function present(dialog: RecorderDialog | undefined): RecorderDialog {
  if (dialog === undefined) throw new Error('the recording has no dialog');
  return dialog;
}

function unreachable(what: never): never {
  throw new TypeError(`unknown announcement ${JSON.stringify(what)}`);
}
