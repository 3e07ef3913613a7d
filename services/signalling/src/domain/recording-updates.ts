// Keeps an active recording true to its call and to our wish: after each change of the media the fork is subscribed anew and, when its
// description changed, offered to the recorder; so are a pause, its end, and the whole metadata when the recorder asks for it. One at a
// time; of several changes only the newest is sent. Knows nothing of start and end.
import { randomInt } from 'node:crypto';
import { type Logger, pause, SidestreamError } from '@sidestream/service';
import { within } from './deadline.js';
import type { IncomingOffer, MonotonicClock, RecorderDialog } from './ports.js';
import type { RecordingFork } from './recording-fork.js';
import type { RecorderDescription, RecordingScript } from './recording-script.js';
import { RecordingTurns, type TurnTeller } from './recording-turns.js';

export interface RecordingUpdatesOptions {
  readonly dialog: Pick<RecorderDialog, 'reinvite'>;
  readonly script: RecordingScript;
  readonly fork: RecordingFork;
  /** What the relay heard last of the recorder, or would have without a pause. */
  readonly answer: RecorderDescription;
  /** The recorder and the relay have agreed once more: the dialog's state has changed, and what flows may have. */
  readonly onAgreed: () => void;
  /**
   * What flows is not what was agreed, or the dialog is gone: this recorder is of no use any more.
   * @param sinceMs when it was asked what it did not answer; absent: since now
   */
  readonly onFailed: (error: SidestreamError, dialogGone: boolean, sinceMs?: number) => void;
  /** Aborted when the recording ends. */
  readonly signal: AbortSignal;
  readonly clock: MonotonicClock;
  /** How long to wait after a 491; for tests. */
  readonly backOffMs?: () => number;
  /** How long to wait after the first refusal to resume; for tests. */
  readonly firstRefusalMs?: number;
  readonly log: Logger;
}

/** Far below the INVITE transaction's own 64*T1: meanwhile nobody knows what is recorded. */
const answerDeadlineMs = 10_000;
/** What has to be done, of which there is one each however often it is asked for. */
interface Wanted {
  /** The fork has to be subscribed anew: the call's media changed. */
  readonly renewal: boolean;
  /** Its direction may have to be told. */
  readonly turn: boolean;
  /** The recorder has to hear of the metadata: what has changed, or, having lost it, all. */
  readonly metadata: 'none' | 'changes' | 'all';
}

const nothing: Wanted = { renewal: false, turn: false, metadata: 'none' };

export class RecordingUpdates {
  readonly #options: RecordingUpdatesOptions;
  #answer: RecorderDescription;
  #running: Promise<void> | undefined;
  #wanted = nothing;
  #recorderOffer = false;
  readonly #turns: RecordingTurns;
  /** The relay refused the last description; a second refusal in a row ends the recording. */
  #mending = false;

  constructor(options: RecordingUpdatesOptions) {
    this.#options = options;
    this.#answer = options.answer;
    this.#turns = new RecordingTurns(() => this.#want({ turn: true }), options.signal, options.firstRefusalMs);
  }

  /** The call's media changed. Returns at once. */
  refresh(): void {
    this.#want({ renewal: true });
  }

  /**
   * The fork was paused, or may flow again: the recorder must hear of it (RFC 7866 §7.1.1.1), and does again after a refusal.
   * Resolves with the status of the refusal, or with undefined once it has agreed; not at all when it is lost.
   */
  turn(): Promise<number | undefined> {
    return this.#turns.want();
  }

  /** Whether the recorder does not know yet, or does not accept, that the fork was paused or may flow again. */
  get turning(): boolean {
    return this.#turns.open;
  }

