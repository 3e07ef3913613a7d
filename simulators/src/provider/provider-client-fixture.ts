/** A provider simulator and the real client of it, for as long as a test lasts. */
import type { TestContext } from 'node:test';
import { ProviderClient, type ProviderClientOptions, ProviderError } from '@sidestream/conversation-intelligence';
import { type Credential, CredentialFolder, createAuthority } from '@sidestream/pki';
import { parseProviderFault } from './fault-names.js';
import type { ProviderSimulatorOptions } from './provider-options.js';
import { ProviderSimulator } from './provider-simulator.js';

export const entraTenantId = '5f0c8a3e-7a50-4c87-9d8e-3a0f4f0f7b11';
export const clientId = '1b6f9f60-9c70-4a6c-8f0a-0d4f9d6a2c22';
export const secret = 'Zq8Q~a-secret/that+must=show&nowhere';

/** The example of the API's page. */
export const registration = {
  orgId: 'ad3dca46-962a-4895-9f85-d25f3828781f',
  Type: 'custom',
  hosting: 'cloud',
  displayName: 'Test Custom Provider',
  AuthenticationDetails: {
    AccountId: 'AC0123',
    CertificateSubjectName: 'CN=sbc.contoso.example',
    CertificateIssuer: 'CN=Contoso CA',
    SourceIPNetwork: '0.0.0.0',
  },
} as const;

export const users = [
  { aadObjectId: 'u-1', userPrincipalName: 'ada@contoso.example', displayName: 'Ada', businessPhones: ['+49 30 1'] },
  { aadObjectId: 'u-2', userPrincipalName: 'bob@contoso.example' },
  { aadObjectId: 'u-3', userPrincipalName: 'cy@contoso.example' },
];

/** What a test gets. */
export interface Stage {
  readonly simulator: ProviderSimulator;
  readonly client: ProviderClient;
  /** Everything that the clients say to their log, as text. */
  readonly logs: string[];
  /** A certificate that the simulated app knows, with an RSA key. */
  readonly appCertificate: Credential;
  /** Another client of the same simulator. */
  connect(changes?: Partial<ProviderClientOptions>): ProviderClient;
}

/** One set for all tests of a file: an RSA key takes long to make. */
const certificates = (async () => {
  const authority = await createAuthority('Provider test CA');
  const server = await authority.issue({ commonName: 'provider', ipAddresses: ['127.0.0.1'], usages: 'server' });
  const appCertificate = await authority.issue({ commonName: 'app', usages: 'client', key: 'rsa' });
  return { authority, server, appCertificate };
})();

/** Starts both; `fault` as parseProviderFault reads it. Retries are quick, exchanges have five seconds. */
export async function stage(
  t: TestContext,
  { fault = '', simulator: changes = {}, client: clientChanges = {} }: StageOptions = {},
): Promise<Stage> {
  const { authority, server, appCertificate } = await certificates;
  const folder = await CredentialFolder.create();
  t.after(() => folder.remove());
  const simulator = await ProviderSimulator.start({
    tls: await folder.write(server, 'provider'),
    entraTenantId,
    app: { clientId, secret, certificatePem: appCertificate.certificate },
    users,
    fault: parseProviderFault(fault),
    ...changes,
  });
  t.after(() => simulator.close());
  const logs: string[] = [];
  const connect = (more: Partial<ProviderClientOptions> = {}) => {
    const client = new ProviderClient({
      entraTenantId,
      clientId,
      credential: { secret: () => secret },
      authority: simulator.origin,
      apiBaseUrl: simulator.origin,
      trust: authority.certificate,
      log: (level, message, fields) => logs.push(`${level} ${message} ${JSON.stringify(fields)}`),
      ...more,
      limits: { requestTimeoutMs: 5_000, callTimeoutMs: 15_000, ...clientChanges.limits, ...more.limits },
      retry: { attempts: 3, baseMs: 1, maxWaitMs: 50, ...clientChanges.retry, ...more.retry },
    });
    t.after(() => client.close());
    return client;
  };
  return { simulator, client: connect(clientChanges), logs, appCertificate, connect };
}

export interface StageOptions {
  readonly fault?: string;
  readonly simulator?: Partial<ProviderSimulatorOptions>;
  readonly client?: Partial<ProviderClientOptions>;
}

export const never: AbortSignal = new AbortController().signal;

/** The error of a call that must fail by ProviderError. */
export async function failureOf(call: Promise<unknown>): Promise<ProviderError> {
  const error: unknown = await call.then(
    (value) => new Error(`the call succeeded: ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (error instanceof ProviderError) return error;
  throw error;
}

/** How many requests went where. */
export function count(simulator: ProviderSimulator, part: string): number {
  return simulator.requests.filter(({ path }) => path.includes(part)).length;
}
