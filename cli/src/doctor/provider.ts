// Check `provider`: a token from Entra, an answer of the API, and how the tenant's registration stands.
import { readFileSync } from 'node:fs';
import { type ClientCredential, ProviderClient, ProviderError } from '@sidestream/conversation-intelligence';
import { inspectNats, type ProviderConfig, type TenantConfig } from '@sidestream/service';
import { type RegistrationRecord, reasonToRegister, registrationRecordSchema } from '@sidestream/tenant-registration';
import { planOf } from '../plan-here.js';
import { type Check, type Finding, fail, ok, type Probe, skipped, warn } from './check.js';
import type { Examined } from './examined.js';
import { hostOf } from './places.js';
import { reasonOf } from './reason.js';

export const providerCheck: Check = {
  name: 'provider',
  about: 'a token from Entra, an answer of the provider API, the state of the registration',
  probes: (examined) =>
    examined.tenants.flatMap(([name, tenant]) => {
      const { provider } = tenant;
      if (provider === undefined) return [];
      const where = `tenants.${name}.provider`;
      const asked: Probe = {
        where,
        todo: 'see that Entra and the API can be reached from here',
        run: async (signal) => {
          for (const url of [provider.authority, provider.apiBaseUrl]) {
            const unknown = await examined.blamesName(hostOf(url), where);
            if (unknown) return [unknown];
          }
          return ask(where, provider, examined.timeoutMs, signal);
        },
      };
      const registered: Probe = {
        where: `${where}.register`,
        todo: 'see nats',
        run: () => registration(examined, name, tenant),
      };
      return provider.register ? [asked, registered] : [asked];
    }),
};

async function ask(
  where: string,
  provider: ProviderConfig,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Finding[]> {
  const { entraTenantId, clientId, authority, resourceAppId, apiBaseUrl, trustFile } = provider;
  const warnings: Finding[] = [];
  const begunMs = performance.now();
  let client: ProviderClient | undefined;
  try {
    client = new ProviderClient({
      ...{ entraTenantId, clientId, authority, resourceAppId, apiBaseUrl },
      credential: credentialOf(provider),
      limits: { requestTimeoutMs: timeoutMs * 0.6, callTimeoutMs: timeoutMs * 0.9 },
      retry: { attempts: 1 },
      ...(trustFile !== undefined && { trust: readFileSync(trustFile, 'utf8') }),
      log: (level, message) => {
        if (level === 'warn')
          warnings.push(warn(where, message, 'services/registration/README.md tells what to do in Entra'));
      },
    });
    const { users, more } = await client.probe(signal);
    const list = more ? `${users} users and more` : `${users} ${users === 1 ? 'user' : 'users'}`;
    return [ok(where, `token and API answer in ${Math.round(performance.now() - begunMs)} ms: ${list}`), ...warnings];
  } catch (error) {
    signal.throwIfAborted();
    return [judgeFailure(where, error), ...warnings];
  } finally {
    await client?.close();
  }
}

/** The client's own words say what the administrator has to do. */
export function judgeFailure(where: string, error: unknown): Finding {
  if (!(error instanceof ProviderError)) return fail(where, reasonOf(error), 'correct the file');
  const { code, message } = error;
  switch (code) {
    case 'unreachable':
    case 'entra-unreachable':
    case 'timeout':
      return fail(where, message, 'see that Entra and the API can be reached from here: proxy, firewall, trustFile');
    case 'server-error':
    case 'throttled':
      return warn(where, message, 'wait: the last policy stays in use until policy.maxAge');
    case 'unauthorized':
    case 'forbidden':
    case 'entra-refused':
    case 'misconfigured':
      return fail(where, message, 'services/registration/README.md tells what to do in Entra and Dynamics 365');
    case 'not-found':
    case 'rejected':
    case 'bad-answer':
      return fail(where, message, 'check provider.apiBaseUrl');
    default:
      return code satisfies never;
  }
}

/** What is kept of the registration in NATS, against what would be sent now. */
async function registration(examined: Examined, name: string, tenant: TenantConfig): Promise<Finding[]> {
  const where = `tenants.${name}.provider.register`;
  const { config, timeoutMs } = examined;
  const plan = await planOf(tenant);
  const errors = plan.findings.filter(({ severity }) => severity === 'error').map(({ text }) => text);
  if (errors.length > 0)
    return [
      examined.blames('certificates', where, 'the registration can’t be made') ??
        fail(where, errors.join('; '), 'sidestream register --dry-run shows it'),
    ];
  let record: RegistrationRecord;
  try {
    const [server = ''] = config.nats.servers;
    record = await inspectNats(config, { server, timeoutMs: timeoutMs * 0.8 }, async ({ jetStream }) =>
      registrationRecordSchema.parse((await jetStream?.read('registrations', name)) ?? {}),
    );
  } catch (error) {
    return [skipped(where, `what is registered can't be read from NATS: ${reasonOf(error)}`)];
  }
  return [judgeRegistration(where, record, reasonToRegister(record, plan))];
}

/** @param reason why the tenant has to be registered; undefined: the provider has accepted what would be sent */
export function judgeRegistration(
  where: string,
  { accepted, failure }: RegistrationRecord,
  reason: string | undefined,
): Finding {
  if (reason === undefined) return ok(where, `registered since ${accepted?.at ?? 'some time'}, as it would be now`);
  const todo = 'start the registration service, or run sidestream register';
  if (failure !== undefined) return fail(where, `${reason}; the last attempt failed: ${failure.message}`, todo);
  return warn(where, `${reason}: a recorder may refuse us`, todo);
}

function credentialOf({ clientSecretFile, clientCertificateFile, clientKeyFile }: ProviderConfig): ClientCredential {
  if (clientSecretFile !== undefined) return { secret: () => readFileSync(clientSecretFile, 'utf8') };
  return {
    certificatePem: readFileSync(clientCertificateFile ?? '', 'utf8'),
    privateKeyPem: readFileSync(clientKeyFile ?? '', 'utf8'),
  };
}
