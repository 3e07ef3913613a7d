// One instance works, the others stand by: who holds the lease `leader.<name>` does the work, until it is lost.
import { randomUUID } from 'node:crypto';
import { Gauge, type Registry } from 'prom-client';
import type { Logger } from '../log.js';
import { pause } from '../pause.js';
import type { Bus } from './bus.js';
import { leaseTtlMs } from './layout.js';

const renewMs = leaseTtlMs / 4;
/** Work that was told to end may take so long; meanwhile this instance does not stand for the lease again. */
const endDeadlineMs = 10_000;

export interface LeadershipOptions {
  /** What is led: the lease's key is `leader.<name>`. */
  readonly name: string;
  /** Id of this instance, unique among those of its kind. */
  readonly holder: string;
  /**
   * Done by the active instance alone. Its signal aborts when the lease is lost or given up; then it must end soon. When it ends by
   * itself or throws, the lease is given up and stood for again.
   */
  readonly work: (signal: AbortSignal) => Promise<void>;
  readonly log: Logger;
  readonly metrics: Registry;
}

/**
 * Stands for a lease while NATS is there. A holder that dies is followed within the lease's life (6 s) and a renewal (1.5 s);
 * one that stops gives it up at once. A holder that can't renew ends its work before the lease does, by its own clock, so that
 * two never work at once unless one's work ignores its signal.
 */
export class Leadership {
  readonly #bus: Bus;
  readonly #options: LeadershipOptions;
  readonly #stopping = new AbortController();
  readonly #gauge: Gauge;
  /** Tells our lease from that of an instance that was given the same name by mistake. */
  readonly #token = randomUUID();
  #active = false;
  #loop: Promise<void> | undefined;

  constructor(bus: Bus, options: LeadershipOptions) {
    this.#bus = bus;
    this.#options = options;
    this.#gauge = new Gauge({
      name: 'sidestream_leader',
      help: '1 on the instance that is active, 0 on those that stand by.',
      registers: [options.metrics],
    });
    this.#gauge.set(0);
  }

  /** Whether this instance is the active one. */
  get active(): boolean {
    return this.#active;
  }

  start(): void {
    this.#loop ??= this.#stand();
  }

  /** Ends the work and gives the lease up. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('stopping'));
    await this.#loop;
  }

  get #key(): string {
    return `leader.${this.#options.name}`;
  }

  async #stand(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const lease = new LeaseTime();
      const revision = await this.#acquire();
      if (revision !== undefined) await this.#lead(revision, lease);
      await pause(this.#bus.connected ? renewMs : 200, signal);
    }
  }

  /** The revision of the lease, or undefined while another holds it. */
  async #acquire(): Promise<number | undefined> {
    try {
      return await this.#bus.session?.bucket('leases').create(this.#key, this.#value());
    } catch (error) {
      this.#options.log.trace({ err: error, lease: this.#key }, 'lease not acquired');
      return undefined;
    }
  }

  async #lead(revision: number, lease: LeaseTime): Promise<void> {
    const { log, name, work } = this.#options;
    // It may have been told to stop while the lease was being acquired.
    if (this.#stopping.signal.aborted) return this.#giveUp(revision);
    const ending = new AbortController();
    const onStop = () => ending.abort(this.#stopping.signal.reason);
    this.#stopping.signal.addEventListener('abort', onStop, { once: true });
    this.#become(true);
    log.info({ lead: name }, 'this instance is active');
    const working = work(ending.signal)
      .catch((error: unknown) => {
        if (!ending.signal.aborted) log.error({ err: error, lead: name }, 'the work of the active instance failed');
      })
      .finally(() => ending.abort(new Error('the work ended')));
    const last = await this.#renew(revision, lease, ending);
    this.#become(false);
    log.info({ lead: name, reason: String(ending.signal.reason) }, 'this instance stands by');
    this.#stopping.signal.removeEventListener('abort', onStop);
    await this.#whenEnded(working);
    await this.#giveUp(last);
  }

  /** Waits for work that was told to end: two runs of one instance's work would be two at work. Only a stop waits no longer than so. */
  async #whenEnded(working: Promise<void>): Promise<void> {
    const { log, name } = this.#options;
    const late = setTimeout(
      () => log.error({ lead: name }, 'the work does not end; meanwhile others lead'),
      endDeadlineMs,
    );
    const stopped = pause(endDeadlineMs, new AbortController().signal).then(() => whenAborted(this.#stopping.signal));
    await Promise.race([working, stopped]);
    clearTimeout(late);
  }

  /** Renews until the signal aborts, or aborts it when the lease is lost; the last revision that was ours. */
  async #renew(revision: number, lease: LeaseTime, ending: AbortController): Promise<number> {
    let held = { revision, lease };
    while (!ending.signal.aborted) {
      await pause(renewMs, ending.signal);
      if (ending.signal.aborted) break;
      const renewed = new LeaseTime();
      try {
        const bucket = this.#bus.session?.bucket('leases');
        if (bucket !== undefined) {
          const next = await bucket.update(this.#key, this.#value(), held.revision, renewMs);
          held = { revision: next, lease: renewed };
        }
      } catch (error) {
        this.#options.log.debug({ err: error, lease: this.#key }, 'lease not renewed');
        const owned = await this.#lookUp(held.revision);
        if (owned === 'lost') ending.abort(new Error('another instance holds the lease'));
        // The renewal was written, and only its acknowledgement was lost.
        else if (owned > held.revision) held = { revision: owned, lease: renewed };
      }
      // The next renewal would come too late.
      if (held.lease.leftMs < 2 * renewMs) ending.abort(new Error('the lease is lost'));
    }
    return held.revision;
  }

  /** The revision of our lease as NATS has it, or that it is not ours; what was known if nobody can tell. */
  async #lookUp(known: number): Promise<number | 'lost'> {
    try {
      const entry = await this.#bus.session?.bucket('leases').get(this.#key);
      if (entry === undefined) return known;
      return entry?.operation === 'PUT' && entry.string().includes(this.#token) ? entry.revision : 'lost';
    } catch {
      return known;
    }
  }

  async #giveUp(revision: number): Promise<void> {
    try {
      await this.#bus.session?.bucket('leases').delete(this.#key, { previousSeq: revision });
    } catch (error) {
      // Another holds it, or it expires by itself.
      this.#options.log.debug({ err: error, lease: this.#key }, 'lease not given up');
    }
  }

  #become(active: boolean): void {
    this.#active = active;
    this.#gauge.set(active ? 1 : 0);
  }

  #value(): string {
    return JSON.stringify({
      holder: this.#options.holder,
      token: this.#token,
      expiresAt: new Date(Date.now() + leaseTtlMs).toISOString(),
    });
  }
}

/** A lease from the moment when it was asked for. Both clocks count: one may be set, the other stands still while a machine sleeps. */
class LeaseTime {
  readonly #wall = Date.now();
  readonly #steady = performance.now();

  /** What is left of it; a wall clock that was set back gives no more than the other. */
  get leftMs(): number {
    return leaseTtlMs - Math.max(Date.now() - this.#wall, performance.now() - this.#steady);
  }
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
