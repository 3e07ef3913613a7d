/**
 * The user's session: tokens of an OpenID Connect issuer, had by authorization code and PKCE (RFC 7636), renewed while the issuer gives
 * refresh tokens. They live as long as the browser's tab (sessionStorage), never in a URL, and are sent to nobody but the gateway and
 * the issuer.
 */
import * as oauth from 'oauth4webapi';
import { ApiError, asApiError } from '../api/api-error.js';
import type { ConsoleConfig } from '../api/shapes.js';

/** What is kept of a session. */
interface Tokens {
  readonly accessToken: string;
  readonly refreshToken?: string;
  /** Unix milliseconds. */
  readonly expiresAt: number;
  readonly name: string;
  /** Who it is for the issuer; names may be the same. */
  readonly subject: string;
}

/** What has to be known when the issuer sends the user back. */
interface Journey {
  readonly verifier: string;
  readonly state: string;
  readonly nonce: string;
}

/** A token is renewed so long before it ends. */
const renewBeforeMs = 60_000;

/** Where the issuer told no lifetime. */
const assumedLifetimeS = 300;

export class Session {
  readonly #config: ConsoleConfig;
  readonly #storage: Storage;
  readonly #redirectUri: string;
  #tokens: Tokens | undefined;
  #renewing: Promise<Tokens> | undefined;

  /**
   * @param storage of the tab
   * @param redirectUri the page's own URL, without query, as the issuer knows it
   */
  constructor(config: ConsoleConfig, storage: Storage, redirectUri: string) {
    this.#config = config;
    this.#storage = storage;
    this.#redirectUri = redirectUri;
    this.#tokens = stored<Tokens>(storage, 'session');
  }

  /** Who is signed in; undefined when nobody is. */
  get user(): string | undefined {
    return this.#tokens?.name;
  }

  /** The one who is signed in, apart from everybody else; empty when nobody is. */
  get subject(): string {
    return this.#tokens?.subject ?? '';
  }

