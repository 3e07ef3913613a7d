// One recording of one call: it owns the recording's state, runs the effects of the state machine and reports what came of them, from
// recorder to recorder. Whatever happens here, the call goes on; whatever happens to the call, everything here is given back once.
import { type Logger, pause, SidestreamError } from '@sidestream/service';
import { newRecordingCallId } from '@sidestream/siprec';
import type { RecordingView } from './call-recording.js';
import { settled } from './deadline.js';
import type { PartyFlows } from './party-flows.js';
import type {
  CallEvents,
  MediaSession,
  MonotonicClock,
  RecorderClient,
  RecorderDialog,
  RecordingFacts,
} from './ports.js';
import { RecordingAttempt } from './recording-attempt.js';
import { RecordingFork } from './recording-fork.js';
import { RecordingGaps } from './recording-gaps.js';
import type { RecordingScript } from './recording-script.js';
import {
  newRecording,
  type RecordingEffect,
  type RecordingEvent,
  type RecordingState,
  stepRecording,
} from './recording-state.js';
import { type Termination, terminated, terminationOf } from './termination.js';

export interface RecordingServices {
  readonly recorders: RecorderClient;
  readonly events: CallEvents;
  readonly clock: MonotonicClock;
  readonly log: Logger;
}

export interface RecordingSessionOptions {
  /** Call-ID of the dialog after a loss: the one that the call's events have told, or a new one. Failover before keeps it always. */
  readonly callIdOnReestablish?: 'same' | 'new';
}

const releaseDeadlineMs = 5_000;
/** Between two rounds through the recorders: doubled each time, up to the longest. */
const firstWaitMs = 1_000;
const longestWaitMs = 30_000;

export class RecordingSession {
  readonly #services: RecordingServices;
  readonly #newScript: () => RecordingScript;
  readonly #options: RecordingSessionOptions;
  readonly #log: Logger;
  /** Aborted by the first end. */
  readonly #work = new AbortController();
  /** What is being given back already: of recorders that were given up. */
  readonly #ends = new Set<Promise<unknown>>();
  readonly #gaps = new RecordingGaps();
  /** Resolves with true once media flows to a recorder, with false when the recording ends without. */
  readonly started: Promise<boolean>;
  #resolveStarted: (made: boolean) => void = () => {};
  /** Resolves when the recording is over and everything given back. */
  readonly ended: Promise<void>;
  #resolveEnded: () => void = () => {};
  #onChange: () => void = () => {};
  #facts: RecordingFacts;
  #state: RecordingState;
  readonly #events: { readonly event: RecordingEvent; readonly lostSinceMs: number | undefined }[] = [];
  /** The recorders, in the order in which they are asked. */
  #recorders: readonly string[];
  #script: RecordingScript | undefined;
  #media: MediaSession | undefined;
  #attempt: RecordingAttempt | undefined;
  /** Who paused the recording; undefined if nobody did. */
  #pausedBy: string | undefined;
  #pausing: Promise<void> | undefined;
  /** The call has ended: it closes its media session, and the fork ends with that. */
  #callOver = false;
  #refreshWanted = false;
  #flows: PartyFlows | undefined;
  #beganAtMs = 0;
  #startedAtMs = 0;
  /** Since when the recorder that is being lost may have been gone. */
  #lostSinceMs: number | undefined;

  /** @param newScript called once when the recording starts: its metadata says since when. */
  constructor(
    services: RecordingServices,
    facts: RecordingFacts,
    newScript: () => RecordingScript,
    options: RecordingSessionOptions = {},
  ) {
    this.#services = services;
    this.#facts = facts;
    this.#newScript = newScript;
    this.#options = options;
    this.#log = services.log.child({ call: facts.call.callId, recording: facts.recordingId });
    this.#recorders = facts.call.decision.recorders;
    this.#state = newRecording(this.#recorders.length);
    this.started = new Promise((resolve) => {
      this.#resolveStarted = resolve;
    });
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
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

  get paused(): boolean {
    return this.#pausedBy !== undefined;
  }

  get view(): RecordingView {
    const { recordingId, call } = this.#facts;
    const recorder = this.#recorders[this.#state.candidate] ?? '';
    // Whoever paused it, we or the recorder.
    const phase = this.phase === 'active' && this.#state.flowing === false ? 'paused' : this.phase;
    return { recordingId, recorderCallId: call.recordingCallId, phase, recorder };
  }

  /** Calls back whenever the phase may have changed. */
  watch(onChange: () => void): void {
    this.#onChange = onChange;
  }

  /** Begins on this media session, in which media flows so (absent: both ways). Returns at once, never throws. */
  start(media: MediaSession, flows?: PartyFlows): void {
    this.#media = media;
    this.#flows = flows;
    this.#beganAtMs = this.#services.clock();
    if (this.#state.phase === 'new') {
      this.#recorders = this.#services.recorders.order(this.#facts.call.tenant, this.#recorders);
      this.#state = newRecording(this.#recorders.length);
    }
    this.#dispatch({ type: 'start' });
  }

  /**
   * The call's media changed: the recorder must hear of it. Returns at once.
   * @param flows which way it flows now; absent: as before
   */
  refresh(flows?: PartyFlows): void {
    this.#refreshWanted = true;
    this.#attempt?.refresh();
    this.#flows = flows ?? this.#flows;
    if (flows !== undefined && this.#script?.follow(flows) === true) this.#attempt?.snapshot();
  }

  /**
   * Stops every packet to the recorder before it resolves, and tells the recorder; holds for the recorders that come after this one.
   * Idempotent.
   * @param by who wanted it, for the events
   * @throws SidestreamError when the relay did not confirm it: the recording ends then, because a pause that is none is worse; or
   * 'wrong-state' when it is over
   */
  pause(by: string): Promise<void> {
    this.#pausing ??= this.#pause(by).finally(() => {
      this.#pausing = undefined;
    });
    return this.#pausing;
  }

