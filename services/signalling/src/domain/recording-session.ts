// One recording of one call: it owns the recording's state, fork and dialog, runs the effects of the state machine and reports what
// came of them. Whatever happens here, the call goes on; whatever happens to the call, everything here is given back once.
import type { Logger } from '@sidestream/service';
import type { RecordingView } from './call-session.js';
import { raced, settled, within } from './deadline.js';
import type { Party } from './parties.js';
import type {
  CallEvents,
  HeaderFields,
  MediaSession,
  MonotonicClock,
  RecorderClient,
  RecorderDialog,
  RecordingBody,
  RecordingFacts,
} from './ports.js';
import type { RecorderDescription, RecordingScript } from './recording-script.js';
import {
  newRecording,
  type RecordingEffect,
  type RecordingEvent,
  type RecordingState,
  stepRecording,
} from './recording-state.js';
import { RecordingUpdates } from './recording-updates.js';
import { type Termination, terminated, terminationOf } from './termination.js';

export interface RecordingServices {
  readonly recorders: RecorderClient;
  readonly events: CallEvents;
  readonly clock: MonotonicClock;
  readonly log: Logger;
}

/** The customer's voice is always the first media line. */
const parties: readonly Party[] = ['customer', 'seller'];
const mediaDeadlineMs = 2_000;
const releaseDeadlineMs = 4_000;

export class RecordingSession {
  readonly facts: RecordingFacts;
  readonly #services: RecordingServices;
  readonly #newScript: () => RecordingScript;
  readonly #log: Logger;
  /** Aborted by the first end. */
  readonly #work = new AbortController();
  /** What is being given back already: of recorders that were given up. */
  readonly #ends = new Set<Promise<unknown>>();
  /** Resolves with true once media flows to a recorder, with false when the recording ends without. */
  readonly started: Promise<boolean>;
  #resolveStarted: (made: boolean) => void = () => {};
  /** Resolves when the recording is over and everything given back. */
  readonly ended: Promise<void>;
  #resolveEnded: () => void = () => {};
  #onChange: () => void = () => {};
  #state: RecordingState;
  #script: RecordingScript | undefined;
  #media: MediaSession | undefined;
  #dialog: RecorderDialog | undefined;
  #answer: RecorderDescription | undefined;
  #updates: RecordingUpdates | undefined;
  /** The call has ended: it closes its media session, and the fork ends with that. */
  #callOver = false;
  #refreshWanted = false;
  #snapshotWanted = false;
  #beganAtMs = 0;
  #startedAtMs = 0;

