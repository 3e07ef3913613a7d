// What the registrar does, told as events and metrics.
import type { EventPublisher } from '@sidestream/service';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Announcements, Outcome, RegistrationState, TenantStatus } from '../domain/ports.js';

const states: readonly RegistrationState[] = ['never', 'applied', 'drifted', 'failed'];

export class Announcer implements Announcements {
  readonly #events: EventPublisher;
  readonly #attempts: Counter<'tenant' | 'outcome'>;
  readonly #state: Gauge<'tenant' | 'state'>;
  readonly #expiry: Gauge<'tenant'>;

  constructor(events: EventPublisher, metrics: Registry) {
    this.#events = events;
    const registers = [metrics];
    this.#attempts = new Counter({
      name: 'sidestream_registration_attempts_total',
      help: 'Registrations that were sent to the provider, by tenant and outcome (how it was accepted, or why not).',
      labelNames: ['tenant', 'outcome'],
      registers,
    });
    this.#state = new Gauge({
      name: 'sidestream_registration_state',
      help: '1 for the state that the registration of a tenant is in, 0 for the others; on the active instance only.',
      labelNames: ['tenant', 'state'],
      registers,
    });
    this.#expiry = new Gauge({
      name: 'sidestream_recorder_certificate_expiry_seconds',
      help: 'When the certificate that a tenant shows to recorders expires, in seconds since 1970; on the active instance only.',
      labelNames: ['tenant'],
      registers,
    });
  }

  applied(tenant: string, contentHash: string, outcome: Outcome): void {
    this.#events.publish({ $case: 'registrationApplied', value: { tenant, contentHash, outcome } });
  }

  drifted(tenant: string, reason: string): void {
    this.#events.publish({ $case: 'registrationDrifted', value: { tenant, reason } });
  }

  expiring(tenant: string, { subject, notAfter }: { subject: string; notAfter: Date }, withinDays: number): void {
    const certificateSubject = oneLine(subject);
    const value = { tenant, certificateSubject, expiresAt: notAfter, withinDays };
    this.#events.publish({ $case: 'registrationExpiring', value });
  }

  attempted(tenant: string, outcome: string): void {
    this.#attempts.inc({ tenant, outcome });
  }

  observed({ tenant, state, certificate }: TenantStatus): void {
    for (const each of states) this.#state.set({ tenant, state: each }, each === state ? 1 : 0);
    if (certificate === undefined) this.#expiry.remove({ tenant });
    else this.#expiry.set({ tenant }, certificate.notAfter.getTime() / 1_000);
  }

  /** This instance stands by from now on: what it knew grows old. */
  forget(): void {
    this.#state.reset();
    this.#expiry.reset();
  }
}

/** Node prints a name one RDN a line. */
export function oneLine(name: string): string {
  return name.split('\n').join(', ');
}
