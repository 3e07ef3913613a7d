// The registry of this relay's media sessions: who owns which, how many there may be, and what became of them.
import { SidestreamError, setCallSpan, spanOf, takeCallSpan } from '@sidestream/service';
import type { MediaSession } from './media-session.js';
import {
  type DomainLog,
  EngineLostSession,
  type ForkStream,
  type LossReason,
  type MediaEngine,
  type Party,
  type PartyTerms,
} from './ports.js';
import { type SessionMedia, SessionOwner } from './session-owner.js';

export interface LostSession {
  readonly session: string;
  readonly reason: LossReason;
}

/** Nothing has come from either party for so long. */
export interface SilentSession {
  readonly session: string;
  readonly seconds: number;
}

export interface RelayOptions {
  readonly engine: MediaEngine;
  readonly maxSessions: number;
  readonly log: DomainLog;
  readonly now?: () => Date;
}

export class Relay {
  readonly #engine: MediaEngine;
  readonly #maxSessions: number;
  readonly #log: DomainLog;
  readonly #now: () => Date;
  readonly #owners = new Map<string, SessionOwner>();
  readonly #lossListeners = new Set<(lost: LostSession) => void>();
  readonly #silenceListeners = new Set<(silent: SilentSession) => void>();
  readonly #endListeners = new Set<(media: SessionMedia) => void>();
  readonly #emptyListeners = new Set<() => void>();
  #draining = false;
  #engineProblem: string | undefined;

  constructor({ engine, maxSessions, log, now = () => new Date() }: RelayOptions) {
    this.#engine = engine;
    this.#maxSessions = maxSessions;
    this.#log = log;
    this.#now = now;
    this.#engineProblem = `${engine.description} was not reached yet`;
  }

  get draining(): boolean {
    return this.#draining;
  }

  get sessionCount(): number {
    return this.#owners.size;
  }

