// The recordings of one call: one, or several at once, each of them on its own. What they make together is whether the call is recorded.
import { type CallRecording, goesOn, type RecordingView } from './call-recording.js';
import type { PartyFlows } from './party-flows.js';
import type { CallFacts, MediaSession } from './ports.js';
import type { PauseWisher } from './recording-pause.js';
import type { Termination } from './termination.js';

/** One recording, as its call sees it. */
export interface OneRecording {
  readonly view: RecordingView;
  watch(onChange: () => void): void;
  /** Begins on this media session, in which media flows so; absent: both ways. Never throws. */
  start(media: MediaSession, flows?: PartyFlows): void;
  refresh(flows?: PartyFlows): void;
  follow(call: CallFacts): void;
  stop(why: string): Promise<void>;
  end(termination: Termination): Promise<void>;
  pause(by: PauseWisher): Promise<void>;
  resume(by: PauseWisher): Promise<void>;
  /** Resolves with true once media flows to a recorder, with false when all were asked in vain or the recording ends without. */
  readonly started: Promise<boolean>;
  /** No recorder has it and none is left to ask at once, or it is over. */
  readonly lost: boolean;
}

export class Recordings implements CallRecording {
  readonly recorded: Promise<boolean>;
  readonly #each: readonly OneRecording[];
  readonly #any: boolean;

  /** @param needs `any`: the call is recorded while one of them records; `all`: only while every one does. */
  constructor(each: readonly OneRecording[], needs: 'any' | 'all') {
    this.#each = each;
    const any = needs === 'any';
    this.#any = any;
    const started = each.map((one) => one.started);
    // The first one that decides, or what all of them come to.
    this.recorded = new Promise((resolve) => {
      for (const start of started) void start.then((made) => made === any && resolve(any));
      void Promise.all(started).then(() => resolve(!any));
    });
  }

  get lost(): boolean {
    return this.#any ? this.#each.every(({ lost }) => lost) : this.#each.some(({ lost }) => lost);
  }

  get views(): RecordingView[] {
    return this.#each.map(({ view }) => view);
  }

  watch(onChange: () => void): void {
    for (const one of this.#each) one.watch(onChange);
  }

  start(media: MediaSession, flows?: PartyFlows): void {
    for (const one of this.#each) one.start(media, flows);
  }

  refresh(flows?: PartyFlows): void {
    for (const one of this.#each) one.refresh(flows);
  }

  follow(call: CallFacts): void {
    for (const one of this.#each) one.follow(call);
  }

  async stop(why: string): Promise<void> {
    await Promise.all(this.#each.map((one) => one.stop(why)));
  }

  async end(termination: Termination): Promise<void> {
    await Promise.all(this.#each.map((one) => one.end(termination)));
  }

  async pause(by: PauseWisher): Promise<void> {
    await Promise.all(this.#live.map((one) => one.pause(by)));
  }

  async resume(by: PauseWisher): Promise<void> {
    await Promise.all(this.#live.map((one) => one.resume(by)));
  }

  get #live(): OneRecording[] {
    return this.#each.filter(({ view }) => goesOn(view));
  }
}
