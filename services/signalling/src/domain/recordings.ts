// The recordings of one call: one, or several at once, each of them on its own. What they make together is whether the call is recorded.
import type { CallRecording } from './call-recording.js';
import type { MediaSession } from './ports.js';

/** One recording, as its call sees it. */
export interface OneRecording {
  /** Begins on this media session. Never throws. */
  start(media: MediaSession): void;
  refresh(): void;
  stop(why: string): Promise<void>;
  /** Resolves with true once media flows to a recorder, with false when the recording ends without. */
  readonly started: Promise<boolean>;
  /** Resolves when it is over. */
  readonly ended: Promise<void>;
}

export class Recordings implements CallRecording {
  readonly recorded: Promise<boolean>;
  readonly lost: Promise<void>;
  readonly #each: readonly OneRecording[];

  /** @param needs `any`: the call is recorded while one of them records; `all`: only while every one does. */
  constructor(each: readonly OneRecording[], needs: 'any' | 'all') {
    this.#each = each;
    const any = needs === 'any';
    const started = each.map((one) => one.started);
    // The first one that decides, or what all of them come to.
    this.recorded = new Promise((resolve) => {
      for (const start of started) void start.then((made) => made === any && resolve(any));
      void Promise.all(started).then(() => resolve(!any));
    });
    const ended = each.map((one) => one.ended);
    this.lost = any ? Promise.all(ended).then(() => undefined) : Promise.race(ended);
  }

  start(media: MediaSession): void {
    for (const one of this.#each) one.start(media);
  }

  refresh(): void {
    for (const one of this.#each) one.refresh();
  }

  async stop(why: string): Promise<void> {
    await Promise.all(this.#each.map((one) => one.stop(why)));
  }
}
