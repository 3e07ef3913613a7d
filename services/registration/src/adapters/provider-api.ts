// The provider API, asked with what the tenant's files hold at the moment.
import { readFile } from 'node:fs/promises';
import {
  type ClientCredential,
  ProviderClient,
  ProviderError,
  type ProviderExchange,
} from '@sidestream/conversation-intelligence';
import type { Logger, ProviderConfig } from '@sidestream/service';
import type { JsonObject } from '@sidestream/tenant-registration';
import { type Outcome, type Provider, ProviderFailure } from '../domain/ports.js';

const limits = { requestTimeoutMs: 15_000, callTimeoutMs: 45_000 };

export class ProviderApi implements Provider {
  readonly #tenants: ReadonlyMap<string, { readonly provider: ProviderConfig }>;
  readonly #log: Logger;
  readonly #onExchange: (exchange: ProviderExchange) => void;

  constructor(
    tenants: ReadonlyMap<string, { readonly provider: ProviderConfig }>,
    log: Logger,
    onExchange: (exchange: ProviderExchange) => void,
  ) {
    this.#tenants = tenants;
    this.#log = log;
    this.#onExchange = onExchange;
  }

  async register(tenant: string, body: JsonObject, signal: AbortSignal): Promise<Outcome> {
    const provider = this.#tenants.get(tenant)?.provider;
    if (provider === undefined)
      throw new ProviderFailure('misconfigured', `no provider of '${tenant}'`, { retryable: false });
    let client: ProviderClient | undefined;
    try {
      // Requests are rare: a client of its own for each sees the credentials and authorities of now.
      client = await this.#client(tenant, provider);
      return (await client.registerTenant(body, signal)).outcome;
    } catch (error) {
      throw error instanceof ProviderError ? failure(error) : error;
    } finally {
      await client?.close();
    }
  }

  async #client(tenant: string, provider: ProviderConfig): Promise<ProviderClient> {
    const { entraTenantId, clientId, authority, resourceAppId, apiBaseUrl, trustFile } = provider;
    try {
      return new ProviderClient({
        entraTenantId,
        clientId,
        authority,
        resourceAppId,
        apiBaseUrl,
        limits,
        credential: await credentialOf(provider),
        ...(trustFile !== undefined && { trust: await readFile(trustFile, 'utf8') }),
        onExchange: this.#onExchange,
        log: (level, message, fields) => this.#log[level]({ tenant, ...fields }, message),
      });
    } catch (error) {
      if (error instanceof ProviderError) throw error;
      // A file that is being replaced.
      throw new ProviderFailure('misconfigured', error instanceof Error ? error.message : String(error), {
        retryable: true,
      });
    }
  }
}

async function credentialOf(provider: ProviderConfig): Promise<ClientCredential> {
  const { clientSecretFile, clientCertificateFile, clientKeyFile } = provider;
  if (clientSecretFile !== undefined) {
    const secret = (await readFile(clientSecretFile, 'utf8')).trim();
    return { secret: () => secret };
  }
  return {
    certificatePem: await readFile(clientCertificateFile ?? '', 'utf8'),
    privateKeyPem: await readFile(clientKeyFile ?? '', 'utf8'),
  };
}

function failure({ code, message, retryable, retryAfterMs }: ProviderError): ProviderFailure {
  return new ProviderFailure(code, message, { retryable, ...(retryAfterMs !== undefined && { retryAfterMs }) });
}