  /** @param newScript called once when the recording starts: its metadata says since when. */
  constructor(services: RecordingServices, facts: RecordingFacts, newScript: () => RecordingScript) {
    this.#services = services;
    this.facts = facts;
    this.#newScript = newScript;
    this.#log = services.log.child({ call: facts.call.callId, recording: facts.recordingId });
    this.#state = newRecording(facts.call.decision.recorders.length);
    this.started = new Promise((resolve) => {
      this.#resolveStarted = resolve;
    });
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  get phase(): RecordingState['phase'] {
    return this.#state.phase;
  }

  get view(): RecordingView {
    const { recordingId, call } = this.facts;
    const recorder = call.decision.recorders[this.#state.candidate] ?? '';
    return { recordingId, recorderCallId: call.recordingCallId, phase: this.phase, recorder };
  }

  /** Calls back whenever the phase may have changed. */
  watch(onChange: () => void): void {
    this.#onChange = onChange;
  }

  /** Begins on this media session. Returns at once, never throws. */
  start(media: MediaSession): void {
    this.#media = media;
    this.#beganAtMs = this.#services.clock();
    this.#dispatch({ type: 'start' });
  }

  /** The call's media changed: the recorder must hear of it. Returns at once. */
  refresh(): void {
    this.#refreshWanted = true;
    this.#updates?.refresh();
  }

  /**
   * Ends the recording because the call ended, for the reason given; resolves when the dialog is given back. The fork is left to
   * the call, which closes the media session. Idempotent, never rejects.
   */
  stop(why: string): Promise<void> {
    this.#callOver = true;
    const reason = this.#state.started ? 'call-ended' : 'call-ended-before-start';
    this.#dispatch({ type: 'stop', termination: terminated(reason, `the call ended: ${why}`) });
    return this.ended;
  }

  /** Ends the recording while the call goes on. Resolves when fork and dialog are given back. Idempotent, never rejects. */
  end(termination: Termination): Promise<void> {
    this.#dispatch({ type: 'stop', termination });
    return this.ended;
  }

  #dispatch(event: RecordingEvent): void {
    const { state, effects } = stepRecording(this.#state, event);
    this.#state = state;
    for (const effect of effects) this.#run(effect);
    this.#onChange();
  }

  #run(effect: RecordingEffect): void {
    switch (effect.type) {
      case 'start-fork':
        this.#step(() => this.#startFork(effect.candidate), 'fork-failed');
        return;
      case 'invite':
        this.#step(() => this.#invite(effect.candidate), 'refused');
        return;
      case 'abort-start':
        this.#work.abort(new DOMException('the recording is over', 'AbortError'));
        return;
      case 'connect':
        this.#step(() => this.#connect(), 'connect-failed');
        return;
      case 'announce-start':
        this.#announceStart();
        return;
      case 'give-up':
        this.#giveUp(effect);
        return;
      case 'stop-fork':
        this.#ending(this.#stopFork(effect.candidate));
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

  /** Runs a step of the start; its failure is an event like any other. */
  #step(work: () => Promise<void>, failure: 'fork-failed' | 'refused' | 'connect-failed'): void {
    work().catch((error: unknown) => this.#dispatch({ type: failure, termination: terminationOf(error) }));
  }

  async #startFork(candidate: number): Promise<void> {
    const { media, script } = this.#resources();
    // Deadlines hold even if the port forgets its signal: the call may be waiting for this to end.
    const signal = within(this.#work.signal, mediaDeadlineMs);
    script.propose(await raced(media.startFork(this.#forkId(candidate), parties, signal), signal));
    this.#dispatch({ type: 'fork-started' });
  }

  async #invite(candidate: number): Promise<void> {
    const { script } = this.#resources();
    const { tenant, decision, recordingCallId } = this.facts.call;
    const dialog = await this.#services.recorders.invite(
      {
        tenant,
        recorder: decision.recorders[candidate] ?? '',
        // RFC 3263 §4.3: the next recorder hears the same request, so what the dialer widget was told stays true.
        sipCallId: recordingCallId,
        headers: script.inviteHeaders,
        goodbye: () => goodbye(script),
        ...script.inviteBody(),
      },
      this.#work.signal,
    );
    this.#dialog = dialog;
    try {
      this.#answer = script.check(dialog.answer);
    } catch (error) {
      return this.#dispatch({ type: 'answer-unusable', termination: terminationOf(error) });
    }
    dialog.listen({
      offer: (offer) => {
        if (this.#updates === undefined) return offer.refuse(491);
        void this.#updates.recorderOffers(offer);
      },
      snapshotWanted: () => {
        this.#snapshotWanted = true;
        this.#updates?.snapshot();
      },
      ended: (cause, detail) => {
        const reason = cause === 'hangup' ? 'recorder-hangup' : 'recorder-lost';
        this.#dispatch({ type: 'dialog-over', termination: terminated(reason, `${dialog.host}: ${detail}`) });
      },
    });
    this.#dispatch({ type: 'accepted' });
  }

  async #connect(): Promise<void> {
    const { media, script, answer } = this.#resources();
    const signal = within(this.#work.signal, mediaDeadlineMs);
    await raced(media.answerFork(this.#forkId(this.#state.candidate), answer.sdp, signal), signal);
    script.agree(answer);
    this.#dispatch({ type: 'connected' });
  }

  #announceStart(): void {
    const { media, script, dialog, answer } = this.#resources();
    const forkId = this.#forkId(this.#state.candidate);
    const keepState = () => this.#services.events.recordingState(this.facts, forkId, dialog);
    const now = this.#services.clock();
    this.#startedAtMs = now;
    this.#updates = new RecordingUpdates({
      media,
      dialog,
      script,
      forkId,
      parties,
      answer,
      onAgreed: keepState,
      onFailed: (error, gone) =>
        this.#dispatch({ type: gone ? 'dialog-over' : 'failed', termination: terminationOf(error) }),
      signal: this.#work.signal,
      log: this.#log,
    });
    // The call's media may have changed while the recorder was being asked.
    if (this.#refreshWanted) this.#updates.refresh();
    if (this.#snapshotWanted) this.#updates.snapshot();
    this.#services.events.recordingStarted(this.facts, dialog, now - this.#beganAtMs);
    keepState();
    this.#resolveStarted(true);
  }

  #giveUp({ candidate, bye, termination }: Extract<RecordingEffect, { type: 'give-up' }>): void {
    const recorder = this.facts.call.decision.recorders[candidate];
    this.#log.warn({ recorder, termination }, 'a recorder is given up');
    const dialog = this.#dialog;
    this.#dialog = undefined;
    if (bye && dialog !== undefined) this.#ending(this.#sayBye(dialog));
  }

  /** The release waits for it. */
  #ending(ending: Promise<unknown>): void {
    this.#ends.add(ending);
    void ending.finally(() => this.#ends.delete(ending));
  }

  async #release({ fork, bye }: Extract<RecordingEffect, { type: 'release' }>): Promise<void> {
    this.#work.abort(new DOMException('the recording is over', 'AbortError'));
    const ends: Promise<unknown>[] = [...this.#ends];
    if (fork && !this.#callOver) ends.push(this.#stopFork(this.#state.candidate));
    let answer: number | undefined;
    if (bye && this.#dialog) {
      ends.push(
        this.#sayBye(this.#dialog).then((status) => {
          answer = status;
        }),
      );
    }
    if (this.#updates) ends.push(this.#updates.idle());
    const clean = await settled(ends, releaseDeadlineMs + 1_000);
    if (!clean) this.#log.error('something of the recording could not be given back in time');
    this.#dispatch(bye ? { type: 'released', ...unconfirmed(this.#dialog, answer) } : { type: 'released' });
  }

  async #stopFork(candidate: number): Promise<void> {
    const signal = within(undefined, releaseDeadlineMs);
    try {
      if (this.#media) await raced(this.#media.stopFork(this.#forkId(candidate), signal), signal);
    } catch (error) {
      // The media session's end, which follows the call's, ends the fork as well.
      this.#log.error({ err: error }, 'the fork could not be stopped');
    }
  }

  /** Resolves with the status of the recorder's answer, undefined without one. */
  async #sayBye(dialog: RecorderDialog): Promise<number | undefined> {
    const signal = within(undefined, releaseDeadlineMs);
    try {
      return await raced(dialog.bye(goodbye(this.#resources().script), signal), signal);
    } catch (error) {
      this.#log.warn({ err: error, recorder: dialog.host }, 'the recorder did not answer BYE');
      return undefined;
    }
  }

  /** The relay's name of the copy for one recorder: a copy of its own has keys of its own. */
  #forkId(candidate: number): string {
    return `${this.facts.recordingId}.${candidate}`;
  }

  #announceEnd(started: boolean, termination: Termination): void {
    const { events, clock } = this.#services;
    if (started) events.recordingEnded(this.facts, termination, clock() - this.#startedAtMs);
    else
      events.recordingFailed(this.facts, this.facts.call.decision.recorders[this.#state.candidate] ?? '', termination);
    this.#resolveStarted(false);
    this.#resolveEnded();
  }

  /** What the steps work with; the state machine lets no step run before it exists. */
  #resources(): { media: MediaSession; script: RecordingScript; dialog: RecorderDialog; answer: RecorderDescription } {
    this.#script ??= this.#newScript();
    const self = this;
    return {
      script: this.#script,
      get media() {
        return present(self.#media, 'media session');
      },
      get dialog() {
        return present(self.#dialog, 'recorder dialog');
      },
      get answer() {
        return present(self.#answer, 'usable answer');
      },
    };
  }
}

function goodbye(script: RecordingScript): RecordingBody & { headers: HeaderFields } {
  return { ...script.byeBody(new Date()), headers: script.byeHeaders };
}

/** What a BYE that was not answered 2xx says of the recording. */
function unconfirmed(dialog: RecorderDialog | undefined, status: number | undefined): { unconfirmed?: Termination } {
  if (status !== undefined && status >= 200 && status < 300) return {};
  const detail = `${dialog?.host ?? 'the recorder'}: ${status === undefined ? 'no answer' : status} to BYE`;
  return { unconfirmed: terminated('recorder-lost', detail) };
}

function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the recording has no ${what}`);
  return value;
}

function unreachable(effect: never): never {
  throw new TypeError(`unknown recording effect ${JSON.stringify(effect)}`);
}
