// The one owner of one media session: gives its commands to the engine one after the other and keeps its state.
import { pause, SidestreamError } from '@sidestream/service';
import { apart } from './apart.js';
import { CommandQueue } from './command-queue.js';
import { type CopiedLine, CopyCount, copiedLines, type VoiceCount } from './copy-count.js';
import { codecForAnswer, codecForOffer } from './fork-codec.js';
import {
  apply,
  type Command,
  findFork,
  type MediaSession,
  newSession,
  permit,
  type SessionEvent,
} from './media-session.js';
import { Negotiation, other } from './negotiation.js';
import type {
  DomainLog,
  EngineFork,
  ForkStream,
  MediaEngine,
  Party,
  PartyMedia,
  PartyTerms,
  Reception,
  Traffic,
  VoiceCodec,
} from './ports.js';
import { secureAnswer } from './secure-answer.js';

/** A command that runs may finish before the end of the session aborts it: the engine's reply is normally 2 ms away. */
const closeGraceMs = 500;
/** A count is worth no long wait. */
const countDeadlineMs = 500;
/** How long a stop waits for the count before it: the engine answers in 2 ms, and somebody may want silence. */
const countLeadMs = 50;
/** Deadline of what is done without a caller who waits: stopping a fork after a failure, ending the session. */
const cleanUpDeadlineMs = 3_000;

/** What a session has carried. */
export interface SessionMedia {
  /** Of the parties that sent anything. */
  readonly received: readonly PartyMedia[];
  /** What was copied, by party, of each fork that was ever answered; undefined for one of which it is not known. */
  readonly copied: ReadonlyMap<string, ReadonlyMap<Party, VoiceCount> | undefined>;
  readonly receptions: readonly Reception[];
}

export class SessionOwner {
  readonly #engine: MediaEngine;
  readonly #log: DomainLog;
  readonly #queue: CommandQueue;
  #state: MediaSession;
  readonly #negotiation = new Negotiation();
  /** Forks that the engine has sealed: all that are offered once a party has keys. */
  readonly #sealed = new Set<string>();
  /** What the first offer's answerer was offered, until it is answered. */
  #offered = '';
  /** Of every fork that was ever answered. */
  readonly #counts = new Map<string, CopyCount>();
  #closing: Promise<SessionMedia> | undefined;

  constructor(engine: MediaEngine, id: string, openedAt: Date, log: DomainLog) {
    this.#engine = engine;
    this.#log = log;
    this.#queue = new CommandQueue(`session ${id}`);
    this.#state = newSession(id, openedAt);
  }

  get state(): MediaSession {
    return this.#state;
  }

  /** Whether the engine acknowledged the session and its end was not begun: it must be found in the engine then. */
  get established(): boolean {
    return this.#state.offerer !== undefined && this.#closing === undefined;
  }