  /**
   * A valid access token. Rejects with `signed-out` when the session has ended, else when the issuer can't be asked for one now.
   * @param refused one that was refused although it looked valid: it is renewed
   */
  async token(refused?: string): Promise<string> {
    const tokens = this.#tokens;
    if (tokens === undefined) throw signedOut();
    const isRefused = tokens.accessToken === refused;
    if (!isRefused && Date.now() < tokens.expiresAt - renewBeforeMs) return tokens.accessToken;
    const isGood = !isRefused && Date.now() < tokens.expiresAt;
    if (tokens.refreshToken === undefined) {
      if (isGood) return tokens.accessToken;
      throw signedOut();
    }
    this.#renewing ??= this.#renew(tokens, tokens.refreshToken).finally(() => {
      this.#renewing = undefined;
    });
    try {
      return (await this.#renewing).accessToken;
    } catch (cause) {
      // An issuer that is away for a while harms nothing before the old one runs out.
      if (isGood && asApiError(cause).code !== 'signed-out') return tokens.accessToken;
      throw cause;
    }
  }

  /** Where to send the user to sign in. Throws ApiError when the issuer can't be asked. */
  async begin(): Promise<URL> {
    const { authorization_endpoint: endpoint } = await this.#issuer();
    if (endpoint === undefined) throw new ApiError('malformed', 'The issuer has no sign-in page.');
    const journey = {
      verifier: oauth.generateRandomCodeVerifier(),
      state: oauth.generateRandomState(),
      nonce: oauth.generateRandomNonce(),
    };
    this.#storage.setItem('journey', JSON.stringify(journey));
    const url = new URL(endpoint);
    const parameters = {
      client_id: this.#config.clientId,
      redirect_uri: this.#redirectUri,
      response_type: 'code',
      scope: this.#config.scope,
      state: journey.state,
      nonce: journey.nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(journey.verifier),
      code_challenge_method: 'S256',
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return url;
  }

  /** Takes what the issuer sent the user back with. Throws ApiError when it is refused, or belongs to no sign-in begun here. */
  async complete(returned: URL): Promise<void> {
    const journey = stored<Journey>(this.#storage, 'journey');
    this.#storage.removeItem('journey');
    if (journey === undefined)
      throw new ApiError('refused', 'This sign-in was not begun here, or has been used already.');
    const [server, client] = [await this.#issuer(), { client_id: this.#config.clientId }];
    try {
      const parameters = oauth.validateAuthResponse(server, client, returned, journey.state);
      const response = await oauth.authorizationCodeGrantRequest(
        server,
        client,
        oauth.None(),
        parameters,
        this.#redirectUri,
        journey.verifier,
        this.#transport(),
      );
      const checks = { expectedNonce: journey.nonce, requireIdToken: true };
      this.#keep(await oauth.processAuthorizationCodeResponse(server, client, response, checks));
    } catch (cause) {
      throw new ApiError('refused', `The sign-in failed: ${reasonOf(cause)}.`);
    }
  }

  /** Forgets the tokens; a renewal on its way comes to nothing. */
  end(): void {
    this.#tokens = undefined;
    this.#storage.removeItem('session');
  }

  async #renew(tokens: Tokens, refreshToken: string): Promise<Tokens> {
    const renewed = await this.#refreshed(refreshToken);
    // Whoever has signed out meanwhile stays signed out.
    if (this.#tokens !== tokens) throw signedOut();
    return this.#keep(renewed, tokens);
  }

  async #refreshed(refreshToken: string): Promise<oauth.TokenEndpointResponse> {
    const [server, client] = [await this.#issuer(), { client_id: this.#config.clientId }];
    try {
      const response = await oauth.refreshTokenGrantRequest(
        server,
        client,
        oauth.None(),
        refreshToken,
        this.#transport(),
      );
      return await oauth.processRefreshTokenResponse(server, client, response);
    } catch (cause) {
      // Only the issuer's own refusal ends the session: whatever else it is, the next request tries again.
      if (cause instanceof oauth.ResponseBodyError && cause.status < 500) throw signedOut();
      throw new ApiError('offline', 'The issuer can’t be reached.');
    }
  }

  #keep(response: oauth.TokenEndpointResponse, before: Partial<Tokens> = {}): Tokens {
    const claims = oauth.getValidatedIdTokenClaims(response);
    const names = [claims?.['name'], claims?.['preferred_username'], before.name, 'signed in'];
    const refreshToken = response.refresh_token ?? before.refreshToken;
    const tokens: Tokens = {
      accessToken: response.access_token,
      expiresAt: Date.now() + (response.expires_in ?? assumedLifetimeS) * 1_000,
      name: names.find((text) => typeof text === 'string') ?? '',
      subject: claims?.sub ?? before.subject ?? '',
      ...(refreshToken !== undefined && { refreshToken }),
    };
    this.#tokens = tokens;
    this.#storage.setItem('session', JSON.stringify(tokens));
    return tokens;
  }

  async #issuer(): Promise<oauth.AuthorizationServer> {
    const issuer = new URL(this.#config.authority);
    try {
      const response = await oauth.discoveryRequest(issuer, this.#transport());
      if (response.status >= 500) throw new ApiError('unavailable', `The issuer answered ${response.status}.`);
      return await oauth.processDiscoveryResponse(issuer, response);
    } catch (cause) {
      if (cause instanceof ApiError) throw cause;
      // No connection, or no answer in time.
      if (cause instanceof TypeError || cause instanceof DOMException)
        throw new ApiError('offline', 'The issuer can’t be reached.');
      throw new ApiError('malformed', `The issuer's description is of no use: ${reasonOf(cause)}.`);
    }
  }

  /** Plain HTTP is for an issuer on this very machine. */
  #transport(): { readonly [oauth.allowInsecureRequests]: boolean; readonly signal: AbortSignal } {
    const { protocol, hostname } = new URL(this.#config.authority);
    const isHere = protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
    return { [oauth.allowInsecureRequests]: isHere, signal: AbortSignal.timeout(10_000) };
  }
}

function signedOut(): ApiError {
  return new ApiError('signed-out', 'Your session has ended.');
}

/** Undefined where there is nothing, or something of which nothing can be made: it is begun anew then. */
function stored<Value extends object>(storage: Storage, key: string): Value | undefined {
  try {
    const value: unknown = JSON.parse(storage.getItem(key) ?? 'null');
    return value !== null && typeof value === 'object' ? (value as Value) : undefined;
  } catch {
    return undefined;
  }
}

/** In the issuer's words where it gave some. */
function reasonOf(cause: unknown): string {
  if (cause instanceof oauth.AuthorizationResponseError || cause instanceof oauth.ResponseBodyError)
    return cause.error_description ?? cause.error;
  return cause instanceof Error ? cause.message.replace(/\.$/, '') : 'for an unknown reason';
}
