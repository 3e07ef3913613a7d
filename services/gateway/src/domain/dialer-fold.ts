// All calls' stories at once, in the order of the stream, with bounds on their number and age.
import {
  type CallStory,
  callOf,
  deadlineOf,
  expireStory,
  type Happening,
  loseStory,
  rebaseStory,
  stepStory,
} from './call-story.js';
import type { Told } from './dialer-event.js';

export interface DialerFoldOptions {
  /** How long after its answer a recording may take to start until its seller is told that there is none. */
  readonly startWithinMs: number;
  readonly maxCalls: number;
}

/** As long as the longest call may last: one whose end was lost goes then. */
const longestCallMs = 7 * 86_400_000;

export class DialerFold {
  readonly #options: DialerFoldOptions;
  /** In the order of their beginning, which is that of the stream. */
  readonly #stories = new Map<string, CallStory>();
  /** Calls that wait for their recording, in the order of their deadlines. */
  readonly #waiting = new Map<string, number>();

  constructor(options: DialerFoldOptions) {
    this.#options = options;
  }

  get calls(): number {
    return this.#stories.size;
  }

  /** The next event of the stream. Deadlines that have passed when it was stored come first, as they did for those who read it then. */
  take(happening: Happening): Told[] {
    const expired = this.expire(happening.storedAtMs);
    const callId = callOf(happening.body);
    if (callId === undefined) return expired;
    const { story, told } = stepStory(this.#stories.get(callId), happening);
    this.#keep(callId, story);
    return [...expired, ...told];
  }

  /** What the passing of time alone tells. @param nowMs by the clock of the stream */
  expire(nowMs: number): Told[] {
    const told: Told[] = [];
    for (const [callId, deadline] of this.#waiting) {
      if (deadline > nowMs) break;
      const story = this.#stories.get(callId);
      if (story === undefined) continue;
      const step = expireStory(story);
      this.#keep(callId, step.story);
      told.push(...step.told);
    }
    for (const [callId, { beganAtMs }] of this.#stories) {
      if (beganAtMs > nowMs - longestCallMs && this.#stories.size <= this.#options.maxCalls) break;
      this.#keep(callId, undefined);
    }
    return told;
  }

  /** The call has gone with its instance. @param time when that was, as far as is known */
  lose(callId: string, time: Date): Told[] {
    const story = this.#stories.get(callId);
    this.#keep(callId, undefined);
    return story === undefined ? [] : loseStory(story, time);
  }

  /** The stream has begun anew; the calls go on. */
  restart(): void {
    for (const [callId, story] of this.#stories) this.#stories.set(callId, rebaseStory(story));
  }

  #keep(callId: string, story: CallStory | undefined): void {
    if (story === undefined) this.#stories.delete(callId);
    else this.#stories.set(callId, story);
    const deadline = story && deadlineOf(story, this.#options.startWithinMs);
    if (deadline === undefined) this.#waiting.delete(callId);
    else if (this.#waiting.get(callId) !== deadline) {
      // A transfer begins a new wait, which ends last.
      this.#waiting.delete(callId);
      this.#waiting.set(callId, deadline);
    }
  }
}
