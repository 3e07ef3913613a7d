// The forks of one recording, one after the other. A fork's keys are one recorder's, and once media was encrypted with them they are
// used up; the relay gives a call a bounded number of forks in its life, so one that was never answered is offered to its recorder again.
import type { Logger } from '@sidestream/service';
import type { MediaSession } from './ports.js';
import { RecordingFork } from './recording-fork.js';

/** The id of the recording that a fork is of. */
export function recordingOf(forkId: string): string {
  return forkId.slice(0, forkId.lastIndexOf('.'));
}

export class RecordingForks {
  readonly #recordingId: string;
  readonly #log: Logger;
  /** The last one of each recorder. */
  readonly #last = new Map<string, RecordingFork>();
  #made = 0;

  constructor(recordingId: string, log: Logger) {
    this.#recordingId = recordingId;
    this.#log = log;
  }

  /** One whose keys no other recorder has seen, and nobody a packet of. */
  fork(media: MediaSession, recorder: string, paused: boolean): RecordingFork {
    const before = this.#last.get(recorder);
    const id = before?.answered === false ? before.id : `${this.#recordingId}.${this.#made++}`;
    const fork = new RecordingFork(media, id, paused, this.#log);
    this.#last.set(recorder, fork);
    return fork;
  }
}
