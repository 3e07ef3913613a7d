// How the others learn of this relay: its lease (address, load, draining) and its events. Beside the work, never awaited.
import { type Bus, EventPublisher, LeaseKeeper, type Logger } from '@sidestream/service';
import type { Registry } from 'prom-client';
import type { Relay } from '../domain/relay.js';

const flushMs = 1_000;

export interface PresenceOptions {
  readonly bus: Bus;
  readonly relay: Relay;
  readonly id: string;
  readonly region: string;
  /** `host:port` of the gRPC server, as others reach it. */
  readonly address: string;
  readonly capacity: number;
  readonly log: Logger;
  readonly metrics: Registry;
}

export class Presence {
  readonly #id: string;
  readonly #lease: LeaseKeeper<object>;
  readonly #events: EventPublisher;

  constructor({ bus, relay, id, region, address, capacity, log, metrics }: PresenceOptions) {
    this.#id = id;
    this.#events = new EventPublisher(bus, { source: `relay.${id}`, log, metrics });
    this.#lease = new LeaseKeeper(bus, {
      key: `relay.${id}`,
      log,
      value: () => ({
        address,
        region,
        sessions: relay.sessionCount,
        // Not 0 while the engine is away: then nobody would ask, and learn from the refusal what is missing.
        capacity,
        draining: relay.draining,
      }),
    });
    relay.onLost(({ session, reason }) =>
      this.#events.publish({ $case: 'mediaLost', value: { relay: id, callId: session, reason } }),
    );
    this.#lease.start();
  }

  /** The engine came (no problem) or went. */
  engineChanged(problem: string | undefined): void {
    const relay = this.#id;
    if (problem === undefined) this.#events.publish({ $case: 'mediaUp', value: { relay } });
    else this.#events.publish({ $case: 'mediaDown', value: { relay, reason: problem } });
  }

  /** Load or draining changed in a way that others should know now. */
  refresh(): void {
    this.#lease.refresh();
  }

  async close(): Promise<void> {
    await this.#lease.stop();
    await this.#events.close(flushMs);
  }
}
