// What NATS tells of the tenants' registrations, for deciding when a changed certificate is shown to recorders.

import { type Bus, KvFollower, type KvValue, type Logger } from '@sidestream/service';
import type { MayReplace } from '@sidestream/sip';
import { type RegistrationRecord, registrationRecordSchema } from '@sidestream/tenant-registration';
import type { Registry } from 'prom-client';
import { IdentityGate } from '../domain/identity-gate.js';

export interface RegistrationsOptions {
  readonly log: Logger;
  readonly metrics: Registry;
}

export class Registrations {
  readonly #bus: Bus;
  readonly #options: RegistrationsOptions;
  readonly #records = new Map<string, RegistrationRecord>();
  #wanted = false;
  #follower: KvFollower | undefined;

  constructor(bus: Bus, options: RegistrationsOptions) {
    this.#bus = bus;
    this.#options = options;
  }

  /** Begins to follow, if there is a gate that needs it. */
  start(): void {
    if (!this.#wanted) return;
    const onValue = (tenant: string, value: KvValue | undefined) => this.#note(tenant, value);
    this.#follower = new KvFollower(this.#bus, { bucket: 'registrations', onValue, ...this.#options });
    this.#follower.start();
  }

  stop(): void {
    this.#follower?.stop();
  }

  /** For a tenant that is registered by us. While NATS is away the last record stays. */
  gate(tenant: string): MayReplace {
    this.#wanted = true;
    const gate = new IdentityGate({ tenant, record: () => this.#records.get(tenant), log: this.#options.log });
    return (current, next) => gate.mayReplace(current, next);
  }

  #note(tenant: string, value: KvValue | undefined): void {
    try {
      if (value === undefined) this.#records.delete(tenant);
      else this.#records.set(tenant, registrationRecordSchema.parse(JSON.parse(Buffer.from(value.bytes).toString())));
    } catch (error) {
      this.#records.delete(tenant);
      this.#options.log.warn({ err: error, tenant }, 'the record of a registration is not readable');
    }
  }
}