  /** @param terms of parties whose terms are new; the others keep theirs. */
  offer(by: Party, sdp: string, terms: Partial<Record<Party, PartyTerms>>, signal: AbortSignal): Promise<string> {
    return this.#run({ kind: 'offer' }, signal, async (running) => {
      const { id, answered } = this.#state;
      const offer = this.#negotiation.readOffer(by, sdp, terms);
      const reply = await this.#engine.offer(id, by, offer.sdp, { ...offer, answered }, running);
      this.#apply({ kind: 'offered', by });
      if (!answered) this.#offered = reply;
      return this.#negotiation.offered(offer, reply);
    });
  }

  answer(by: Party, sdp: string, signal: AbortSignal): Promise<string> {
    return this.#run({ kind: 'answer', by }, signal, async (running) => {
      const heard = this.#negotiation.readAnswer(by, sdp);
      const reply = await this.#engine.answer(this.#state.id, by, heard, running);
      this.#answered();
      return this.#negotiation.answered(by, heard, reply);
    });
  }

  /**
   * Offers a new fork, one that was stopped, or a live one again after the parties' codecs changed. Before the session is answered
   * the fork is made for whatever was offered: start it again after each answer.
   */
  startFork(fork: string, parties: readonly Party[], signal: AbortSignal): Promise<readonly ForkStream[]> {
    return this.#offerFork({ kind: 'start-fork', fork, parties }, signal);
  }

  resumeFork(fork: string, parties: readonly Party[], signal: AbortSignal): Promise<readonly ForkStream[]> {
    return this.#offerFork({ kind: 'resume-fork', fork, parties }, signal);
  }

  /** An answer that fails, for whatever reason, stops the fork: it is never left half. It may be started again. */
  answerFork(fork: string, sdp: string, signal: AbortSignal): Promise<void> {
    return this.#run({ kind: 'answer-fork', fork }, signal, async (running) => {
      const { parties, refusals, payloadTypes } = findFork(this.#state, fork);
      try {
        let answer = secureAnswer(sdp, refusals);
        const codec = codecForAnswer(payloadTypes, sdp);
        if (codec !== undefined) {
          await this.#requestFork(fork, parties, codec, running);
          answer = secureAnswer(sdp, findFork(this.#state, fork).refusals);
        }
        await this.#engine.answerFork(this.#state.id, this.#inEngine(fork), answer, running);
      } catch (error) {
        await this.#abandonFork(fork, parties, running);
        throw error;
      }
      this.#apply({ kind: 'fork-answered', fork });
      this.#countFrom(fork, running);
    });
  }

  /** Pausing twice is no error. */
  pauseFork(fork: string, signal: AbortSignal): Promise<void> {
    return this.#run({ kind: 'pause-fork', fork }, signal, async (running) => {
      await this.#stopCounted(fork, running);
      this.#apply({ kind: 'fork-paused', fork });
    });
  }

  /** @returns false if there was no such fork. */
  async stopFork(fork: string, signal: AbortSignal): Promise<boolean> {
    return this.#queue.run(signal, async (running) => {
      if (!this.#state.forks.has(fork)) return false;
      await this.#stopCounted(fork, running);
      this.#apply({ kind: 'fork-stopped', fork });
      return true;
    });
  }

  /** Ends the session in the engine. However often and by whomever called, it happens once. @param of the work that it belongs to */
  close(of?: AbortSignal): Promise<SessionMedia> {
    this.#closing ??= this.#end(of);
    return this.#closing;
  }

  /** The engine no longer has the session: no further command is taken, nothing is left to end. */
  forget(): void {
    this.#closing ??= this.#queue.end(0).then(() => ({ received: [], copied: new Map(), receptions: [] }));
  }

  #run<T>(command: Command, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.#queue.run(signal, (running) => {
      permit(this.#state, command);
      return work(running);
    });
  }

  #offerFork(
    command: Extract<Command, { kind: 'start-fork' | 'resume-fork' }>,
    signal: AbortSignal,
  ): Promise<readonly ForkStream[]> {
    const { fork, parties } = command;
    return this.#run(command, signal, async (running) => {
      await this.#presumeAnswer(running);
      try {
        const before = this.#state.everForked.get(fork);
        const streams = await this.#requestFork(fork, parties, before, running);
        const codec = before ?? codecForOffer(streams);
        return codec === before ? streams : await this.#requestFork(fork, parties, codec, running);
      } catch (error) {
        // The engine may have taken the request although its reply was lost, and a resumed fork flows at once.
        await this.#abandonFork(fork, parties, running);
        throw error;
      }
    });
  }

  async #presumeAnswer(signal: AbortSignal): Promise<void> {
    const { id, answered, offerer } = this.#state;
    if (answered || offerer === undefined) return;
    await this.#engine.presumeAnswer(id, other(offerer), this.#offered, signal);
    this.#answered();
  }

  #answered(): void {
    this.#apply({ kind: 'answered' });
    this.#offered = '';
  }

  async #requestFork(
    fork: string,
    parties: readonly Party[],
    codec: VoiceCodec | undefined,
    signal: AbortSignal,
  ): Promise<readonly ForkStream[]> {
    await this.#seal(fork, signal);
    const offer = await this.#engine.offerFork(this.#state.id, this.#inEngine(fork), parties, codec, signal);
    this.#apply({ kind: 'fork-offered', fork, parties, codec, offer });
    return offer.streams;
  }

  /** A fork that was made before anybody had keys is made anew: other ports, other keys, as the caller sees in what is offered. */
  async #seal(fork: string, signal: AbortSignal): Promise<void> {
    if (!this.#negotiation.keyed || this.#sealed.has(fork)) return;
    const before = this.#inEngine(fork);
    if (this.#state.everForked.has(fork)) await this.#engine.stopFork(this.#state.id, before, signal);
    this.#sealed.add(fork);
  }

  #inEngine(fork: string): EngineFork {
    return { id: fork, sealed: this.#sealed.has(fork) };
  }

  async #abandonFork(fork: string, parties: readonly Party[], of: AbortSignal): Promise<void> {
    await this.#countTo(fork, of);
    this.#apply({ kind: 'fork-doubtful', fork, parties });
    try {
      await this.#engine.stopFork(this.#state.id, this.#inEngine(fork), apart(cleanUpDeadlineMs, of));
      this.#apply({ kind: 'fork-stopped', fork });
    } catch (error) {
      this.#log.warn({ session: this.#state.id, fork, code: SidestreamError.from(error).code }, 'fork left in doubt');
    }
  }

  async #end(of: AbortSignal | undefined): Promise<SessionMedia> {
    await this.#queue.end(closeGraceMs);
    const traffic = this.#traffic(cleanUpDeadlineMs, of);
    await Promise.all([...this.#counts].map(([fork, count]) => count.ended(this.#linesOf(fork, traffic))));
    const { parties: received = [], receptions = [] } = (await traffic) ?? {};
    await this.#engine.close(this.#state.id, apart(cleanUpDeadlineMs, of), this.#sealed.size > 0);
    const copied = new Map([...this.#counts].map(([fork, { voices }]) => [fork, voices] as const));
    return { received, copied, receptions };
  }

  /** The fork does its work from now on. Nobody waits for the engine's count. */
  #countFrom(fork: string, of: AbortSignal): void {
    const count = this.#counts.get(fork) ?? new CopyCount();
    this.#counts.set(fork, count);
    const lines = this.#linesOf(fork, this.#traffic(countDeadlineMs, of));
    void count.ended(lines);
    count.began(lines);
  }

  /** Once it has stopped, the engine does not tell any more what it has copied: it is asked first, and has a moment to answer. */
  async #stopCounted(fork: string, running: AbortSignal): Promise<void> {
    const counted = this.#countTo(fork, running);
    const answered = new AbortController();
    void counted.then(() => answered.abort());
    await pause(countLeadMs, answered.signal);
    await Promise.all([counted, this.#engine.stopFork(this.#state.id, this.#inEngine(fork), running)]);
  }

  /** It is about to stop. */
  async #countTo(fork: string, of: AbortSignal): Promise<void> {
    const count = this.#counts.get(fork);
    if (count?.counting === true) await count.ended(this.#linesOf(fork, this.#traffic(countDeadlineMs, of)));
  }

  async #linesOf(fork: string, asked: Promise<Traffic | undefined>): Promise<readonly CopiedLine[] | undefined> {
    // As the fork is now: it may be stopped by the time of the reply.
    const state = this.#state.forks.get(fork);
    const traffic = await asked;
    return state && traffic && copiedLines(state, traffic, fork);
  }

  /** What the engine has counted; undefined where it does not tell in time. */
  #traffic(deadlineMs: number, of: AbortSignal | undefined): Promise<Traffic | undefined> {
    return this.#engine.traffic(this.#state.id, apart(deadlineMs, of)).catch(() => undefined);
  }

  #apply(event: SessionEvent): void {
    this.#state = apply(this.#state, event);
  }
}
