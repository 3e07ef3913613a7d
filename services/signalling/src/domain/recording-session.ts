// One recording of one call: it owns the recording's state, runs the effects of the state machine and reports what came of them, from
// recorder to recorder. Whatever happens here, the call goes on; whatever happens to the call, everything here is given back once.
import { type Logger, pause, SidestreamError } from '@sidestream/service';
import { newRecordingCallId } from '@sidestream/siprec';
import type { RecordingView } from './call-recording.js';
import type { PartyFlows } from './party-flows.js';
import type {
  CallFacts,
  CallSteps,
  CallWitness,
  MediaSession,
  MonotonicClock,
  RecorderClient,
  RecordingFacts,
} from './ports.js';
import type { RecordingAttempt } from './recording-attempt.js';
import { RecordingAttempts } from './recording-attempts.js';
import { type PauseWisher, RecordingPause } from './recording-pause.js';
import { RecordingRelease } from './recording-release.js';
import { RecordingReport } from './recording-report.js';
import type { RecordingScript } from './recording-script.js';
import {
  newRecording,
  type RecordingEffect,
  type RecordingEvent,
  type RecordingState,
  stepRecording,
} from './recording-state.js';
import { isWantedEnd } from './recording-wishes.js';
import { type Termination, terminated, terminationOf } from './termination.js';

export interface RecordingServices {
  readonly recorders: RecorderClient;
  readonly events: CallWitness;
  readonly clock: MonotonicClock;
  readonly log: Logger;
}

export interface RecordingSessionOptions {
  /** Call-ID of the dialog after a loss: the one that the call's events have told, or a new one. Failover before keeps it always. */
  readonly callIdOnReestablish?: 'same' | 'new';
}

/** Between two rounds through the recorders: doubled each time, up to the longest. */
const firstWaitMs = 1_000;
const longestWaitMs = 30_000;

export class RecordingSession {
  readonly #options: RecordingSessionOptions;
  readonly #steps: CallSteps;
  readonly #log: Logger;
  /** Aborted by the first end. */
  readonly #work = new AbortController();
  readonly #attempts: RecordingAttempts;
  readonly #release: RecordingRelease;
  readonly #pause: RecordingPause;
  readonly #report: RecordingReport;
  #onChange: () => void = () => {};
  #facts: RecordingFacts;
  #state: RecordingState = newRecording;
  readonly #events: { readonly event: RecordingEvent; readonly lostSinceMs: number | undefined }[] = [];
  /** At the recorder that is being asked, or is up. */
  #attempt: RecordingAttempt | undefined;
  /** The call has ended: it closes its media session, and the fork ends with that. */
  #callOver = false;

  /** @param newScript called once when the recording starts: its metadata says since when. */
  constructor(
    services: RecordingServices,
    facts: RecordingFacts,
    newScript: () => RecordingScript,
    options: RecordingSessionOptions = {},
  ) {
    const { recorders, events, clock } = services;
    this.#steps = events;
    this.#facts = facts;
    this.#options = options;
    this.#log = services.log.child({ call: facts.call.callId, recording: facts.recordingId });
    this.#attempts = new RecordingAttempts({
      recorders,
      clock,
      facts: () => this.#facts,
      newScript,
      paused: () => this.#pause.wanted,
      onEvent: (attempt, event, lostSinceMs) => {
        if (this.#attempt === attempt) this.#dispatch(event, lostSinceMs);
      },
      onMedia: (attempt, condition, lastedMs) => {
        if (this.#attempt === attempt) events.recordingMedia(this.#facts, condition, lastedMs);
      },
      onRefused: (attempt, voices) => {
        if (this.#attempt === attempt) events.voicesRefused(this.#facts, voices);
      },
      onState: (forkId, dialog) => events.recordingState(this.#facts, forkId, dialog),
      log: this.#log,
    });
    this.#release = new RecordingRelease(this.#log);
    this.#report = new RecordingReport(events, clock, () => this.#facts);
    this.#pause = new RecordingPause({
      current: () => this.#attempt,
      onTurn: (paused) => this.#report.turned(paused),
      // A pause that is none is worse than no recording.
      onUnsure: (error) => this.#dispatch({ type: 'stop', termination: terminationOf(error) }),
    });
  }

  /** Resolves with true once media flows to a recorder, with false when all were asked in vain or the recording ends without. */
  get started(): Promise<boolean> {
    return this.#report.made;
  }

