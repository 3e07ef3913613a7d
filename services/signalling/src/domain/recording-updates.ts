// Keeps an active recording true to its call: after each change of the media the fork is subscribed anew and, when its description
// changed, offered to the recorder. One at a time; of several changes only the newest is sent. Knows nothing of start and end.
import { randomInt } from 'node:crypto';
import { type Logger, pause, SidestreamError } from '@sidestream/service';
import { within } from './deadline.js';
import type { Party } from './parties.js';
import type { IncomingOffer, MediaSession, RecorderDialog } from './ports.js';
import type { RecordingScript } from './recording-script.js';
import { statusOf } from './termination.js';

export interface RecordingUpdatesOptions {
  readonly media: MediaSession;
  readonly dialog: RecorderDialog;
  readonly script: RecordingScript;
  readonly forkId: string;
  readonly parties: readonly Party[];
  /** The answer that the relay heard last. */
  readonly answer: string;
  /** What flows is not what was agreed, or the dialog is gone: the recording must end. */
  readonly onFailed: (error: SidestreamError, dialogGone: boolean) => void;
  /** Aborted when the recording ends. */
  readonly signal: AbortSignal;
  /** How long to wait after a 491; for tests. */
  readonly backOffMs?: () => number;
  readonly log: Logger;
}

const mediaDeadlineMs = 2_000;
const answerDeadlineMs = 35_000;

export class RecordingUpdates {
  readonly #options: RecordingUpdatesOptions;
  #answer: string;
  #running: Promise<void> | undefined;
  #wanted = false;
  #recorderOffer = false;

  constructor(options: RecordingUpdatesOptions) {
    this.#options = options;
    this.#answer = options.answer;
  }

  /** The call's media changed. Returns at once. */
  refresh(): void {
    this.#wanted = true;
    this.#running ??= this.#drain().finally(() => {
      this.#running = undefined;
    });
  }

  /** Resolves when nothing is in flight. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /**
   * The recorder's own re-INVITE or UPDATE, with an offer or without: it hears the description that stands (RFC 7866 §7.2: a
   * recorder adds no streams), and what it wants must be as safe as a first answer.
   */
  async recorderOffers(offer: IncomingOffer): Promise<void> {
    // RFC 3261 §14.2: ours is pending, or its first is not answered yet.
    if (this.#running !== undefined || this.#recorderOffer) return offer.refuse(491);
    const { script, log } = this.#options;
    this.#recorderOffer = true;
    try {
      if (offer.sdp !== '') {
        const answer = script.accept(sdpBody(offer.sdp));
        await this.#connect(answer);
        await offer.answer(script.standing);
        return;
      }
      const answered = await offer.answer(script.standing);
      if (answered !== '') await this.#connect(script.accept(sdpBody(answered)));
    } catch (error) {
      log.warn({ err: error }, "the recorder's offer is refused; the recording goes on as it was");
      offer.refuse(SidestreamError.from(error).code === 'recorder-answer-unusable' ? 488 : statusOf(error));
    } finally {
      this.#recorderOffer = false;
    }
    // A change of the call that came meanwhile was only noted.
    if (this.#wanted) this.refresh();
  }

  async #drain(): Promise<void> {
    const { signal, onFailed } = this.#options;
    try {
      while (this.#wanted && !signal.aborted && !this.#recorderOffer) {
        this.#wanted = false;
        await this.#update();
      }
    } catch (error) {
      if (!signal.aborted) onFailed(SidestreamError.from(error), false);
    }
  }

  async #update(): Promise<void> {
    const { media, dialog, script, forkId, parties, signal, onFailed, log } = this.#options;
    const changed = script.propose(await media.startFork(forkId, parties, within(signal, mediaDeadlineMs)));
    // The same description needs no offer; the relay needs the standing answer for the renewed subscription.
    if (!changed) return this.#connect(this.#answer);
    const response = await dialog.reinvite(
      { ...script.inviteBody(), headers: script.inviteHeaders },
      within(signal, answerDeadlineMs),
    );
    if (response.status === 491) {
      script.withdraw();
      this.#wanted = true;
      await pause((this.#options.backOffMs ?? ownerBackOffMs)(), signal);
      return;
    }
    if (response.status === 481 || response.status === 408) {
      return onFailed(
        new SidestreamError('recorder-unreachable', `the recorder answered ${response.status} to a re-INVITE`),
        true,
      );
    }
    if (response.status >= 300) {
      // RFC 3261 §14.1: a refused offer leaves the session as it was, so the relay sends on as agreed before.
      log.warn({ status: response.status }, 'the recorder refused a new offer');
      script.withdraw();
      return this.#connect(this.#answer);
    }
    await this.#connect(script.accept(response));
  }

  async #connect(answer: string): Promise<void> {
    const { media, forkId, signal } = this.#options;
    await media.answerFork(forkId, answer, within(signal, mediaDeadlineMs));
    this.#answer = answer;
  }
}

/** RFC 3261 §14.1: the owner of the Call-ID waits 2.1 to 4 s in steps of 10 ms. */
function ownerBackOffMs(): number {
  return randomInt(210, 401) * 10;
}

function sdpBody(sdp: string) {
  return { contentType: 'application/sdp', body: Buffer.from(sdp) };
}
