// Finds the sessions in which nobody has been heard for the media time-out, so that dead calls end. The engine's own time-out does not do
// that: a fork, which receives nothing, keeps a session alive there, and an hour of hold is no death.
import { pause, SidestreamError } from '@sidestream/service';
import type { DomainLog, MediaEngine } from './ports.js';
import type { Relay } from './relay.js';

export interface SilenceWatchOptions {
  readonly engine: Pick<MediaEngine, 'silentSeconds'>;
  readonly relay: Pick<Relay, 'establishedSessions' | 'tellSilent'>;
  readonly timeoutMs: number;
  readonly log: DomainLog;
}

const queryDeadlineMs = 2_000;
/** Looks in a time-out: a silent session is told at the latest a quarter late. */
const looks = 4;

export class SilenceWatch {
  readonly #options: SilenceWatchOptions;
  readonly #stopping = new AbortController();
  /** Time-outs told already, by session. */
  #told = new Map<string, number>();
  #loop: Promise<void> | undefined;

  constructor(options: SilenceWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop ??= this.#watch();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new SidestreamError('cancelled', 'the relay stops'));
    await this.#loop;
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await pause(this.#options.timeoutMs / looks, signal);
      if (!signal.aborted) await this.#look();
    }
  }

  async #look(): Promise<void> {
    const { engine, relay, timeoutMs, log } = this.#options;
    const told = new Map<string, number>();
    // One after the other: the engine has calls to set up meanwhile.
    for (const session of relay.establishedSessions()) {
      if (this.#stopping.signal.aborted) return;
      try {
        const signal = AbortSignal.timeout(queryDeadlineMs);
        const seconds = await engine.silentSeconds(session, signal);
        const passed = Math.floor((seconds * 1_000) / timeoutMs);
        told.set(session, passed);
        if (passed > (this.#told.get(session) ?? 0)) relay.tellSilent({ session, seconds });
      } catch (error) {
        // The monitor finds out what is wrong with the engine, or with the session.
        log.info({ session, code: SidestreamError.from(error).code }, 'a session could not be looked at');
      }
    }
    this.#told = told;
  }
}
