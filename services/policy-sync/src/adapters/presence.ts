// How the others find this instance, and know whether it is the active one.
import { type Bus, Leadership, LeaseKeeper, type Logger } from '@sidestream/service';
import type { Registry } from 'prom-client';
import type { PolicySync } from '../domain/policy-sync.js';

export interface PresenceOptions {
  readonly bus: Bus;
  readonly sync: PolicySync;
  readonly id: string;
  /** `host:port` of the gRPC server, as others reach it. */
  readonly address: string;
  readonly log: Logger;
  readonly metrics: Registry;
}

/** Keeps the lease `policy-sync.<id>`, and does the work while this instance leads. */
export class Presence {
  readonly #lease: LeaseKeeper<object>;
  readonly #leadership: Leadership;

  constructor({ bus, sync, id, address, log, metrics }: PresenceOptions) {
    const value = () => ({ address, active: sync.active });
    this.#lease = new LeaseKeeper(bus, { key: `policy-sync.${id}`, value, log });
    const work = async (signal: AbortSignal) => {
      const working = sync.run(signal).finally(() => this.#lease.refresh());
      this.#lease.refresh();
      await working;
    };
    this.#leadership = new Leadership(bus, { name: 'policy-sync', holder: id, work, log, metrics });
  }

  start(): void {
    this.#lease.start();
    this.#leadership.start();
  }

  async stop(): Promise<void> {
    await this.#leadership.stop();
    await this.#lease.stop();
  }
}
