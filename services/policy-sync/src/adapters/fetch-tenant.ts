// From a tenant's users at the provider to a policy: one request, one calculation. Runs in the fetching thread.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ProviderClient, ProviderError, type ProviderUser } from '@sidestream/conversation-intelligence';
import {
  buildPolicy,
  type Identities,
  isCountryCode,
  PolicyError,
  type Problems,
  parseIdentities,
} from '@sidestream/policy';
import type { SyncedTenant } from '../config.js';
import type { Basis, FetchedPolicy, Unchanged } from '../domain/ports.js';
import { SyncError } from '../domain/sync-error.js';
import type { FetchExchange, FetchNote } from './fetch-messages.js';

/** Changes when the same users would give another policy. */
const recipeVersion = 1;
/** Kept beside the pointer, for a status. */
const maxKept = 100;
/** In the log: so many at a time, and altogether. */
const problemsPerLine = 100;
const maxTold = 10_000;

export class TenantFetcher {
  readonly #tenant: SyncedTenant;
  readonly #say: (note: FetchNote | FetchExchange) => void;
  #client: ProviderClient | undefined;
  /** Digest of the files that the client was made of. */
  #material = '';
  #told = '';

  constructor(tenant: SyncedTenant, say: (note: FetchNote | FetchExchange) => void) {
    this.#tenant = tenant;
    this.#say = say;
  }

  /** @see UserSource.fetch */
  async fetch(basis: Basis | undefined, signal: AbortSignal): Promise<FetchedPolicy | Unchanged> {
    try {
      const text = await this.#readIdentities(signal);
      const recipe = this.#recipe(text);
      // A list that has not changed says nothing when the rest has.
      const validators = basis?.recipe === recipe ? basis.validators : undefined;
      const list = await (await this.#connect()).listUsers(signal, validators);
      if (list === 'not-modified') return { changed: false };
      const { validators: given, maxAgeMs } = list;
      const next = { validators: given, recipe, users: digestOf(list.users) };
      if (basis?.recipe === recipe && basis.users === next.users) return { changed: false, basis: next, maxAgeMs };
      const identities = text === undefined ? undefined : this.#parse(text, recipe);
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
      const kept = { ...problems, first: problems.first.slice(0, maxKept) };
      const details = { basis: next, unmatched, problems: kept };
      return { changed: true, bytes, sha256, revision, users, details, maxAgeMs };
    } catch (error) {
      signal.throwIfAborted();
      throw toSyncError(error);
    }
  }

  /** Says all that could not be used, once for each content. */
  #tell({ count, first }: Problems, content: string): void {
    if (this.#told === content) return;
    this.#told = content;
    const { tenant } = this.#tenant;
    const message = 'some users or identities could not be used';
    for (let from = 0; from < first.length; from += problemsPerLine) {
      const some = first.slice(from, from + problemsPerLine);
      const problems = some.map(({ path, message: text }) => `${path}: ${text}`);
      this.#say({ level: 'warn', message, fields: { tenant, count, from: from + 1, problems } });
    }
    const untold = count - first.length;
    if (untold > 0)
      this.#say({ level: 'warn', message: `${message}, more than are listed`, fields: { tenant, untold } });
  }

  /** The client that knows what the files hold now; its tokens are kept for as long as they hold the same. */
  async #connect(): Promise<ProviderClient> {
    const { provider, policy, tenant } = this.#tenant;
    const { entraTenantId, clientId, authority, resourceAppId, apiBaseUrl, trustFile } = provider;
    const material = {
      credential: await readCredential(provider),
      ...(trustFile !== undefined && { trust: await readFile(trustFile, 'utf8') }),
    };
    const digest = createHash('sha256').update(JSON.stringify(material)).digest('hex');
    if (this.#client !== undefined && this.#material === digest) return this.#client;
    await this.#client?.close();
    this.#material = digest;
    const { credential, ...trust } = material;
    this.#client = new ProviderClient({
      ...{ entraTenantId, clientId, authority, resourceAppId, apiBaseUrl, ...trust },
      credential: 'secret' in credential ? { secret: () => credential.secret } : credential,
      // Who polls often wants to know soon that nothing comes.
      limits: {
        requestTimeoutMs: between(5_000, policy.pollIntervalMs, 30_000),
        callTimeoutMs: between(30_000, 10 * policy.pollIntervalMs, 300_000),
      },
      onExchange: (exchange) => this.#say({ exchange }),
      log: (level, message, fields) => this.#say({ level, message, fields: { tenant, ...fields } }),
    });
    return this.#client;
  }

  get #country() {
    const { defaultCountry } = this.#tenant.policy;
    return defaultCountry !== undefined && isCountryCode(defaultCountry) ? { defaultCountry } : {};
  }

  async #readIdentities(signal: AbortSignal): Promise<string | undefined> {
    const { identitiesFile } = this.#tenant.policy;
    return identitiesFile === undefined ? undefined : await readFile(identitiesFile, { encoding: 'utf8', signal });
  }

  #parse(text: string, recipe: string): Identities {
    const { identitiesFile = '', identityErrors: onError } = this.#tenant.policy;
    const format = /\.json$/i.test(identitiesFile) ? 'json' : 'csv';
    try {
      return parseIdentities(text, format, { onError, ...this.#country, source: identitiesFile });
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error;
      this.#tell({ count: error.count, first: error.problems }, `refused ${recipe}`);
      throw new SyncError('identities-refused', error.message);
    }
  }

  #recipe(identities: string | undefined): string {
    const { policy, provider } = this.#tenant;
    const { entraTenantId, clientId, apiBaseUrl } = provider;
    const asked = [entraTenantId, clientId, apiBaseUrl];
    const made = [policy.defaultCountry, policy.identityErrors, identities === undefined];
    const settings = JSON.stringify([recipeVersion, asked, made]);
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

function together(identities: Problems | undefined, others: Problems): Problems {
  const first = [...(identities?.first ?? []), ...others.first].slice(0, maxTold);
  return { count: (identities?.count ?? 0) + others.count, first };
}

/** Either is plain text, so that it can be compared. */
type Credential = { readonly secret: string } | { readonly certificatePem: string; readonly privateKeyPem: string };

async function readCredential(provider: SyncedTenant['provider']): Promise<Credential> {
  const { clientSecretFile, clientCertificateFile, clientKeyFile } = provider;
  if (clientSecretFile !== undefined) return { secret: (await readFile(clientSecretFile, 'utf8')).trim() };
  return {
    certificatePem: await readFile(clientCertificateFile ?? '', 'utf8'),
    privateKeyPem: await readFile(clientKeyFile ?? '', 'utf8'),
  };
}

function between(least: number, wanted: number, most: number): number {
  return Math.min(most, Math.max(least, wanted));
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
