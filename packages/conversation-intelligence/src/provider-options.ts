/** What a client of one tenant needs to know, and the defaults of all the rest. */
import { ProviderError } from './provider-error.js';

/** "Media Recording for Dynamics 365 Sales", the app whose API this is. Microsoft's page prints a placeholder in its place. */
export const defaultResourceAppId = 'f448d7e5-e313-4f90-a3eb-5dbb3277e4b3';
export const defaultAuthority = 'https://login.microsoftonline.com';
export const defaultApiBaseUrl = 'https://api.media.recording.dynamics.com';

/** How our app proves itself to Entra. `secret` is asked at each use, so that a rotated file needs no restart. */
export type ClientCredential =
  | { readonly secret: () => string }
  /** The certificate (with its chain, if any) that the app registration knows, and its RSA key. */
  | { readonly certificatePem: string; readonly privateKeyPem: string };

/** Where the client tells what it does; nothing secret is ever handed over. */
export type ProviderLog = (
  level: 'debug' | 'info' | 'warn',
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

/** One HTTP exchange that has ended. */
export interface ProviderExchange {
  /** What it was for: a token of Entra, the users of a tenant, the registration of a tenant. */
  readonly operation: 'token' | 'users' | 'tenants';
  /** The HTTP status, or why there is none. */
  readonly status: number | 'unreachable' | 'timeout' | 'bad-answer' | 'cancelled';
  readonly seconds: number;
}

/** Bounds of one call. A list that exceeds one is an error, never a shortened list. */
export interface ProviderLimits {
  /** One HTTP exchange, from connecting to the last byte. */
  readonly requestTimeoutMs: number;
  /** The whole call: tokens, retries, all pages. */
  readonly callTimeoutMs: number;
  /** One answer. */
  readonly maxBodyBytes: number;
  /** All pages of one list. */
  readonly maxListBytes: number;
  readonly maxPages: number;
  readonly maxUsers: number;
  /** The longest wait that Retry-After and max-age can ask for. */
  readonly maxRetryAfterMs: number;
}

/** Retries within one call; only short waits, the long ones are the caller's (`retryAfterMs`). */
export interface RetryPolicy {
  readonly attempts: number;
  /** First pause; doubles, with jitter. */
  readonly baseMs: number;
  /** A Retry-After above this is not waited for. */
  readonly maxWaitMs: number;
}

export interface ProviderClientOptions {
  /** Tenant id or a verified domain of the tenant; never `common`. */
  readonly entraTenantId: string;
  readonly clientId: string;
  readonly credential: ClientCredential;
  /** Entra's origin; another one for sovereign clouds and simulators. */
  readonly authority?: string;
  readonly resourceAppId?: string;
  readonly apiBaseUrl?: string;
  /** PEM of authorities to trust for Entra and API, in addition to the well-known ones. */
  readonly trust?: string;
  /** Trust nobody but `trust`. */
  readonly onlyTrust?: boolean;
  readonly limits?: Partial<ProviderLimits>;
  readonly retry?: Partial<RetryPolicy>;
  readonly log?: ProviderLog;
  /** Hears of every exchange, for measuring. */
  readonly onExchange?: (exchange: ProviderExchange) => void;
  /** The wall clock, ms; Retry-After dates are read against it when the answer has no Date. */
  readonly now?: () => number;
}

export const defaultLimits: ProviderLimits = {
  requestTimeoutMs: 30_000,
  callTimeoutMs: 300_000,
  maxBodyBytes: 64 * 1024 * 1024,
  maxListBytes: 1024 * 1024 * 1024,
  maxPages: 20_000,
  maxUsers: 2_000_000,
  maxRetryAfterMs: 3_600_000,
};

export const defaultRetry: RetryPolicy = { attempts: 3, baseMs: 500, maxWaitMs: 5_000 };

/** Reads an https: URL of the options; ProviderError `misconfigured` names the option. */
export function httpsUrl(option: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw new ProviderError('misconfigured', `${option} must be a plain https: URL, not ${JSON.stringify(text)}.`);
  return url;
}
