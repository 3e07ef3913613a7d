// Notices that an identities file changed, however it was replaced.
import { unwatchFile, watchFile } from 'node:fs';
import type { SyncedTenant } from '../config.js';

/** Editors and Kubernetes replace files rather than write them, so their state is polled. */
const pollMs = 1_000;

/** Tells which tenant's file changed. @returns ends the watching */
export function watchIdentities(tenants: readonly SyncedTenant[], onChanged: (tenant: string) => void): () => void {
  const stops = tenants.flatMap(({ tenant, policy: { identitiesFile: file } }) => {
    if (file === undefined) return [];
    const listener = () => onChanged(tenant);
    watchFile(file, { interval: pollMs, persistent: false }, listener);
    return [() => unwatchFile(file, listener)];
  });
  return () => {
    for (const stop of stops) stop();
  };
}