  /** Something in the metadata has changed: a re-INVITE brings it, changed offer or not. Returns at once. */
  tell(): void {
    if (this.#wanted.metadata !== 'all') this.#want({ metadata: 'changes' });
  }

  /** The recorder wants the full metadata (RFC 7866 §9.2): the same, with all of it. Returns at once. */
  snapshot(): void {
    this.#want({ metadata: 'all' });
  }

  /** Resolves when nothing is in flight. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /**
   * The recorder's own re-INVITE or UPDATE, with an offer or without (RFC 7866 §7.2: a recorder adds no streams). What it wants must
   * be as safe as a first answer. Never rejects.
   */
  async recorderOffers(offer: IncomingOffer): Promise<void> {
    // RFC 3261 §14.2: ours is pending, or its first is not answered yet.
    if (this.#running !== undefined || this.#recorderOffer) return offer.refuse(491);
    this.#recorderOffer = true;
    try {
      await (offer.sdp === '' ? this.#offerToRecorder(offer) : this.#answerRecorder(offer));
    } catch (error) {
      this.#options.log.warn({ err: error }, "the recorder's offer came to nothing");
      offer.refuse(500);
    } finally {
      this.#recorderOffer = false;
    }
    // A change of the call that came meanwhile was only noted.
    if (this.#pending) this.#run();
  }

  async #answerRecorder(offer: IncomingOffer): Promise<void> {
    const { script, onAgreed, log } = this.#options;
    const before = this.#answer;
    let wanted: RecorderDescription;
    try {
      wanted = script.check(sdpBody(offer.sdp));
    } catch (error) {
      // RFC 3261 §14.2: a refused offer changes nothing, and the relay has not heard of it.
      log.warn({ err: error }, "the recorder's offer is refused; the recording goes on as it was");
      return offer.refuse(488);
    }
    // A refresh of the session is no business of the relay.
    const same = wanted.sdp === before.sdp;
    if (!same && !(await this.#connect(wanted))) return offer.refuse(500);
    try {
      await offer.answer(script.answer(wanted));
      onAgreed();
    } catch (error) {
      log.warn({ err: error }, 'the recorder does not want its answer any more; the recording goes on as it was');
      if (!same) await this.#connect(before);
    }
  }

  async #offerToRecorder(offer: IncomingOffer): Promise<void> {
    const { script, onAgreed, onFailed } = this.#options;
    const answered = await offer.answer(script.standing());
    if (answered === '') return;
    let wanted: RecorderDescription;
    try {
      wanted = script.check(sdpBody(answered));
    } catch (error) {
      // The recorder believes that its answer holds, so nothing is as it was.
      return onFailed(SidestreamError.from(error), false);
    }
    this.#stands(wanted);
    if (await this.#connect(wanted)) onAgreed();
  }

  #want(more: Partial<Wanted>): void {
    this.#wanted = { ...this.#wanted, ...more };
    this.#run();
  }

  /** While nothing flows the media's changes wait: subscribing the fork anew would let it out. */
  get #pending(): boolean {
    const { renewal, turn, metadata } = this.#wanted;
    return turn || metadata !== 'none' || (renewal && this.#mayRenew);
  }

  get #mayRenew(): boolean {
    const { paused, flowing } = this.#options.fork;
    return !paused && (flowing || this.#mending);
  }

  get #due(): boolean {
    return this.#pending && !this.#options.signal.aborted && !this.#recorderOffer;
  }

  #run(): void {
    if (this.#running === undefined && this.#due) this.#running = this.#drain();
  }

  async #drain(): Promise<void> {
    const { signal, onFailed } = this.#options;
    try {
      while (this.#due) await this.#update();
    } catch (error) {
      if (!signal.aborted) onFailed(SidestreamError.from(error), false);
    } finally {
      // In the turn in which nothing was due: what is wanted one turn later begins another run.
      this.#running = undefined;
    }
  }

  async #update(): Promise<void> {
    const { script, fork, signal, clock, onAgreed, onFailed } = this.#options;
    const { turn, metadata } = this.#wanted;
    const renewal = this.#wanted.renewal && this.#mayRenew;
    const again: Wanted = { turn, metadata, renewal };
    this.#wanted = { ...nothing, renewal: this.#wanted.renewal && !renewal };
    const turns = turn ? this.#turns.take() : [];
    const restore = (wanted: Wanted) => {
      this.#turns.putBack(turns);
      this.#restore(wanted);
    };
    const agreed = () => {
      if (turn) this.#turns.agreed(turns);
      onAgreed();
    };
    const { paused } = fork;
    const streams = renewal ? await fork.subscribe(signal) : undefined;
    // A pause or its end has come meanwhile: it decides what there is to say.
    if (fork.paused !== paused) return restore(again);
    const changed = (renewal || turn) && script.propose(streams, paused ? 'inactive' : 'sendonly');
    // The same description needs no offer; the relay needs the standing answer for the renewed subscription.
    if (!changed && metadata === 'none') {
      if (!(await this.#connect(this.#answer))) return restore({ ...nothing, turn });
      if (turn) agreed();
      return;
    }
    const askedAtMs = clock();
    const response = await this.#ask(metadata, askedAtMs);
    if (response === undefined) return;
    if (response.status === 491) {
      script.withdraw();
      restore(again);
      await pause((this.#options.backOffMs ?? ownerBackOffMs)(), signal);
      return;
    }
    if (response.status === 481 || response.status === 408) {
      const said = `the recorder answered ${response.status} to a re-INVITE`;
      return onFailed(new SidestreamError('recorder-unreachable', said), true, askedAtMs);
    }
    if (response.status >= 300) return this.#refused(response.status, again, turns);
    const answer = script.check(response);
    // A snapshot alone changes no media: a relay that hears the same again has nothing to do.
    if (!changed && !renewal && !turn && answer.sdp === this.#answer.sdp) return agreed();
    this.#stands(answer);
    if (await this.#connect(answer)) agreed();
    else restore({ ...nothing, turn });
  }

  /** The recorder's final response; undefined where there is none: it is lost then. */
  async #ask(metadata: Wanted['metadata'], askedAtMs: number) {
    const { dialog, script, signal, onFailed } = this.#options;
    try {
      return await dialog.reinvite(
        { ...script.inviteBody(metadata === 'changes' ? 'flows' : 'all'), headers: script.inviteHeaders },
        within(signal, answerDeadlineMs),
      );
    } catch (error) {
      if (!signal.aborted) onFailed(SidestreamError.from(error), false, askedAtMs);
      return undefined;
    }
  }

  /** RFC 3261 §14.1: a refused offer leaves the session as it was, so the relay sends on as agreed before. */
  async #refused(status: number, { renewal, turn }: Wanted, turns: readonly TurnTeller[]): Promise<void> {
    const { script, log } = this.#options;
    log.warn({ status }, 'the recorder refused a new offer');
    script.withdraw();
    if (turn) this.#turns.refused(turns, status);
    if (renewal) await this.#connect(this.#answer);
  }

  #restore({ renewal, turn, metadata }: Wanted): void {
    const now = this.#wanted;
    this.#wanted = {
      renewal: now.renewal || renewal,
      turn: now.turn || turn,
      metadata: [now.metadata, metadata].includes('all') ? 'all' : now.metadata === 'none' ? metadata : now.metadata,
    };
  }

  /** The recorder holds this description for agreed on, whatever the relay says to it. */
  #stands(description: RecorderDescription): void {
    this.#answer = description;
    this.#options.script.agree(description);
  }

  /**
   * The relay hears the recorder's description; only then is it agreed on, unless it stands already. False if the relay refused it: that has stopped the fork,
   * so an update follows, which subscribes it anew as it was agreed before.
   * @throws SidestreamError when the relay refuses a second time
   */
  async #connect(answer: RecorderDescription): Promise<boolean> {
    const { fork, script, signal, log } = this.#options;
    let streams: Awaited<ReturnType<RecordingFork['connect']>>;
    try {
      streams = await fork.connect(answer, signal);
    } catch (error) {
      if (this.#mending || signal.aborted) throw error;
      log.warn({ err: error }, "the relay did not take the recorder's description; the fork is subscribed anew");
      this.#mending = true;
      this.#wanted = { ...this.#wanted, renewal: true };
      return false;
    }
    this.#mending = false;
    this.#stands(answer);
    // A fork that was resumed may have got other ports or keys than the recorder was told.
    if (streams !== undefined && script.propose(streams, 'sendonly')) {
      script.withdraw();
      this.#wanted = { ...this.#wanted, renewal: true };
    }
    return true;
  }
}

/** RFC 3261 §14.1: the owner of the Call-ID waits 2.1 to 4 s in steps of 10 ms. */
function ownerBackOffMs(): number {
  return randomInt(210, 401) * 10;
}

function sdpBody(sdp: string) {
  return { contentType: 'application/sdp', body: Buffer.from(sdp) };
}
