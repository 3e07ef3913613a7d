// The attempts of one recording, one recorder after the other: whom to ask, with which fork, and what is said. One at a time is under way;
// when the next one begins, and how one ends, the session knows.
import type { Logger } from '@sidestream/service';
import type { CallParties, Party } from './parties.js';
import type { PartyFlows } from './party-flows.js';
import type { ForkCondition, MediaSession, RecorderDialog, RecordingFacts } from './ports.js';
import { RecorderRound } from './recorder-round.js';
import { RecordingAttempt, type RecordingAttemptOptions } from './recording-attempt.js';
import { RecordingForks } from './recording-forks.js';
import type { RecordingScript } from './recording-script.js';

export interface RecordingAttemptsOptions extends Pick<RecordingAttemptOptions, 'recorders' | 'clock'> {
  /** As they are now. */
  readonly facts: () => RecordingFacts;
  /** Called once: the metadata says since when. */
  readonly newScript: () => RecordingScript;
  /** Whether somebody wants the recording paused now. */
  readonly paused: () => boolean;
  /** What happens at the recorder that is being asked, or is up. */
  readonly onEvent: (attempt: RecordingAttempt, ...what: Parameters<RecordingAttemptOptions['onEvent']>) => void;
  readonly onMedia: (attempt: RecordingAttempt, condition: ForkCondition, lastedMs: number) => void;
  readonly onRefused: (attempt: RecordingAttempt, voices: readonly Party[]) => void;
  /** The state of its dialog has changed. */
  readonly onState: (forkId: string, dialog: RecorderDialog) => void;
  readonly log: Logger;
}

export class RecordingAttempts {
  readonly #options: RecordingAttemptsOptions;
  readonly #round: RecorderRound;
  readonly #forks: RecordingForks;
  #recorder: string;
  #media: MediaSession | undefined;
  #script: RecordingScript | undefined;
  #flows: PartyFlows | undefined;
  #parties: CallParties | undefined;
  #refreshWanted = false;

  constructor(options: RecordingAttemptsOptions) {
    const { recorders, facts, log } = options;
    const { recordingId, call } = facts();
    this.#options = options;
    this.#recorder = call.decision.recorders[0] ?? '';
    this.#round = new RecorderRound(() => recorders.order(call.tenant, call.decision.recorders));
    this.#forks = new RecordingForks(recordingId, log);
  }

  /** The recorder that was asked last; before, the first of the list. */
  get recorder(): string {
    return this.#recorder;
  }

  /** What they are about: the call's media, which flows so. */
  begin(media: MediaSession, flows: PartyFlows | undefined): void {
    this.#media = media;
    this.#flows = flows;
  }

  /** The media changed; `flows`: which way it flows now. True if the metadata says something new by that. */
  refresh(flows: PartyFlows | undefined): boolean {
    this.#refreshWanted = true;
    this.#flows = flows ?? this.#flows;
    return flows !== undefined && this.#script?.follow(flows) === true;
  }

  /** Who takes part now. True if the metadata says something new by that. */
  involve(parties: CallParties): boolean {
    this.#parties = parties;
    return this.#script?.involve(parties, new Date()) === true;
  }

  /** The recorder that was asked last is sound: it is the others that are asked first when it is lost. */
  settle(): void {
    this.#round.begin(this.#recorder);
  }

  /**
   * At the best recorder that was not asked in this round yet; undefined when each one was.
   * @param newRound all of them may be asked again
   * @param renewed what was recorded before this has come to an end
   */
  next(newRound: boolean, renewed: boolean): RecordingAttempt | undefined {
    if (newRound) this.#round.begin();
    const turn = this.#round.next();
    if (turn === undefined) return undefined;
    const { recorders, clock, facts, paused, onEvent, onMedia, onRefused, onState, log } = this.#options;
    const { call } = facts();
    const { recorder, last } = turn;
    this.#recorder = recorder;
    if (this.#media === undefined) throw new Error('the recording has no media session');
    const fork = this.#forks.fork(this.#media, recorder, paused());
    const attempt: RecordingAttempt = new RecordingAttempt({
      recorders,
      callId: call.callId,
      tenant: call.tenant,
      recorder,
      last,
      // RFC 3263 §4.3: the next recorder hears the same request, so what the dialer widget was told stays true.
      sipCallId: call.recordingCallId,
      script: this.#scriptOf(renewed),
      fork,
      clock,
      log,
      onEvent: (event, lostSinceMs) => onEvent(attempt, event, lostSinceMs),
      onMedia: (condition, lastedMs) => onMedia(attempt, condition, lastedMs),
      onRefused: (voices) => onRefused(attempt, voices),
      onState: (dialog) => onState(fork.id, dialog),
    });
    if (this.#refreshWanted) attempt.refresh();
    return attempt;
  }

  /** What is said to the next recorder: of the same session, with the ids that it has had from the start. */
  #scriptOf(renewed: boolean): RecordingScript {
    if (this.#script === undefined) this.#script = this.#options.newScript();
    else if (renewed) this.#script.renew(new Date());
    if (this.#flows !== undefined) this.#script.follow(this.#flows);
    if (this.#parties !== undefined) this.#script.involve(this.#parties, new Date());
    return this.#script;
  }
}
