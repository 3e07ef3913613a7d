// One instance works, the others stand by: who holds the lease `leader.<name>` does the work, until it is lost.
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
      const asked = Date.now();
      const revision = await this.#acquire();
      if (revision !== undefined) await this.#lead(revision, asked + leaseTtlMs);
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

  async #lead(revision: number, until: number): Promise<void> {
    const { log, name, work } = this.#options;
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
    const last = await this.#renew(revision, until, ending);
    this.#become(false);
    log.info({ lead: name, reason: String(ending.signal.reason) }, 'this instance stands by');
    await Promise.race([working, pause(endDeadlineMs, new AbortController().signal)]);
    this.#stopping.signal.removeEventListener('abort', onStop);
    await this.#giveUp(last);
  }

  /** Renews until the signal aborts, or aborts it when the lease is lost; the last revision that was ours. */
  async #renew(revision: number, until: number, ending: AbortController): Promise<number> {
    while (!ending.signal.aborted) {
      await pause(renewMs, ending.signal);
      if (ending.signal.aborted) break;
      const asked = Date.now();
      try {
        const bucket = this.#bus.session?.bucket('leases');
        if (bucket !== undefined) {
          revision = await bucket.update(this.#key, this.#value(), revision, renewMs);
          until = asked + leaseTtlMs;
        }
      } catch (error) {
        this.#options.log.debug({ err: error, lease: this.#key }, 'lease not renewed');
      }
      // The next renewal would come too late.
      if (Date.now() + 2 * renewMs > until) ending.abort(new Error('the lease is lost'));
    }
    return revision;
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
      expiresAt: new Date(Date.now() + leaseTtlMs).toISOString(),
    });
  }
}