  async #pause(by: string): Promise<void> {
    this.#requireLive();
    if (this.#pausedBy !== undefined) return;
    this.#pausedBy = by;
    this.#gaps.pause(this.#services.clock());
    const attempt = this.#attempt;
    try {
      await attempt?.pause();
    } catch (error) {
      // A recorder that was given up meanwhile gets nothing once its fork has stopped; the next one is paused from the start.
      if (attempt !== this.#attempt) return attempt?.fork.stop();
      this.#dispatch({ type: 'stop', termination: terminationOf(error) });
      throw SidestreamError.from(error);
    }
  }

  /**
   * Lets media flow again, with the same streams and labels as before. Resolves when the recorder has agreed; one that wants to wait has.
   * Idempotent.
   * @throws SidestreamError 'recorder-refused': it stays paused; 'wrong-state' when it is over
   */
  async resume(): Promise<void> {
    this.#requireLive();
    const by = this.#pausedBy;
    if (by === undefined) return;
    this.#pausedBy = undefined;
    this.#gaps.resume(this.#services.clock());
    const attempt = this.#attempt;
    try {
      await attempt?.resume();
    } catch (error) {
      // The recorder was given up meanwhile: it is the next one that gets media.
      if (attempt !== this.#attempt) return;
      if (SidestreamError.from(error).code === 'recorder-refused') {
        this.#pausedBy = by;
        this.#gaps.pause(this.#services.clock());
      }
      throw SidestreamError.from(error);
    }
  }

  /** Ends the recording while the call goes on. Resolves when fork and dialog are given back. Idempotent, never rejects. */
  end(termination: Termination): Promise<void> {
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
    const waited = this.#state.phase === 'active' && !this.paused;
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
      this.#lostSinceMs = next.lostSinceMs;
      const { state, effects } = stepRecording(this.#state, next.event);
      this.#state = state;
      for (const effect of effects) this.#run(effect);
      this.#events.shift();
    }
    this.#onChange();
  }

  #run(effect: RecordingEffect): void {
    switch (effect.type) {
      case 'start-fork':
        this.#step('fork-failed', this.#startFork(effect));
        return;
      case 'invite':
        this.#step('refused', this.#attempt?.invite());
        return;
      case 'abort-start':
        this.#attempt?.abort();
        return;
      case 'connect':
        this.#step('connect-failed', this.#attempt?.connect());
        return;
      case 'attend':
        this.#attempt?.attend();
        return;
      case 'announce-start':
      case 'announce-pause':
      case 'announce-resume':
        this.#announceFlow(effect.type);
        return;
      case 'announce-recovery':
        this.#announceRecovery(effect.lost);
        return;
      case 'give-up':
        this.#giveUp(effect);
        return;
      case 'wait':
        void pause(Math.min(longestWaitMs, firstWaitMs * 2 ** (effect.round - 1)), this.#work.signal).then(() =>
          this.#dispatch({ type: 'retry' }),
        );
        return;
      case 'release':
        void this.#release(effect);
        return;
      case 'announce-end':
        this.#announceEnd(effect.started, effect.termination);
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

  async #startFork(effect: Extract<RecordingEffect, { type: 'start-fork' }>): Promise<void> {
    await this.#newAttempt(effect).startFork();
  }

  #newAttempt({ candidate, losses }: { candidate: number; losses: number }): RecordingAttempt {
    const { recorders, clock, events } = this.#services;
    const { recordingId, call } = this.#facts;
    const script = this.#scriptAfter(losses);
    // A copy of its own has keys of its own: no recorder sees those that another one has seen, nor its own again in a new session.
    const forkId = losses === 0 ? `${recordingId}.${candidate}` : `${recordingId}.${candidate}.${losses}`;
    const attempt: RecordingAttempt = new RecordingAttempt({
      recorders,
      tenant: call.tenant,
      recorder: this.#recorders[candidate] ?? '',
      last: candidate === this.#recorders.length - 1,
      // RFC 3263 §4.3: the next recorder hears the same request, so what the dialer widget was told stays true.
      sipCallId: this.#facts.call.recordingCallId,
      script,
      fork: new RecordingFork(present(this.#media), forkId, this.paused, this.#log),
      clock,
      log: this.#log,
      onEvent: (event, lostSinceMs) => {
        if (this.#attempt === attempt) this.#dispatch(event, lostSinceMs);
      },
      onState: (dialog) => events.recordingState(this.#facts, forkId, dialog),
    });
    if (this.#refreshWanted) attempt.refresh();
    this.#attempt = attempt;
    return attempt;
  }

  /** What is said to the next recorder: of the same session, with the ids that it has had from the start. */
  #scriptAfter(losses: number): RecordingScript {
    if (this.#script === undefined) this.#script = this.#newScript();
    else if (losses > 0) this.#script.renew(new Date());
    if (this.#flows !== undefined) this.#script.follow(this.#flows);
    return this.#script;
  }

  #giveUp({ bye, termination }: Extract<RecordingEffect, { type: 'give-up' }>): void {
    const attempt = this.#attempt;
    if (attempt === undefined) return;
    this.#log.warn({ recorder: attempt.recorder, termination }, 'a recorder is given up');
    this.#attempt = undefined;
    if (attempt.attended) this.#lost();
    attempt.abort();
    this.#ending(attempt.fork.stop());
    if (bye) this.#ending(attempt.sayBye());
  }

  /** A recorder that was up is gone. */
  #lost(): void {
    if (this.#state.started) this.#gaps.begin(this.#lostSinceMs ?? this.#services.clock());
    if (this.#options.callIdOnReestablish !== 'new') return;
    this.#facts = { ...this.#facts, call: { ...this.#facts.call, recordingCallId: newRecordingCallId() } };
  }

  /** The release waits for it. */
  #ending(ending: Promise<unknown>): void {
    this.#ends.add(ending);
    void ending.finally(() => this.#ends.delete(ending));
  }

  async #release({ fork, bye }: Extract<RecordingEffect, { type: 'release' }>): Promise<void> {
    this.#work.abort(new DOMException('the recording is over', 'AbortError'));
    const attempt = this.#attempt;
    attempt?.abort();
    const ends: Promise<unknown>[] = [...this.#ends];
    if (fork && attempt && !this.#callOver) ends.push(attempt.fork.stop());
    let answer: number | undefined;
    if (bye && attempt) {
      ends.push(
        attempt.sayBye().then((status) => {
          answer = status;
        }),
      );
    }
    if (attempt) ends.push(attempt.idle());
    const clean = await settled(ends, releaseDeadlineMs);
    if (!clean) this.#log.error('something of the recording could not be given back in time');
    this.#dispatch(bye ? { type: 'released', ...unconfirmed(attempt?.dialog, answer) } : { type: 'released' });
  }

  #announceFlow(what: 'announce-start' | 'announce-pause' | 'announce-resume'): void {
    const { events, clock } = this.#services;
    const dialog = this.#attempt?.dialog;
    if (what === 'announce-pause') events.recordingPaused(this.#facts, this.#pausedBy ?? 'recorder-inactive');
    else if (what === 'announce-resume') events.recordingResumed(this.#facts);
    else if (dialog !== undefined) {
      this.#startedAtMs = clock();
      events.recordingStarted(this.#facts, dialog, this.#startedAtMs - this.#beganAtMs);
      this.#resolveStarted(true);
    }
  }

  #announceRecovery(lost: Termination): void {
    const { events, clock } = this.#services;
    const dialog = this.#attempt?.dialog;
    if (dialog === undefined || !this.#state.started) return;
    events.recordingRecovered(this.#facts, dialog, lost, this.#gaps.end(clock()));
  }

  #announceEnd(started: boolean, termination: Termination): void {
    const { events, clock } = this.#services;
    const now = clock();
    if (started) {
      const times = { durationMs: now - this.#startedAtMs, gapMs: this.#gaps.sum(now) };
      events.recordingEnded(this.#facts, termination, times);
    } else events.recordingFailed(this.#facts, this.#recorders[this.#state.candidate] ?? '', termination);
    this.#resolveStarted(false);
    this.#resolveEnded();
  }
}

/** What a BYE that was not answered 2xx says of the recording. */
function unconfirmed(dialog: RecorderDialog | undefined, status: number | undefined): { unconfirmed?: Termination } {
  if (status !== undefined && status >= 200 && status < 300) return {};
  const detail = `${dialog?.host ?? 'the recorder'}: ${status === undefined ? 'no answer' : status} to BYE`;
  return { unconfirmed: terminated('recorder-lost', detail) };
}

function present(media: MediaSession | undefined): MediaSession {
  if (media === undefined) throw new Error('the recording has no media session');
  return media;
}

function unreachable(effect: never): never {
  throw new TypeError(`unknown recording effect ${JSON.stringify(effect)}`);
}
