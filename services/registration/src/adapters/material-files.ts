// The files behind a tenant's registration, read when asked for and watched for changes.
import { unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { TenantMaterial } from '@sidestream/tenant-registration';
import type { RegisteredTenant } from '../config.js';
import type { Materials } from '../domain/ports.js';

/** Kubernetes and certificate managers replace files rather than write them, so their state is polled. */
const pollMs = 1_000;

export class MaterialFiles implements Materials {
  readonly #tenants: ReadonlyMap<string, RegisteredTenant>;
  readonly #stops: (() => void)[] = [];

  constructor(tenants: ReadonlyMap<string, RegisteredTenant>) {
    this.#tenants = tenants;
  }

  async load(tenant: string): Promise<TenantMaterial> {
    const configured = this.#tenants.get(tenant);
    if (configured === undefined) throw new Error(`there is no tenant '${tenant}'`);
    const { identity, provider } = configured;
    const [certificate, key, template] = await Promise.all([
      readFile(identity.certFile, 'utf8'),
      readFile(identity.keyFile, 'utf8'),
      provider.bodyTemplateFile === undefined ? undefined : readFile(provider.bodyTemplateFile, 'utf8'),
    ]);
    return { certificate, key, ...(template !== undefined && { template }) };
  }

  /** Calls back at every change of a file that the registration or its credentials depend on, until close(). */
  watch(onChange: (tenant: string) => void): void {
    for (const [tenant, { identity, provider }] of this.#tenants) {
      const { clientSecretFile, clientCertificateFile, clientKeyFile, trustFile, bodyTemplateFile } = provider;
      const files = [clientSecretFile, clientCertificateFile, clientKeyFile, trustFile, bodyTemplateFile];
      for (const file of [identity.certFile, identity.keyFile, ...files]) {
        if (file === undefined) continue;
        const listener = () => onChange(tenant);
        watchFile(file, { interval: pollMs, persistent: false }, listener);
        this.#stops.push(() => unwatchFile(file, listener));
      }
    }
  }

  close(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }
}
