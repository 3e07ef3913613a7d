// One recorder's share of a recording: a fork with keys of its own, the dialog, and what keeps both true to the call while it lasts.
// It reports what happens; whether there is another recorder after this one, the session knows.
import { setMaxListeners } from 'node:events';
import { type Logger, pause, SidestreamError } from '@sidestream/service';
import { raced, within } from './deadline.js';
import type { CallId } from './identifiers.js';
import type { Party } from './parties.js';
import type {
  ForkCondition,
  HeaderFields,
  MonotonicClock,
  RecorderClient,
  RecorderDialog,
  RecordingBody,
} from './ports.js';
import { type Doubt, RecorderWatch } from './recorder-watch.js';
import type { RecordingFork } from './recording-fork.js';
import type { RecorderDescription, RecordingScript } from './recording-script.js';
import type { RecordingEvent } from './recording-state.js';
import { RecordingUpdates } from './recording-updates.js';
import { terminated, terminationOf } from './termination.js';

export interface RecordingAttemptOptions {
  readonly recorders: RecorderClient;
  readonly callId: CallId;
  readonly tenant: string;
  readonly recorder: string;
  /** There is no other one to ask after it. */
  readonly last: boolean;
  /** Byte for byte what the recorder sees as Call-ID. */
  readonly sipCallId: string;
  readonly script: RecordingScript;
  readonly fork: RecordingFork;
  readonly clock: MonotonicClock;
  readonly log: Logger;
  /** What happened. A loss says since when the recorder may have been gone, in time of the clock. */
  readonly onEvent: (event: RecordingEvent, lostSinceMs?: number) => void;
  /** The relay tells how the fork does its work. */
  readonly onMedia: (condition: ForkCondition, lastedMs: number) => void;
  /** The voices that the recorder does not take, though it wants media. */
  readonly onRefused: (voices: readonly Party[]) => void;
  /** The dialog's state has changed. */
  readonly onState: (dialog: RecorderDialog) => void;
}

const byeDeadlineMs = 4_000;
/** A recorder that is lost sooner than that has not helped. */
const settleMs = 10_000;
/** Who asks for a turn hears of it within this time, whatever the recorder does. */
const turnDeadlineMs = 15_000;

export class RecordingAttempt {
  readonly #options: RecordingAttemptOptions;
  /** Aborted by its end. */
  readonly #work = new AbortController();
  #dialog: RecorderDialog | undefined;
  #answer: RecorderDescription | undefined;
  #updates: RecordingUpdates | undefined;
  #watch: RecorderWatch | undefined;
  #offeredPaused = false;
  #refreshWanted = false;
  #snapshotWanted = false;
  #doubt: Doubt | undefined;

