// From a tenant's users at the provider to a policy: one request, one calculation. Runs in the fetching thread.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import {
  type ClientCredential,
  ProviderClient,
  type ProviderClientOptions,
  ProviderError,
  type ProviderUser,
} from '@sidestream/conversation-intelligence';
import {
  buildPolicy,
  type Identities,
  isCountryCode,
  PolicyError,
  type Problems,
  parseIdentities,
} from '@sidestream/policy';
import type { Logger } from '@sidestream/service';
import type { SyncedTenant } from '../config.js';
import type { Basis, FetchedPolicy, Unchanged } from '../domain/ports.js';
import { SyncError } from '../domain/sync-error.js';

/** Changes when the same users would give another policy. */
const recipeVersion = 1;
const maxProblems = 100;
const shortestRequestMs = 5_000;
const longestRequestMs = 30_000;

export class TenantFetcher {
  readonly #tenant: SyncedTenant;
  readonly #log: Logger;
  #client: ProviderClient | undefined;
  #told = '';

  constructor(tenant: SyncedTenant, log: Logger) {
    this.#tenant = tenant;
    this.#log = log;
  }

  /** @see UserSource.fetch */
  async fetch(basis: Basis | undefined, signal: AbortSignal): Promise<FetchedPolicy | Unchanged> {
    try {
      const text = await this.#readIdentities(signal);
      const recipe = this.#recipe(text);
      // A list that has not changed says nothing when the rest has.
      const validators = basis?.recipe === recipe ? basis.validators : undefined;
      this.#client ??= this.#open();
      const list = await this.#client.listUsers(signal, validators);
      if (list === 'not-modified') return { changed: false };
      const { validators: given, maxAgeMs } = list;
      const next = { validators: given, recipe, users: digestOf(list.users) };
      if (basis?.recipe === recipe && basis.users === next.users) return { changed: false, basis: next, maxAgeMs };
      const identities = text === undefined ? undefined : this.#parse(text);
      const {
        bytes,
        revision,
        users,
        unmatched,
        problems: others,
      } = buildPolicy(list.users, identities, this.#country);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const problems = together(identities?.problems, others);
      this.#tell(problems, `${revision} ${recipe}`);
      const details = { basis: next, unmatched, problems };
      return { changed: true, bytes, sha256, revision, users, details, maxAgeMs };
    } catch (error) {
      signal.throwIfAborted();
      throw toSyncError(error);
    }
  }

  /** Says what could not be used, once for each content. */
  #tell({ count, first }: Problems, content: string): void {
    if (this.#told === content) return;
    this.#told = content;
    if (count === 0) return;
    const { tenant } = this.#tenant;
    const problems = first.map(({ path, message }) => `${path}: ${message}`);
    this.#log.warn({ tenant, count, problems }, 'some users or identities could not be used');
  }

  #open(): ProviderClient {
    const { provider, policy, tenant } = this.#tenant;
    const { entraTenantId, clientId, authority, resourceAppId, apiBaseUrl, trustFile } = provider;
    const options: ProviderClientOptions = {
      ...{ entraTenantId, clientId, authority, resourceAppId, apiBaseUrl, credential: credentialOf(provider) },
      // Who polls often wants to know soon that nothing comes.
      limits: { requestTimeoutMs: Math.min(longestRequestMs, Math.max(shortestRequestMs, policy.pollIntervalMs)) },
      ...(trustFile !== undefined && { trust: readFileSync(trustFile, 'utf8') }),
      log: (level, message, fields) => this.#log[level]({ tenant, ...fields }, message),
    };
    return new ProviderClient(options);
  }

  get #country() {
    const { defaultCountry } = this.#tenant.policy;
    return defaultCountry !== undefined && isCountryCode(defaultCountry) ? { defaultCountry } : {};
  }

  async #readIdentities(signal: AbortSignal): Promise<string | undefined> {
    const { identitiesFile } = this.#tenant.policy;
    return identitiesFile === undefined ? undefined : await readFile(identitiesFile, { encoding: 'utf8', signal });
  }

  #parse(text: string): Identities {
    const { identitiesFile = '', identityErrors: onError } = this.#tenant.policy;
    const format = /\.json$/i.test(identitiesFile) ? 'json' : 'csv';
    try {
      return parseIdentities(text, format, { onError, ...this.#country, source: identitiesFile });
    } catch (error) {
      if (error instanceof PolicyError) throw new SyncError('identities-refused', error.message);
      throw error;
    }
  }

  #recipe(identities: string | undefined): string {
    const { defaultCountry, identityErrors } = this.#tenant.policy;
    const settings = JSON.stringify([recipeVersion, defaultCountry, identityErrors, identities === undefined]);
    return createHash('sha256')
      .update(settings)
      .update(identities ?? '')
      .digest('hex')
      .slice(0, 16);
  }
}

/** Of what goes into a policy, in the order in which it came: a tenth of the work of making one. */
function digestOf(users: readonly ProviderUser[]): string {
  const hash = createHash('sha256');
  for (const { id, upn, name, numbers, addresses } of users) {
    hash.update(JSON.stringify([id, upn, name, numbers, addresses]));
  }
  return hash.digest('hex').slice(0, 32);
}

/** Of the first no more than a status shows: they are kept beside the pointer. */
function together(identities: Problems | undefined, others: Problems): Problems {
  const first = [...(identities?.first ?? []), ...others.first].slice(0, maxProblems);
  return { count: (identities?.count ?? 0) + others.count, first };
}

function credentialOf({
  clientSecretFile,
  clientCertificateFile,
  clientKeyFile,
}: SyncedTenant['provider']): ClientCredential {
  if (clientCertificateFile !== undefined && clientKeyFile !== undefined) {
    const read = (file: string) => readFileSync(file, 'utf8');
    return { certificatePem: read(clientCertificateFile), privateKeyPem: read(clientKeyFile) };
  }
  // Read at each use: a rotated secret needs no restart.
  return { secret: () => readFileSync(clientSecretFile ?? '', 'utf8').trim() };
}

function toSyncError(error: unknown): SyncError {
  if (error instanceof ProviderError) {
    const { code, message, retryable, retryAfterMs } = error;
    return new SyncError(code, message, { retryable, ...(retryAfterMs !== undefined && { retryAfterMs }) });
  }
  if (error instanceof SyncError) return error;
  if (error instanceof PolicyError) return new SyncError('policy-unusable', error.message);
  const message = error instanceof Error ? error.message : String(error);
  // Node's file errors name the operation and the path, never the content.
  if (error instanceof Error && 'path' in error) return new SyncError('file-unusable', `${message}.`);
  return new SyncError('fetch-failed', message);
}
