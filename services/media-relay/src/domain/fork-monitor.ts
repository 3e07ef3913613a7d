// Looks at the forks that media should leave on, a session at a time, evenly over the interval: one query of the engine each, none for
// what is paused or not answered. Tells when a fork stops doing its work, and when it does it again.
import { bounded, pause, SidestreamError } from '@sidestream/service';
import { copiedLines } from './copy-count.js';
import {
  type ForkCondition,
  type ForkHistory,
  type ForkLimits,
  type ForkSample,
  firstLook,
  nextLook,
} from './fork-condition.js';
import type { Fork, MediaSession } from './media-session.js';
import { type DomainLog, EngineLostSession, type MediaEngine, type Traffic } from './ports.js';
import type { Relay } from './relay.js';

export interface ForkMonitorOptions extends ForkLimits {
  readonly engine: Pick<MediaEngine, 'traffic'>;
  readonly relay: Pick<Relay, 'establishedSessions' | 'session' | 'engineProblem'>;
  readonly log: DomainLog;
  /** Between two looks at the same session; longer when the engine is slow, since one look follows the other. */
  readonly intervalMs: number;
}

export interface ForkChange {
  readonly session: string;
  readonly fork: string;
  readonly condition: ForkCondition;
  /** How long it has been so by now. */
  readonly lastedMs: number;
}

/** The engine answers in 2 ms; one that does not in this time has other things to do. */
const lookDeadlineMs = 1_000;

export class ForkMonitor {
  readonly #options: ForkMonitorOptions;
  readonly #stopping = new AbortController();
  readonly #listeners = new Set<(change: ForkChange) => void>();
  /** By session, by fork. */
  readonly #histories = new Map<string, Map<string, ForkHistory>>();
  #loop: Promise<void> | undefined;

  constructor(options: ForkMonitorOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop ??= this.#watch();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new SidestreamError('cancelled', 'the relay stops'));
    await this.#loop;
  }

  /**
   * Tells of every change from now on, the first time that media is seen to leave included, and at once of what is known.
   * @returns how to stop listening.
   */
  onChange(listener: (change: ForkChange) => void): () => void {
    for (const [session, forks] of this.#histories)
      for (const [fork, history] of forks)
        if (history.condition !== 'flowing' || history.confirmed) listener(change(session, fork, history));
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #watch(): Promise<void> {
    const { intervalMs, relay } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const startedAt = performance.now();
      const due = relay.engineProblem === undefined ? this.#due() : [];
      for (const [index, id] of due.entries()) {
        await this.#look(id);
        await pause(startedAt + (intervalMs * (index + 1)) / due.length - performance.now(), signal);
        if (signal.aborted) return;
      }
      if (due.length === 0) await pause(intervalMs, signal);
    }
  }

  /** Sessions with a fork that media should leave on. What is known of others is forgotten. */
  #due(): string[] {
    const due = this.#options.relay
      .establishedSessions()
      .filter((id) => watched(this.#options.relay.session(id)).length > 0);
    const kept = new Set(due);
    for (const id of [...this.#histories.keys()]) if (!kept.has(id)) this.#histories.delete(id);
    return due;
  }

  async #look(id: string): Promise<void> {
    const { engine, relay, log } = this.#options;
    try {
      const traffic = await bounded(lookDeadlineMs, this.#stopping.signal, (signal) => engine.traffic(id, signal));
      const atMs = performance.now();
      const before = this.#histories.get(id);
      const after = new Map<string, ForkHistory>();
      // As they are now, after the engine's answer: what was paused meanwhile is not judged.
      for (const [fork, state] of watched(relay.session(id)))
        after.set(fork, this.#judge(id, fork, sampleOf(state, traffic, fork, atMs), before?.get(fork)));
      this.#histories.set(id, after);
    } catch (error) {
      // A lost session is found by the engine's monitor; whatever else it is, the next look is not far.
      if (error instanceof EngineLostSession || this.#stopping.signal.aborted) return;
      log.warn(
        { session: id, code: SidestreamError.from(error).code },
        'the forks of a session could not be looked at',
      );
    }
  }

  #judge(session: string, fork: string, sample: ForkSample, before: ForkHistory | undefined): ForkHistory {
    if (before === undefined) return firstLook(sample);
    const after = nextLook(before, sample, this.#options);
    const changed = change(session, fork, after);
    if (after.condition !== before.condition)
      this.#options.log.warn({ ...changed }, 'a fork has changed its condition');
    else if (after.confirmed === before.confirmed || after.condition !== 'flowing') return after;
    for (const listener of this.#listeners) listener(changed);
    return after;
  }
}

function watched(session: MediaSession | undefined): [string, Fork][] {
  return [...(session?.forks ?? [])].filter(([, { phase }]) => phase === 'answered');
}

function sampleOf(state: Fork, traffic: Traffic, fork: string, atMs: number): ForkSample {
  const lines = traffic.forks.get(fork)?.lines ?? [];
  return {
    atMs,
    lines: copiedLines(state, traffic, fork).filter(({ taken }) => taken),
    returned: lines.reduce((sum, { returned }) => sum + returned, 0),
  };
}

function change(session: string, fork: string, { condition, sinceMs, last }: ForkHistory): ForkChange {
  return { session, fork, condition, lastedMs: Math.round(last.atMs - sinceMs) };
}
