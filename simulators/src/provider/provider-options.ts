/** Options of the provider simulator and what they are by default. */
import type { ProviderFault } from './provider-fault.js';

/** The app registration that the simulated Entra knows. At least one of secret and certificate has to be there. */
export interface SimulatedApp {
  readonly clientId: string;
  readonly secret?: string;
  /** PEM of the certificate whose key signs client assertions. */
  readonly certificatePem?: string;
}

export interface ProviderSimulatorOptions {
  /** Server certificate (with its chain) and key, PEM files. */
  readonly tls: { readonly certFile: string; readonly keyFile: string };
  /** Address to listen on; 127.0.0.1. */
  readonly host?: string;
  /** TCP port; any free one. */
  readonly port?: number;
  /** The name in URLs that the simulator gives out, as the certificate has it; the address. */
  readonly publicHost?: string;
  readonly entraTenantId: string;
  readonly app: SimulatedApp;
  /** The resource that tokens are for; that of the real API. */
  readonly resourceAppId?: string;
  /** Elements of the users answer, as they go out; none. */
  readonly users?: readonly unknown[];
  /** Users per page: then the answer is an object with `value` and `@odata.nextLink`, else an array. */
  readonly pageSize?: number;
  /** Whether the users answer has an ETag; true. */
  readonly etag?: boolean;
  /** Cache-Control of the users answer; none. */
  readonly maxAgeS?: number;
  readonly tokenLifetimeS?: number;
  /** How to misbehave; not at all. */
  readonly fault?: ProviderFault;
}

export const PROVIDER_DEFAULTS = {
  host: '127.0.0.1',
  port: 0,
  resourceAppId: 'f448d7e5-e313-4f90-a3eb-5dbb3277e4b3',
  tokenLifetimeS: 3_599,
} as const;

/** Requests and findings that are remembered, the newest. */
export const maxRemembered = 10_000;
/** The largest request body that is read. */
export const maxRequestBytes = 1024 * 1024;