  constructor(options: RecordingAttemptOptions) {
    this.#options = options;
    // Each deadline listens to it until it has passed, long after its work.
    setMaxListeners(0, this.#work.signal);
  }

  get dialog(): RecorderDialog | undefined {
    return this.#dialog;
  }

  get recorder(): string {
    return this.#options.recorder;
  }

  /** Whether the recording was up with this recorder. */
  get attended(): boolean {
    return this.#updates !== undefined;
  }

  get fork(): RecordingFork {
    return this.#options.fork;
  }

  /** @throws SidestreamError */
  async startFork(): Promise<void> {
    const { fork, script, onEvent } = this.#options;
    const streams = await fork.subscribe(this.#work.signal);
    this.#offeredPaused = fork.paused;
    script.propose(streams, this.#offeredPaused ? 'inactive' : 'sendonly');
    onEvent({ type: 'fork-started' });
  }

  /** @throws SidestreamError when the recorder does not take the INVITE */
  async invite(): Promise<void> {
    const { recorders, callId, tenant, recorder, last, sipCallId, script, onEvent } = this.#options;
    const dialog = await recorders.invite(
      {
        callId,
        tenant,
        recorder,
        last,
        sipCallId,
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
      const termination = terminationOf(error);
      dialog.unusable(termination.detail);
      return onEvent({ type: 'answer-unusable', termination });
    }
    this.#listen(dialog);
    onEvent({ type: 'accepted' });
  }

  #listen(dialog: RecorderDialog): void {
    dialog.listen({
      offer: (offer) => {
        if (this.#updates === undefined || this.#work.signal.aborted) return offer.refuse(491);
        void this.#updates.recorderOffers(offer);
      },
      snapshotWanted: () => this.#snapshot(),
      doubtful: (sinceMs = this.#options.clock()) => this.doubt({ why: 'its connection was gone', sinceMs }),
      ended: (cause, detail) => {
        const reason = cause === 'hangup' ? 'recorder-hangup' : 'recorder-lost';
        const termination = terminated(reason, `${dialog.host}: ${detail}`);
        this.#options.onEvent({ type: 'dialog-over', termination });
      },
    });
  }

  /** The recorder may be gone: it is asked, and lost if it does not answer. Returns at once. */
  doubt(doubt: Doubt): void {
    this.#doubt ??= doubt;
    this.#watch?.doubt(doubt);
  }

  /** @throws SidestreamError when the relay does not take the recorder's answer */
  async connect(): Promise<void> {
    const { fork, script, onEvent } = this.#options;
    const answer = present(this.#answer, 'usable answer');
    await fork.connect(answer, this.#work.signal);
    script.agree(answer);
    onEvent({ type: 'connected', flowing: fork.flowing, paused: fork.paused });
  }

  /** The recording is up: from now on it follows the call, and the recorder is watched. */
  attend(): void {
    const { script, fork, clock, log, onEvent, onMedia, onRefused, onState } = this.#options;
    const dialog = present(this.#dialog, 'recorder dialog');
    const { signal } = this.#work;
    this.#watch = new RecorderWatch({
      dialog,
      clock,
      signal,
      onLost: (termination, sinceMs) => onEvent({ type: 'lost', termination }, sinceMs),
    });
    fork.watch((condition, lastedMs) => {
      onMedia(condition, lastedMs);
      this.#watch?.forkChanged(condition, lastedMs);
    });
    this.#updates = new RecordingUpdates({
      dialog,
      script,
      fork,
      answer: present(this.#answer, 'usable answer'),
      onAgreed: () => {
        onState(dialog);
        onRefused(fork.refused);
        onEvent({ type: 'flow', flowing: fork.flowing });
      },
      onFailed: (error, dialogGone, sinceMs) =>
        onEvent({ type: dialogGone ? 'dialog-over' : 'lost', termination: terminationOf(error) }, sinceMs),
      clock,
      signal,
      log,
    });
    onState(dialog);
    onRefused(fork.refused);
    // What came while the recorder was being asked.
    if (this.#refreshWanted) this.#updates.refresh();
    if (this.#snapshotWanted) this.#updates.snapshot();
    if (this.#doubt !== undefined) this.#watch.doubt(this.#doubt);
    if (fork.paused !== this.#offeredPaused) void this.#updates.turn();
    void pause(settleMs, signal).then(() => onEvent({ type: 'settled' }));
  }

  /** The call's media changed. */
  refresh(): void {
    this.#refreshWanted = true;
    this.#updates?.refresh();
  }

  /** Something in the metadata has changed. */
  tell(): void {
    this.#snapshotWanted = true;
    this.#updates?.tell();
  }

  /** The recorder is to hear the whole metadata: it wants to. */
  #snapshot(): void {
    this.#snapshotWanted = true;
    this.#updates?.snapshot();
  }

  /**
   * Nothing leaves any more once this resolves; the recorder is told after that.
   * @throws SidestreamError when the relay did not confirm it
   */
  async pause(): Promise<void> {
    const { fork, onEvent } = this.#options;
    const known = fork.paused;
    await fork.pause(this.#work.signal);
    // It was resumed meanwhile, or whoever paused it first tells.
    if (known || !fork.paused) return;
    onEvent({ type: 'flow', flowing: false });
    void this.#updates?.turn();
  }

  /**
   * Resolves when the recorder has agreed, or, before it was asked at first, at once.
   * @throws SidestreamError when it refuses: nothing flows, and it is asked again
   */
  async resume(): Promise<void> {
    const { fork, recorder } = this.#options;
    const known = !fork.paused;
    fork.resume();
    const updates = this.#updates;
    if (updates === undefined || (known && !updates.turning)) return;
    const refused = await raced(updates.turn(), within(this.#work.signal, turnDeadlineMs));
    if (refused === undefined) return;
    const said = `recorder ${recorder} answered ${refused} to resuming; nothing is recorded until it agrees, and it is asked again`;
    throw new SidestreamError('recorder-refused', said);
  }

  /** Aborts the step in flight and whatever follows the call. */
  abort(): void {
    this.#work.abort(new DOMException('the recording is over', 'AbortError'));
  }

  /** Resolves when nothing is in flight any more. */
  async idle(): Promise<void> {
    await this.#updates?.idle();
  }

  /** Resolves with the status of the recorder's answer, undefined without one. */
  async sayBye(): Promise<number | undefined> {
    const { script, log } = this.#options;
    const dialog = this.#dialog;
    if (dialog === undefined) return undefined;
    const signal = within(undefined, byeDeadlineMs);
    try {
      return await raced(dialog.bye(goodbye(script), signal), signal);
    } catch (error) {
      log.warn({ err: error, recorder: dialog.host }, 'the recorder did not answer BYE');
      return undefined;
    }
  }
}

function goodbye(script: RecordingScript): RecordingBody & { headers: HeaderFields } {
  return { ...script.byeBody(new Date()), headers: script.byeHeaders };
}

function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the recording has no ${what}`);
  return value;
}
