/** AADSTS errors as one sentence that says what the administrator must do. */
import { oneLine } from './problem.js';
import { ProviderError } from './provider-error.js';

/** Who is concerned; no secret is in here. */
export interface EntraIdentity {
  readonly entraTenantId: string;
  readonly clientId: string;
  readonly resourceAppId: string;
}

const advice: Readonly<Record<string, (identity: EntraIdentity) => string>> = {
  '500011': ({ resourceAppId }) =>
    `the tenant has no service principal of the resource ${resourceAppId}: an administrator must create it (New-MgServicePrincipal -AppId ${resourceAppId}), or resourceAppId is wrong (the GUID on Microsoft's page is a placeholder)`,
  '500014': ({ resourceAppId }) =>
    `the service principal of the resource ${resourceAppId} is disabled: an administrator must enable it`,
  '700016': ({ clientId, entraTenantId }) =>
    `the app ${clientId} is not in the tenant ${entraTenantId}: check clientId and entraTenantId, or let the tenant's administrator consent to the app`,
  '7000112': ({ clientId }) => `the app ${clientId} is disabled in the tenant: an administrator must enable it`,
  '7000215': ({ clientId }) =>
    `the client secret is wrong: put the secret's value (not its id) of the app ${clientId} into the secret file`,
  '7000222': ({ clientId }) =>
    `the client secret has expired: create a new one for the app ${clientId} and put its value into the secret file`,
  '700027': ({ clientId }) =>
    `the client certificate is not one of the app ${clientId}: upload it to the app registration, or use the matching key`,
  '700024': () =>
    'the client assertion is not valid at this time: set the clock of this machine (it and Entra differ by minutes)',
  '7000218': ({ clientId }) => `the app ${clientId} was given no credential: configure a client secret or certificate`,
  '65001': ({ clientId }) =>
    `the tenant has not consented to the app ${clientId}: an administrator must grant admin consent for Users.Read.All`,
  '501051': ({ clientId, resourceAppId }) =>
    `the app ${clientId} has no role in ${resourceAppId}: an administrator must grant admin consent for Users.Read.All`,
  '90002': ({ entraTenantId }) => `there is no tenant ${entraTenantId}: check entraTenantId and authority`,
  '900023': ({ entraTenantId }) => `${entraTenantId} is no tenant id: check entraTenantId`,
  '1002012': () => 'the scope is not valid: check resourceAppId',
  '70011': () => 'the scope is not valid: check resourceAppId',
  '53003': () => 'a conditional access policy of the tenant blocks the app: an administrator must exempt it',
};

/** The refusal that an OAuth error answer amounts to. Trace and correlation ids stay in, for Microsoft's support. */
export function entraRefusal(description: string, status: number, identity: EntraIdentity): ProviderError {
  const number = /AADSTS(\d+)/.exec(description)?.[1];
  const known = number !== undefined && Object.hasOwn(advice, number) ? advice[number]?.(identity) : undefined;
  const message =
    known === undefined
      ? `Entra gives no token: ${oneLine(description)}`
      : `Entra gives no token (AADSTS${number}): ${known}.`;
  return new ProviderError('entra-refused', message, { status });
}
