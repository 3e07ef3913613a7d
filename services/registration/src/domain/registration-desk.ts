// All tenants: what the active instance keeps up, and what people ask of any instance.
import { SidestreamError } from '@sidestream/service';
import type { RegistrationPlan } from '@sidestream/tenant-registration';
import type { Outcome, TenantStatus } from './ports.js';
import type { Registrar } from './registrar.js';

export class RegistrationDesk {
  readonly #registrars: ReadonlyMap<string, Registrar>;
  /** Set while this instance is the active one. */
  #working: AbortSignal | undefined;

  constructor(registrars: ReadonlyMap<string, Registrar>) {
    this.#registrars = registrars;
  }

  get active(): boolean {
    return this.#working !== undefined && !this.#working.aborted;
  }

  /** The active instance's work: keeps every tenant registered until the signal aborts. */
  async work(signal: AbortSignal): Promise<void> {
    this.#working = signal;
    const idle = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    // Without a tenant there is nothing to do, and still it is this instance that does it.
    await Promise.all([idle, ...[...this.#registrars.values()].map((registrar) => registrar.run(signal))]);
    this.#working = undefined;
  }

  plan(tenant: string): Promise<{ plan: RegistrationPlan; reason: string | undefined }> {
    return this.#registrar(tenant).plan();
  }

  /** @throws SidestreamError `not-active` on an instance that stands by, and what Registrar.apply throws. */
  async apply(tenant: string, force: boolean): Promise<{ outcome: Outcome | 'unchanged'; status: TenantStatus }> {
    const registrar = this.#registrar(tenant);
    const signal = this.#working;
    if (signal === undefined || signal.aborted)
      throw new SidestreamError('not-active', 'this instance stands by: ask the active one');
    return await registrar.apply(force, signal);
  }

  /** @param tenant empty: all. */
  status(tenant: string): Promise<TenantStatus[]> {
    const wanted = tenant === '' ? [...this.#registrars.values()] : [this.#registrar(tenant)];
    return Promise.all(wanted.map((registrar) => registrar.status()));
  }

  #registrar(tenant: string): Registrar {
    const registrar = this.#registrars.get(tenant);
    if (registrar === undefined)
      throw new SidestreamError(
        'not-found',
        `tenant '${tenant}' is not registered by us: it has no provider in the configuration`,
      );
    return registrar;
  }
}
