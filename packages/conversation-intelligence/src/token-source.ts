/** Access tokens for the API by the client-credentials grant (RFC 6749 §4.4); msal caches them. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { ConfidentialClientApplication, type NodeAuthOptions } from '@azure/msal-node';
import { tokenWarnings } from './access-token.js';
import { EntraNetwork } from './entra-network.js';
import type { EntraIdentity } from './entra-refusal.js';
import type { HttpClient } from './http-client.js';
import { oneLine } from './problem.js';
import { ProviderError } from './provider-error.js';
import {
  type ClientCredential,
  defaultAuthority,
  defaultResourceAppId,
  httpsUrl,
  type ProviderClientOptions,
  type ProviderLimits,
} from './provider-options.js';
import type { Redactor } from './redactor.js';

/** Authorities that stand for many tenants; the client-credentials grant needs one. */
const sharedTenants = /^(?:common|organizations|consumers)$/i;

export class TokenSource {
  readonly #options: ProviderClientOptions;
  readonly #identity: EntraIdentity;
  readonly #authority: URL;
  readonly #network: EntraNetwork;
  readonly #redactor: Redactor;
  readonly #warned = new Set<string>();
  #application: { readonly secret: string; readonly msal: ConfidentialClientApplication } | undefined;

  /** ProviderError `misconfigured` names the option that can't be used. */
  constructor(options: ProviderClientOptions, http: HttpClient, redactor: Redactor, limits: ProviderLimits) {
    const { entraTenantId, clientId, resourceAppId = defaultResourceAppId, authority = defaultAuthority } = options;
    if (!/^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(entraTenantId) || sharedTenants.test(entraTenantId))
      throw misconfigured(`entraTenantId must be a tenant's id or domain, not ${JSON.stringify(entraTenantId)}.`);
    if (clientId === '') throw misconfigured('clientId is empty.');
    this.#authority = httpsUrl('authority', authority);
    if (this.#authority.pathname !== '/') throw misconfigured('authority must have no path: the tenant is put there.');
    if ('certificatePem' in options.credential) checkCertificate(options.credential);
    this.#options = options;
    this.#identity = { entraTenantId, clientId, resourceAppId };
    this.#redactor = redactor;
    this.#network = new EntraNetwork({
      http,
      origin: this.#authority.origin,
      identity: this.#identity,
      redactor,
      now: options.now ?? Date.now,
      maxRetryAfterMs: limits.maxRetryAfterMs,
    });
  }

  /**
   * The cached token, or a new one: when there is none, when it is about to expire, or when `refresh` says that the API refused
   * it. Throws ProviderError or the signal's reason.
   */
  async acquire(signal: AbortSignal, refresh: boolean): Promise<string> {
    try {
      const msal = this.#msal();
      const result = await this.#network.run(signal, () =>
        msal.acquireTokenByClientCredential({
          scopes: [`${this.#identity.resourceAppId}/.default`],
          skipCache: refresh,
          // Or an environment variable of the process would send the secret to a regional host.
          azureRegion: 'DisableMsalForceRegion',
        }),
      );
      const token = result?.accessToken;
      if (!token) throw new ProviderError('entra-unreachable', 'Entra answers without a token.');
      this.#redactor.remember(token);
      this.#warn(token);
      return token;
    } catch (error) {
      // msal remembers failures and refuses the next attempts by itself for up to an hour; our caller knows how long to wait.
      this.#application = undefined;
      signal.throwIfAborted();
      if (error instanceof ProviderError) throw error;
      throw new ProviderError('entra-refused', `No token: ${oneLine(this.#redactor.clean(String(error)))}`);
    }
  }

  #msal(): ConfidentialClientApplication {
    const secret = this.#secret();
    if (this.#application?.secret === secret) return this.#application.msal;
    const { clientId, entraTenantId } = this.#identity;
    const msal = new ConfidentialClientApplication({
      auth: {
        clientId,
        authority: new URL(entraTenantId, this.#authority).href,
        // Otherwise msal asks login.microsoftonline.com whether a foreign authority is a good one.
        knownAuthorities: [this.#authority.host],
        ...credentialOf(this.#options.credential, secret),
      },
      system: { networkClient: this.#network, disableInternalRetries: true },
    });
    this.#application = { secret, msal };
    return msal;
  }

  /** The secret as it is now, without the line end that files have; empty for a certificate. */
  #secret(): string {
    const { credential } = this.#options;
    if (!('secret' in credential)) return '';
    let secret: string;
    try {
      secret = credential.secret().trim();
    } catch (error) {
      throw misconfigured(`The client secret can't be read: ${oneLine(String(error))}.`);
    }
    if (secret === '') throw misconfigured('The client secret is empty.');
    this.#redactor.remember(secret);
    return secret;
  }

  #warn(token: string): void {
    for (const warning of tokenWarnings(token, this.#identity.resourceAppId)) {
      if (this.#warned.has(warning)) continue;
      this.#warned.add(warning);
      this.#options.log?.('warn', warning, { clientId: this.#identity.clientId });
    }
  }
}

function credentialOf(credential: ClientCredential, secret: string): Partial<NodeAuthOptions> {
  if ('secret' in credential) return { clientSecret: secret };
  const { certificatePem, privateKeyPem } = credential;
  const thumbprintSha256 = new X509Certificate(certificatePem).fingerprint256.replaceAll(':', '');
  return { clientCertificate: { thumbprintSha256, privateKey: privateKeyPem, x5c: certificatePem } };
}

/** Entra takes assertions signed by RSA alone (PS256); the mistake must show at the start and not at the first poll. */
function checkCertificate({ certificatePem, privateKeyPem }: { certificatePem: string; privateKeyPem: string }): void {
  let matches: boolean;
  let keyType: string | undefined;
  try {
    const key = createPrivateKey(privateKeyPem);
    keyType = key.asymmetricKeyType;
    matches = new X509Certificate(certificatePem).checkPrivateKey(key);
  } catch {
    // OpenSSL's own words can quote the input.
    throw misconfigured('The client certificate or its private key is not readable PEM.');
  }
  if (keyType !== 'rsa') throw misconfigured(`The client certificate's key must be RSA for Entra, not ${keyType}.`);
  if (!matches) throw misconfigured('The private key does not belong to the client certificate.');
}

function misconfigured(message: string): ProviderError {
  return new ProviderError('misconfigured', message);
}
