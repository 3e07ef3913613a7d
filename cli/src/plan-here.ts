// A tenant's plan without a service: from the configuration and the files that it names.
import { readFile } from 'node:fs/promises';
import type { PlanResponse } from '@sidestream/proto/registration/v1';
import type { SidestreamConfig, TenantConfig } from '@sidestream/service';
import { planRegistration, type RegistrationPlan, tenantSettings } from '@sidestream/tenant-registration';

/** Plans as the service would; whether the provider has accepted the same already is not known here. */
export async function planHere(tenant: string, { tenants }: SidestreamConfig): Promise<PlanResponse> {
  const configured = tenants[tenant];
  if (configured === undefined) throw new Error(`tenant '${tenant}' has no provider`);
  const { url, body, contentHash, findings } = await planOf(configured);
  const found = (wanted: string) => findings.filter(({ severity }) => severity === wanted);
  return {
    tenant,
    needed: false,
    reason: '',
    url,
    body: body === undefined ? '' : JSON.stringify(body),
    contentHash,
    warnings: found('warning'),
    errors: found('error'),
  };
}

/** The plan of a tenant from the files that its configuration names. @throws Error for files that can't be read, or without a provider */
export async function planOf(configured: TenantConfig): Promise<RegistrationPlan> {
  const settings = tenantSettings(configured);
  if (settings === undefined) throw new Error('the tenant has no provider');
  const { certFile, keyFile } = configured.recording.identity;
  const templateFile = configured.provider?.bodyTemplateFile;
  const template = templateFile && (await readFile(templateFile, 'utf8'));
  const [certificate, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
  return planRegistration(settings, { certificate, key, ...(template !== undefined && { template }) }, new Date());
}
