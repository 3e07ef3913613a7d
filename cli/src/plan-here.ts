// A tenant's plan without a service: from the configuration and the files that it names.
import { readFile } from 'node:fs/promises';
import type { PlanResponse } from '@sidestream/proto/registration/v1';
import type { SidestreamConfig } from '@sidestream/service';
import { planRegistration, tenantSettings } from '@sidestream/tenant-registration';

/** Plans as the service would; whether the provider has accepted the same already is not known here. */
export async function planHere(tenant: string, { tenants }: SidestreamConfig): Promise<PlanResponse> {
  const configured = tenants[tenant];
  const settings = configured && tenantSettings(configured);
  if (configured === undefined || settings === undefined) throw new Error(`tenant '${tenant}' has no provider`);
  const { certFile, keyFile } = configured.recording.identity;
  const templateFile = configured.provider?.bodyTemplateFile;
  const template = templateFile && (await readFile(templateFile, 'utf8'));
  const [certificate, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
  const material = { certificate, key, ...(template !== undefined && { template }) };
  const { url, body, contentHash, findings } = planRegistration(settings, material, new Date());
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
