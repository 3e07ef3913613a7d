// Who wants a recording paused: media flows only while nobody does. It holds for every recorder, those that come later included.
import { SidestreamError } from '@sidestream/service';

/** Who may want it. The recorder, which may want no media either, says so in its description. */
export type PauseWisher = 'operator' | 'party';

/** What a pause does to the recorder that the recording is at. */
export interface Pausable {
  /** Resolves when nothing leaves any more. @throws SidestreamError when the relay did not confirm it */
  pause(): Promise<void>;
  /** Resolves when the recorder has agreed. @throws SidestreamError when it refuses */
  resume(): Promise<void>;
}

export interface RecordingPauseOptions {
  /** The recorder that the recording is at; undefined between two. */
  readonly current: () => Pausable | undefined;
  /** Somebody wants it paused from now on, or nobody any more. */
  readonly onTurn: (paused: boolean) => void;
  /** A pause could not be made sure of. */
  readonly onUnsure: (error: SidestreamError) => void;
}

export class RecordingPause {
  readonly #options: RecordingPauseOptions;
  readonly #wishers = new Set<PauseWisher>();
  /** Forks of recorders that were given up, on their way out: whether each is known to be silent. */
  readonly #leaving = new Set<Promise<boolean>>();

  constructor(options: RecordingPauseOptions) {
    this.#options = options;
  }

  /** Empty while nobody wants it paused. */
  get by(): readonly PauseWisher[] {
    return [...this.#wishers];
  }

  get wanted(): boolean {
    return this.#wishers.size > 0;
  }

  /** A recorder was given up: a pause waits until its fork is silent, too. */
  leaves(silent: Promise<boolean>): void {
    this.#leaving.add(silent);
    void silent.then(() => this.#leaving.delete(silent));
  }

  /**
   * Resolves once no packet goes to any recorder, whoever has wanted that before.
   * @throws SidestreamError when that could not be made sure of
   */
  async pause(by: PauseWisher): Promise<void> {
    const first = !this.wanted;
    this.#wishers.add(by);
    if (first) this.#options.onTurn(true);
    try {
      await this.#silence();
    } catch (error) {
      const reason = SidestreamError.from(error);
      this.#options.onUnsure(reason);
      throw reason;
    }
  }

  async #silence(): Promise<void> {
    const recorder = this.#options.current();
    try {
      await recorder?.pause();
    } catch (error) {
      // One that was given up meanwhile is among those that leave; the next one is paused from the start.
      if (recorder === this.#options.current()) throw error;
    }
    const silent = await Promise.all(this.#leaving);
    if (silent.includes(false))
      throw new SidestreamError('deadline-exceeded', 'the fork of a recorder that was given up could not be stopped');
  }

  /**
   * Takes back what this one has wanted. Resolves when the recorder has agreed that media flows, which it may refuse to get at first
   * (inactive); at once while somebody else wants the pause.
   * @throws SidestreamError when the recorder refuses: nothing flows before it agrees, or wants media by itself
   */
  async resume(by: PauseWisher): Promise<void> {
    const last = this.#wishers.delete(by) && !this.wanted;
    if (this.wanted) return;
    if (last) this.#options.onTurn(false);
    const recorder = this.#options.current();
    try {
      await recorder?.resume();
    } catch (error) {
      // The recorder was given up meanwhile: it is the next one that gets media.
      if (recorder === this.#options.current()) throw error;
    }
  }
}
