// How what a recording holds is given back: fork and dialog of each recorder that was given up, and of the last one, each with a deadline.
import type { Logger } from '@sidestream/service';
import { settled } from './deadline.js';
import type { RecordingAttempt } from './recording-attempt.js';
import { type Termination, terminated } from './termination.js';

const releaseDeadlineMs = 5_000;

export class RecordingRelease {
  readonly #log: Logger;
  readonly #ends = new Set<Promise<unknown>>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** One that is of no use any more. Resolves with whether its fork is known to be silent. */
  giveUp(attempt: RecordingAttempt, bye: boolean): Promise<boolean> {
    attempt.abort();
    const silent = attempt.fork.stop();
    this.#add(silent);
    if (bye) this.#add(attempt.sayBye());
    return silent;
  }

  /**
   * The last one, and those that were given up before and are not done yet. Resolves when all is given back or was given up; `unconfirmed`:
   * the recorder did not confirm the end. Never rejects.
   */
  async all(
    attempt: RecordingAttempt | undefined,
    { fork, bye }: { fork: boolean; bye: boolean },
  ): Promise<{ unconfirmed?: Termination }> {
    attempt?.abort();
    let unconfirmed: Termination | undefined;
    if (fork && attempt) this.#add(attempt.fork.stop());
    if (bye && attempt) {
      unconfirmed = notConfirmed(attempt, undefined);
      this.#add(
        attempt.sayBye().then((status) => {
          unconfirmed = notConfirmed(attempt, status);
        }),
      );
    }
    if (attempt) this.#add(attempt.idle());
    const clean = await settled(this.#ends, releaseDeadlineMs);
    if (!clean) this.#log.error('something of the recording could not be given back in time');
    return unconfirmed === undefined ? {} : { unconfirmed };
  }

  #add(end: Promise<unknown>): void {
    this.#ends.add(end);
    void end.finally(() => this.#ends.delete(end));
  }
}

/** What a BYE that was not answered 2xx says of the recording. */
function notConfirmed({ dialog }: RecordingAttempt, status: number | undefined): Termination | undefined {
  if (status !== undefined && status >= 200 && status < 300) return undefined;
  const said = status === undefined ? 'no answer' : String(status);
  return terminated('recorder-lost', `${dialog?.host ?? 'the recorder'}: ${said} to BYE`);
}