  get forkCount(): number {
    return [...this.#owners.values()].reduce((sum, owner) => sum + owner.state.forks.size, 0);
  }

  /** Every session from the moment it is being opened until its end is through. */
  sessions(): MediaSession[] {
    return [...this.#owners.values()].map((owner) => owner.state);
  }

  session(id: string): MediaSession | undefined {
    return this.#owners.get(id)?.state;
  }

  owns(id: string): boolean {
    return this.#owners.has(id);
  }

  /** Sessions that the engine acknowledged and whose end was not begun. */
  establishedSessions(): string[] {
    return [...this.#owners].filter(([, owner]) => owner.established).map(([id]) => id);
  }

  /**
   * Anchors a new session.
   *
   * @returns the SDP to offer to the other party.
   * @throws SidestreamError draining, overloaded, already-exists, or the engine's. Nothing is left behind then.
   */
  async openSession(
    id: string,
    offerer: Party,
    sdp: string,
    signal: AbortSignal,
    terms: Partial<Record<Party, PartyTerms>> = {},
  ): Promise<string> {
    if (this.#draining) throw new SidestreamError('draining', 'this relay takes no new sessions: it is draining');
    if (this.#owners.has(id)) throw new SidestreamError('already-exists', `session ${id} exists already`);
    if (this.#owners.size >= this.#maxSessions)
      throw new SidestreamError('overloaded', `this relay has its ${this.#maxSessions} sessions`);
    this.#requireEngine();
    const owner = new SessionOwner(this.#engine, id, this.#now(), this.#log);
    this.#owners.set(id, owner);
    const span = spanOf(signal);
    if (span !== undefined) setCallSpan(id, span);
    try {
      return await owner.offer(offerer, sdp, terms, signal);
    } catch (error) {
      // The engine may have made the session although its reply was lost; the caller need not wait for the clean-up.
      void this.#endUnheard(id, owner, signal);
      throw error;
    }
  }

  updateSession(
    id: string,
    offerer: Party,
    sdp: string,
    signal: AbortSignal,
    terms: Partial<Record<Party, PartyTerms>> = {},
  ): Promise<string> {
    return this.#command(id, (owner) => owner.offer(offerer, sdp, terms, signal));
  }

  answerSession(id: string, answerer: Party, sdp: string, signal: AbortSignal): Promise<string> {
    return this.#command(id, (owner) => owner.answer(answerer, sdp, signal));
  }

  /**
   * Ends a session and its forks. It leaves the registry even if the engine cannot be told: the sweep ends it there later.
   *
   * @param of the work that it belongs to; the end does not end with it
   * @returns what each party sent, and what of it was copied; undefined if there is no such session.
   * @throws SidestreamError media-engine-unavailable if the engine did not confirm the end.
   */
  async closeSession(id: string, of?: AbortSignal): Promise<SessionMedia | undefined> {
    const owner = this.#owners.get(id);
    return owner && this.#end(id, owner, of);
  }

  startFork(id: string, fork: string, parties: readonly Party[], signal: AbortSignal): Promise<readonly ForkStream[]> {
    return this.#command(id, (owner) => owner.startFork(fork, parties, signal));
  }

  answerFork(id: string, fork: string, sdp: string, signal: AbortSignal): Promise<void> {
    return this.#command(id, (owner) => owner.answerFork(fork, sdp, signal));
  }

  pauseFork(id: string, fork: string, signal: AbortSignal): Promise<void> {
    return this.#command(id, (owner) => owner.pauseFork(fork, signal));
  }

  resumeFork(id: string, fork: string, parties: readonly Party[], signal: AbortSignal): Promise<readonly ForkStream[]> {
    return this.#command(id, (owner) => owner.resumeFork(fork, parties, signal));
  }

  /** @returns false if there was no such session or fork. */
  async stopFork(id: string, fork: string, signal: AbortSignal): Promise<boolean> {
    if (!this.#owners.has(id)) return false;
    return this.#command(id, (owner) => owner.stopFork(fork, signal));
  }

  /** Tells of every session lost from now on. @returns how to stop listening. */
  onLost(listener: (lost: LostSession) => void): () => void {
    this.#lossListeners.add(listener);
    return () => this.#lossListeners.delete(listener);
  }

  /** Tells of every session in which nobody has been heard for the media time-out. @returns how to stop listening. */
  onSilent(listener: (silent: SilentSession) => void): () => void {
    this.#silenceListeners.add(listener);
    return () => this.#silenceListeners.delete(listener);
  }

  /** Tells of every session that ends in order from now on. @returns how to stop listening. */
  onEnded(listener: (media: SessionMedia) => void): () => void {
    this.#endListeners.add(listener);
    return () => this.#endListeners.delete(listener);
  }

  /** A session is silent; it lives on, because only its owner knows whether it may be. */
  tellSilent(silent: SilentSession): void {
    for (const listener of this.#silenceListeners) listener(silent);
  }

  /** The engine no longer has the session. One that is being closed, or unknown, is not lost. */
  lose(id: string, reason: LossReason): void {
    const owner = this.#owners.get(id);
    if (!owner?.established) return;
    owner.forget();
    // Told first: once it is removed, nobody knows its trace.
    this.#tellLost(id, reason);
    this.#remove(id, owner);
  }

  /**
   * Tells of every session that it will be lost because this relay stops. The sessions live on until they are closed, so
   * that whoever owns the calls can end them in order.
   */
  announceStop(): void {
    for (const id of this.establishedSessions()) this.#tellLost(id, 'relay-stopped');
  }

  get engineProblem(): string | undefined {
    return this.#engineProblem;
  }

  /** Commands fail at once while there is a problem, with it as the message; undefined = the engine is there. */
  setEngineProblem(problem: string | undefined): void {
    this.#engineProblem = problem;
  }

  /** Refuses new sessions from now on. */
  drain(): void {
    this.#draining = true;
  }

  /** Resolves when no session is left, or when the signal aborts. */
  whenEmpty(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (this.#owners.size === 0 || signal.aborted) return resolve();
      const done = () => {
        this.#emptyListeners.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#emptyListeners.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  /** Ends every session that is left. */
  async closeAll(): Promise<void> {
    await Promise.all([...this.#owners].map(([id, owner]) => this.#endUnheard(id, owner)));
  }

  async #command<T>(id: string, work: (owner: SessionOwner) => Promise<T>): Promise<T> {
    const owner = this.#owners.get(id);
    if (!owner) throw new SidestreamError('not-found', `this relay has no session ${id}`);
    this.#requireEngine();
    try {
      return await work(owner);
    } catch (error) {
      // The engine itself said that it does not know the session: there is no use in waiting for the sweep to find out.
      if (error instanceof EngineLostSession) this.lose(id, 'engine-dropped');
      throw error;
    }
  }

  async #end(id: string, owner: SessionOwner, of?: AbortSignal): Promise<SessionMedia> {
    try {
      return await this.#close(id, owner, of);
    } finally {
      this.#remove(id, owner);
    }
  }

  /** For nobody who would hear that it failed. Never rejects. */
  async #endUnheard(id: string, owner: SessionOwner, of?: AbortSignal): Promise<void> {
    try {
      await this.#close(id, owner, of);
    } catch (error) {
      const { code } = SidestreamError.from(error);
      this.#log.warn({ session: id, code }, 'session not ended in the engine: the sweep will');
    } finally {
      this.#remove(id, owner);
    }
  }

  async #close(id: string, owner: SessionOwner, of: AbortSignal | undefined): Promise<SessionMedia> {
    const media = await owner.close(of);
    // Who ends it a second time waits for the same end.
    if (this.#owners.get(id) === owner) for (const listener of this.#endListeners) listener(media);
    return media;
  }

  #tellLost(session: string, reason: LossReason): void {
    this.#log.warn({ session, reason }, 'media session lost');
    for (const listener of this.#lossListeners) listener({ session, reason });
  }

  #remove(id: string, owner: SessionOwner): void {
    if (this.#owners.get(id) !== owner) return;
    this.#owners.delete(id);
    takeCallSpan(id);
    if (this.#owners.size === 0) for (const listener of [...this.#emptyListeners]) listener();
  }

  #requireEngine(): void {
    if (this.#engineProblem !== undefined) throw new SidestreamError('media-engine-unavailable', this.#engineProblem);
  }
}
