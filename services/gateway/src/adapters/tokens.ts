// Tokens of the tenants' issuers: signatures by the keys that the issuer publishes, which are cached and fetched anew when an unknown key
// comes. Whatever is wrong with a token has one word of a closed list; the token itself is told to nobody.

import type { GatewaySection, Logger } from '@sidestream/service';
import { createRemoteJWKSet, customFetch, decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose';
import { z } from 'zod';
import { type Refusal, TokenRefused, type Tokens, type User } from '../domain/user.js';
import { type IssuerFetch, issuerFetch } from './issuer-fetch.js';
import { KeptKeys } from './kept-keys.js';

type Issuer = GatewaySection['issuers'][number];
interface Keys {
  readonly find: ReturnType<typeof createRemoteJWKSet>;
  readonly kept: KeptKeys;
}

/** Nobody signs with anything else, least of all with nothing. */
const algorithms = ['RS256', 'ES256'];
const maxTokenLength = 12_288;
const clockToleranceS = 30;
const fetchTimeoutMs = 5_000;
/** An unknown key makes us ask again, but not more often. */
const cooldownMs = 5_000;
/** `liveMs`: how long keys are not asked for again. `keptMs`: how long they are used while the issuer can not be asked. */
const defaultTimes = { liveMs: 600_000, keptMs: 86_400_000 };

const discovery = z.object({ issuer: z.string(), jwks_uri: z.url() });

export class IssuerTokens implements Tokens {
  readonly #issuers: ReadonlyMap<
    string,
    { readonly issuer: Issuer; readonly fetch: IssuerFetch; keys?: Promise<Keys> }
  >;
  readonly #keyTimes: typeof defaultTimes;

  constructor(issuers: readonly Issuer[], log: Logger, keyTimes = defaultTimes) {
    this.#keyTimes = keyTimes;
    this.#issuers = new Map(
      issuers.map((issuer, index) => {
        return [issuer.issuer, { issuer, fetch: issuerFetch(issuer, `gateway.issuers.${index}`, log) }];
      }),
    );
  }

  async verify(token: string): Promise<User> {
    const known = this.#issuers.get(issuerOf(token));
    if (known === undefined) throw new TokenRefused('unknown-issuer');
    const { issuer } = known;
    let keys: Keys;
    try {
      known.keys ??= keysOf(issuer, known.fetch, this.#keyTimes);
      keys = await known.keys;
    } catch {
      delete known.keys;
      throw new TokenRefused('issuer-unavailable');
    }
    try {
      const { payload } = await jwtVerify(token, keys.find, {
        algorithms,
        issuer: issuer.issuer,
        audience: issuer.audience,
        clockTolerance: clockToleranceS,
        requiredClaims: ['exp'],
      });
      return userOf(payload, issuer);
    } catch (error) {
      // It may be signed with a key that the issuer has only now.
      if (error instanceof errors.JWKSNoMatchingKey && !keys.kept.isCurrent)
        throw new TokenRefused('issuer-unavailable');
      throw error instanceof TokenRefused ? error : new TokenRefused(refusalOf(error));
    }
  }
}

function issuerOf(token: string): string {
  try {
    if (token.length > maxTokenLength) throw new TokenRefused('malformed');
    return decodeJwt(token).iss ?? '';
  } catch {
    throw new TokenRefused('malformed');
  }
}

async function keysOf(
  { issuer, jwksUri }: Issuer,
  fetch: IssuerFetch,
  { liveMs, keptMs }: typeof defaultTimes,
): Promise<Keys> {
  const kept = new KeptKeys(fetch, keptMs);
  const options = {
    timeoutDuration: fetchTimeoutMs,
    cooldownDuration: cooldownMs,
    cacheMaxAge: liveMs,
    [customFetch]: (url: string, { signal }: { signal: AbortSignal }) => kept.get(url, signal),
  };
  const keysAt = (url: string): Keys => ({ find: createRemoteJWKSet(new URL(url), options), kept });
  if (jwksUri !== undefined) return keysAt(jwksUri);
  const at = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const response = await fetch(at, AbortSignal.timeout(fetchTimeoutMs));
  const document = discovery.parse(await response.json());
  if (document.issuer !== issuer) throw new Error(`${at} speaks for ${document.issuer}`);
  return keysAt(document.jwks_uri);
}

function userOf(payload: JWTPayload, { tenant, sellerClaim, operatorRole }: Issuer): User {
  const seller = payload[sellerClaim];
  if (typeof seller !== 'string' || seller === '' || seller.length > 256) throw new TokenRefused('no-seller');
  const { roles } = payload as { roles?: unknown };
  const operator = Array.isArray(roles) && roles.includes(operatorRole);
  return { tenant, seller, operator, expiresAtMs: (payload.exp ?? 0) * 1_000 };
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud') return 'wrong-audience';
    return error.claim === 'nbf' ? 'not-yet-valid' : 'malformed';
  }
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported) return 'bad-algorithm';
  if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWKSNoMatchingKey)
    return 'bad-signature';
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) return 'malformed';
  return 'issuer-unavailable';
}