  /** Resolves when the recording is over and everything given back. */
  get ended(): Promise<void> {
    return this.#report.ended;
  }

  /** As they are now: a recording that was lost may have another Call-ID. */
  get facts(): RecordingFacts {
    return this.#facts;
  }

  get phase(): RecordingState['phase'] {
    return this.#state.phase;
  }

  get lost(): boolean {
    return this.#state.phase === 'waiting' || this.#state.phase === 'ended';
  }

  get view(): RecordingView {
    const { recordingId, call } = this.#facts;
    const silent = this.phase === 'active' && this.#state.flowing === false;
    const { by } = this.#pause;
    return {
      recordingId,
      recorderCallId: call.recordingCallId,
      phase: silent ? 'paused' : this.phase,
      recorder: this.#attempts.recorder,
      pausedBy: silent && by.length === 0 ? ['recorder'] : by,
    };
  }

  /** Calls back whenever the phase may have changed. */
  watch(onChange: () => void): void {
    this.#onChange = onChange;
  }

  /** Begins on this media session, in which media flows so (absent: both ways). Returns at once, never throws. */
  start(media: MediaSession, flows?: PartyFlows): void {
    this.#attempts.begin(media, flows);
    this.#report.began();
    this.#dispatch({ type: 'start' });
  }

  /**
   * The call's media changed: the recorder must hear of it. Returns at once.
   * @param flows which way it flows now; absent: as before
   */
  refresh(flows?: PartyFlows): void {
    this.#attempt?.refresh();
    if (this.#attempts.refresh(flows)) this.#attempt?.tell();
  }

  /** Somebody else takes part in the call now: the recorder must hear of it. Its own Call-ID and recorders stay. Returns at once. */
  follow(call: CallFacts): void {
    const { recordingCallId, decision } = this.#facts.call;
    const followed = { ...call, recordingCallId, decision: { ...call.decision, recorders: decision.recorders } };
    this.#facts = { ...this.#facts, call: followed };
    if (this.#attempts.involve(call.parties)) this.#attempt?.tell();
  }

  /**
   * Stops every packet to the recorder before it resolves, and tells the recorder; holds for the recorders that come after this one,
   * until all who have wanted it have resumed. Idempotent.
   * @throws SidestreamError when the relay did not confirm it: the recording ends then; or 'wrong-state' when it is over
   */
  async pause(by: PauseWisher): Promise<void> {
    this.#requireLive();
    await this.#pause.pause(by);
  }

  /**
   * Takes back what this one has wanted; when nobody else wants the pause, media flows again, with the same streams and labels as before.
   * Resolves when the recorder has agreed; one that wants to wait has. Idempotent.
   * @throws SidestreamError 'recorder-refused': nothing flows before it agrees; 'wrong-state' when it is over
   */
  async resume(by: PauseWisher): Promise<void> {
    this.#requireLive();
    await this.#pause.resume(by);
  }

  /** Ends the recording while the call goes on. Resolves when fork and dialog are given back. Idempotent, never rejects. */
  end(termination: Termination): Promise<void> {
    if (isWantedEnd(termination)) this.#report.unwanted();
    this.#dispatch({ type: 'stop', termination });
    return this.ended;
  }

  /**
   * Ends the recording because the call ended, for the reason given; resolves when the dialog is given back. The fork is left to
   * the call, which closes the media session. Idempotent, never rejects.
   */
  stop(why: string): Promise<void> {
    this.#callOver = true;
    this.#dispatch({ type: 'stop', termination: this.#ofCallEnd(`the call ended: ${why}`) });
    return this.ended;
  }

  #ofCallEnd(detail: string): Termination {
    if (this.#state.started) return terminated('call-ended', detail);
    const waited = this.#state.phase === 'active' && !this.#pause.wanted;
    return terminated(waited ? 'recorder-inactive' : 'call-ended-before-start', detail);
  }

  #requireLive(): void {
    const { phase } = this.#state;
    if (phase === 'stopping-while-starting' || phase === 'stopping' || phase === 'ended')
      throw new SidestreamError('wrong-state', `recording ${this.#facts.recordingId} is over`);
  }

  /** One event after the other: what an effect brings about at once waits until the others of its event have run. */
  #dispatch(event: RecordingEvent, lostSinceMs?: number): void {
    this.#events.push({ event, lostSinceMs });
    if (this.#events.length > 1) return;
    for (let next = this.#events[0]; next !== undefined; next = this.#events[0]) {
      try {
        const { state, effects } = stepRecording(this.#state, next.event);
        this.#state = state;
        for (const effect of effects) this.#run(effect, next.lostSinceMs);
      } catch (error) {
        // Nobody knows what was done and what was not: it is given back.
        this.#log.error({ err: error, event: next.event.type }, 'the recording fails');
        this.#events.push({ event: { type: 'stop', termination: terminationOf(error) }, lostSinceMs: undefined });
      } finally {
        this.#events.shift();
      }
    }
    this.#onChange();
  }

  #run(effect: RecordingEffect, lostSinceMs: number | undefined): void {
    switch (effect.type) {
      case 'start-fork':
        this.#startFork(effect.newRound);
        return;
      case 'invite':
        this.#steps.recorderAsked(this.#facts, this.#attempts.recorder);
        this.#step('refused', this.#attempt?.invite());
        return;
      case 'abort-start':
        this.#report.ending();
        this.#attempt?.abort();
        return;
      case 'connect':
        this.#steps.recorderAccepted(this.#facts);
        this.#step('connect-failed', this.#attempt?.connect());
        return;
      case 'attend':
        this.#attempt?.attend();
        return;
      case 'settle':
        this.#attempts.settle();
        return;
      case 'announce-delay':
      case 'announce-start':
      case 'announce-pause':
      case 'announce-resume':
      case 'announce-recovery':
      case 'announce-end':
        this.#report.announce(effect, {
          recorder: this.#attempts.recorder,
          dialog: this.#attempt?.dialog,
          pausedBy: this.#pause.by[0],
        });
        return;
      case 'give-up':
        this.#giveUp(effect, lostSinceMs);
        return;
      case 'wait':
        void pause(Math.min(longestWaitMs, firstWaitMs * 2 ** (effect.round - 1)), this.#work.signal).then(() =>
          this.#dispatch({ type: 'retry' }),
        );
        return;
      case 'release':
        this.#report.ending();
        void this.#end(effect);
        return;
      default:
        unreachable(effect);
    }
  }

  /** A step of the start; its failure is an event like any other, unless its recorder was given up meanwhile. */
  #step(failure: 'fork-failed' | 'refused' | 'connect-failed', work: Promise<void> | undefined): void {
    const attempt = this.#attempt;
    work?.catch((error: unknown) => {
      if (this.#attempt === attempt) this.#dispatch({ type: failure, termination: terminationOf(error) });
    });
  }

  #startFork(newRound: boolean): void {
    // What was said before this to a recorder that did not take it holds for the next one.
    this.#attempt = this.#attempts.next(newRound, this.#state.lost !== undefined);
    if (this.#attempt !== undefined) this.#step('fork-failed', this.#attempt.startFork());
    else
      this.#dispatch({
        type: 'none-left',
        termination: terminated('recorder-unreachable', 'no recorder is left to ask'),
      });
  }

  #giveUp({ bye, termination }: Extract<RecordingEffect, { type: 'give-up' }>, lostSinceMs: number | undefined): void {
    const attempt = this.#attempt;
    if (attempt === undefined) return;
    this.#log.warn({ recorder: attempt.recorder, termination }, 'a recorder is given up');
    this.#steps.recorderGivenUp(this.#facts, termination);
    this.#attempt = undefined;
    if (attempt.attended) this.#lost(lostSinceMs);
    this.#pause.leaves(this.#release.giveUp(attempt, bye));
  }

  /** A recorder that was up is gone. */
  #lost(sinceMs: number | undefined): void {
    this.#report.lost(sinceMs);
    if (this.#options.callIdOnReestablish !== 'new') return;
    this.#facts = { ...this.#facts, call: { ...this.#facts.call, recordingCallId: newRecordingCallId() } };
  }

  async #end({ fork, bye }: Extract<RecordingEffect, { type: 'release' }>): Promise<void> {
    this.#work.abort(new DOMException('the recording is over', 'AbortError'));
    const released = await this.#release.all(this.#attempt, { fork: fork && !this.#callOver, bye });
    this.#dispatch({ type: 'released', ...released });
  }
}

function unreachable(effect: never): never {
  throw new TypeError(`unknown recording effect ${JSON.stringify(effect)}`);
}
