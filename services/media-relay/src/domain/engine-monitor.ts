// Watches the engine: is it there, did it restart, do its sessions and ours agree. What the engine has and nobody owns is
// ended there, after a grace; what we own and the engine does not have is lost.
import { bounded, pause, SidestreamError } from '@sidestream/service';
import type { DomainLog, EngineState, LossReason, MediaEngine } from './ports.js';
import type { Relay } from './relay.js';

/** Foreign ends and single look-ups per sweep, so that a sweep never competes with live calls. */
const sweepBatch = 50;
/** A refused control port means a dead process; the second refusal rules out one that was just being replaced. */
const refusalsUntilLost = 2;
/**
 * What an earlier run of this relay left may carry live calls. Signalling ends those when it watches again and does not
 * find them in ListSessions; media that vanishes before would leave the parties in silence without a reason.
 */
export const orphanGraceMs = 30_000;
/** One unanswered look may be this process's own delay on a busy machine; two in a row are the engine's. */
const silencesUntilTold = 2;

export interface EngineMonitorOptions {
  readonly engine: MediaEngine;
  readonly relay: Relay;
  readonly log: DomainLog;
  /** Called at every change, first after the first look. `problem` is undefined when the engine is there. */
  onChange(problem: string | undefined): void;
  readonly intervalMs?: number;
  readonly stateDeadlineMs?: number;
  readonly sweepEveryMs?: number;
  /** How long after the start nothing of an earlier run is ended. */
  readonly orphanGraceMs?: number;
}

export class EngineMonitor {
  readonly #options: EngineMonitorOptions;
  readonly #stopping = new AbortController();
  #loop: Promise<void> | undefined;
  #state: EngineState | undefined;
  #refusals = 0;
  #silences = 0;
  #lastSweep = 0;
  #engineStartedAt: number | undefined;
  #graceEndsAt = Number.POSITIVE_INFINITY;
  #cursor = 0;

  constructor(options: EngineMonitorOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#loop === undefined)
      this.#graceEndsAt = performance.now() + (this.#options.orphanGraceMs ?? orphanGraceMs);
    this.#loop ??= this.#watch();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new SidestreamError('cancelled', 'the relay stops'));
    await this.#loop;
  }

  async #watch(): Promise<void> {
    const { intervalMs = 1_000 } = this.#options;
    while (!this.#stopping.signal.aborted) {
      await this.#look();
      await pause(intervalMs, this.#stopping.signal);
    }
  }

  async #look(): Promise<void> {
    const { engine, sweepEveryMs = 5_000 } = this.#options;
    const state = await this.#within((signal) => engine.state(signal));
    if (this.#stopping.signal.aborted) return;
    this.#silences = state === 'silent' ? this.#silences + 1 : 0;
    if (this.#state === 'alive' && this.#silences > 0 && this.#silences < silencesUntilTold) return;
    const changed = state !== this.#state;
    this.#state = state;
    if (changed) this.#tell(state);
    this.#refusals = state === 'gone' ? this.#refusals + 1 : 0;
    if (this.#refusals === refusalsUntilLost) this.#loseAll();
    if (state !== 'alive') return;
    if (!changed && performance.now() - this.#lastSweep < sweepEveryMs) return;
    try {
      await this.#sweep();
      this.#lastSweep = performance.now();
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#options.log.warn(
        { code: SidestreamError.from(error).code },
        'the sweep of the engine failed; it is repeated',
      );
    }
  }

  #tell(state: EngineState): void {
    const { engine, relay, onChange } = this.#options;
    const problems = {
      alive: undefined,
      gone: `nothing listens at ${engine.description}`,
      silent: `${engine.description} does not answer`,
    };
    relay.setEngineProblem(problems[state]);
    onChange(problems[state]);
  }

  #loseAll(): void {
    for (const id of this.#options.relay.establishedSessions()) this.#options.relay.lose(id, 'engine-gone');
  }

  async #sweep(): Promise<void> {
    const { engine, relay } = this.#options;
    const reason = (await this.#restarted()) ? 'engine-restarted' : 'engine-dropped';
    // Taken before the list is asked for: a session that is acknowledged meanwhile may be missing from it rightly.
    const ours = relay.establishedSessions();
    const { sessions, remains, complete } = await this.#within((signal) => engine.list(signal));
    const held = new Set(sessions);
    const missing = ours.filter((id) => !held.has(id));
    if (complete) for (const id of missing) relay.lose(id, reason);
    else await this.#lookUp(missing, reason);
    if (performance.now() < this.#graceEndsAt) return;
    const orphans = [...sessions, ...remains].filter((id) => !relay.owns(id)).slice(0, sweepBatch);
    for (const id of orphans) if (!relay.owns(id)) await this.#within((signal) => engine.close(id, signal));
    if (orphans.length > 0) this.#options.log.warn({ count: orphans.length }, 'sessions without an owner ended');
  }

  /** The engine's list was cut short: asks for some of the sessions by name, others the next time. */
  async #lookUp(missing: readonly string[], reason: LossReason): Promise<void> {
    const { engine, relay } = this.#options;
    const from = this.#cursor < missing.length ? this.#cursor : 0;
    const batch = missing.slice(from, from + sweepBatch);
    this.#cursor = from + batch.length;
    for (const id of batch) {
      const held = await this.#within((signal) => engine.holds(id, signal));
      if (!held) relay.lose(id, reason);
    }
  }

  /**
   * Whether another process answers than the last time. Only a reason, never a proof: the engine counts its uptime on
   * the wall clock, so the sessions that it still lists are kept in any case.
   */
  async #restarted(): Promise<boolean> {
    const uptime = await this.#within((signal) => this.#options.engine.uptimeSeconds(signal));
    const startedAt = performance.now() / 1000 - uptime;
    const restarted = this.#engineStartedAt !== undefined && startedAt > this.#engineStartedAt + 2;
    this.#engineStartedAt = startedAt;
    if (restarted) this.#options.log.warn({}, 'the media engine restarted');
    return restarted;
  }

  #within<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return bounded(this.#options.stateDeadlineMs ?? 2_000, this.#stopping.signal, work);
  }
}
