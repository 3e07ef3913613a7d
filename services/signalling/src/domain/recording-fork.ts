// The fork of one recorder at the relay, and whether media may leave it. Paused is paused: whatever the recorder or the call's media
// do meanwhile, nothing here makes it flow before `resume`. Knows no SIP.
import { type Logger, SidestreamError } from '@sidestream/service';
import { raced, within } from './deadline.js';
import type { Party } from './parties.js';
import type { ForkStream, MediaSession } from './ports.js';
import type { RecorderDescription } from './recording-script.js';

/** The customer's voice is always the first media line. */
const parties: readonly Party[] = ['customer', 'seller'];
const mediaDeadlineMs = 2_000;
const stopDeadlineMs = 4_000;

export class RecordingFork {
  readonly id: string;
  readonly #media: MediaSession;
  readonly #log: Logger;
  #paused: boolean;
  /** The relay holds the fork back, or has not been told of an answer yet, because of a pause. */
  #muted: boolean;
  #pauses = 0;
  /** That the relay has confirmed the pause; undefined while there is none, or it has nothing to confirm. */
  #silence: Promise<void> | undefined;
  #wanted = false;
  #refused: readonly Party[] = [];
  #answered = false;
  #stopped: Promise<boolean> | undefined;

  constructor(media: MediaSession, id: string, paused: boolean, log: Logger) {
    this.#media = media;
    this.id = id;
    this.#paused = paused;
    this.#muted = paused;
    this.#log = log;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Whether media flows: the recorder wants it, the relay was told so, and there is no pause. */
  get flowing(): boolean {
    return this.#wanted && !this.#muted;
  }

  /**
   * Whether the relay was ever told where media goes to. One that was not has encrypted nothing with its keys, so that the recorder that
   * was offered it may be offered it again.
   */
  get answered(): boolean {
    return this.#answered;
  }

  /** Voices that the recorder, which wants media, does not take. */
  get refused(): readonly Party[] {
    return this.#refused;
  }

  /** Subscribes the fork, at first or anew for the parties' present codecs. Not while nothing flows: it would let media out. */
  subscribe(signal: AbortSignal): Promise<ForkStream[]> {
    return bounded(signal, (bound) => this.#media.startFork(this.id, parties, bound));
  }

  /**
   * The relay hears what the recorder wants, unless there is a pause or nothing to tell. Resolves with the fork's streams where it had
   * to be offered again: they may differ from what the recorder knows.
   * @throws SidestreamError when the relay refuses: it has stopped the fork then, which can be subscribed anew
   */
  async connect(description: RecorderDescription, signal: AbortSignal): Promise<ForkStream[] | undefined> {
    this.#wanted = wantsMedia(description);
    this.#refused = this.#wanted ? parties.filter((_, index) => !takes(description.streams[index])) : [];
    if (this.#paused || (this.#muted && !this.#wanted)) return undefined;
    const pauses = this.#pauses;
    // The relay takes commands in their order, so a pause that comes during one of these is its last word.
    const isPaused = () => pauses !== this.#pauses;
    try {
      const streams = this.#muted
        ? await bounded(signal, (bound) => this.#media.resumeFork(this.id, parties, bound))
        : undefined;
      if (isPaused()) return undefined;
      this.#answered = true;
      await bounded(signal, (bound) => this.#media.answerFork(this.id, description.sdp, bound));
      if (!isPaused()) this.#muted = false;
      return streams;
    } catch (error) {
      this.#muted = this.#paused;
      throw error;
    }
  }

  /**
   * Stops every packet before it resolves, whoever else has asked for it already.
   * @throws SidestreamError when the relay did not confirm it
   */
  pause(signal: AbortSignal): Promise<void> {
    if (!this.#paused) {
      this.#paused = true;
      this.#muted = true;
      this.#pauses += 1;
      this.#silence = this.#pauseAtRelay(signal);
    }
    return this.#silence ?? Promise.resolve();
  }

  async #pauseAtRelay(signal: AbortSignal): Promise<void> {
    try {
      await bounded(signal, (bound) => this.#media.pauseFork(this.id, bound));
    } catch (error) {
      // No fork, no packet.
      if (SidestreamError.from(error).code !== 'not-found') throw error;
    }
  }

  /** Tells how it does its work, while it should. */
  watch(onChange: Parameters<MediaSession['watchFork']>[1]): void {
    this.#media.watchFork(this.id, (...said) => {
      if (this.flowing) onChange(...said);
    });
  }

  /** Lets the next `connect` through. */
  resume(): void {
    this.#paused = false;
    this.#silence = undefined;
  }

  /**
   * Ends the fork. Idempotent, never rejects: the media session's end, which follows the call's, ends it as well. Resolves with whether
   * the relay has confirmed it.
   */
  stop(): Promise<boolean> {
    this.#stopped ??= bounded(undefined, (bound) => this.#media.stopFork(this.id, bound), stopDeadlineMs).then(
      () => true,
      (error: unknown) => {
        this.#log.error({ err: error, fork: this.id }, 'the fork could not be stopped');
        return false;
      },
    );
    return this.#stopped;
  }
}

/** A recorder that answered inactive waits (RFC 7866 §7.2). */
function wantsMedia({ streams }: RecorderDescription): boolean {
  return streams.some(takes);
}

function takes(stream: RecorderDescription['streams'][number] | undefined): boolean {
  return stream?.accepted === true && stream.direction === 'recvonly';
}

/** Deadlines hold even if the port forgets its signal: the call may be waiting for this to end. */
function bounded<T>(
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
  ms = mediaDeadlineMs,
): Promise<T> {
  const bound = within(signal, ms);
  return raced(work(bound), bound);
}
