/** What msal sends goes through here: our HttpClient, our signal, and Entra's refusals read before msal wraps them. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { INetworkModule, NetworkRequestOptions, NetworkResponse } from '@azure/msal-node';
import { retryAfterMs } from './answer-headers.js';
import { type EntraIdentity, entraRefusal } from './entra-refusal.js';
import type { HttpAnswer, HttpClient } from './http-client.js';
import { problemOf } from './problem.js';
import { ProviderError } from './provider-error.js';
import type { Redactor } from './redactor.js';

/** One acquisition under way. msal takes no signal and hides what its network client throws, hence this side channel. */
interface Acquisition {
  readonly signal: AbortSignal;
  failure?: unknown;
}

export interface EntraNetworkParts {
  readonly http: HttpClient;
  readonly origin: string;
  readonly identity: EntraIdentity;
  readonly redactor: Redactor;
  readonly now: () => number;
  readonly maxRetryAfterMs: number;
}

export class EntraNetwork implements INetworkModule {
  readonly #parts: EntraNetworkParts;
  readonly #acquisition = new AsyncLocalStorage<Acquisition>();

  constructor(parts: EntraNetworkParts) {
    this.#parts = parts;
  }

  /** Runs one acquisition; when it fails, with what the network or Entra said if that is why. */
  async run<T>(signal: AbortSignal, acquire: () => Promise<T>): Promise<T> {
    const acquisition: Acquisition = { signal };
    try {
      return await this.#acquisition.run(acquisition, acquire);
    } catch (error) {
      throw acquisition.failure ?? error;
    }
  }

  async sendGetRequestAsync<T>(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    return await this.#send<T>('GET', url, options);
  }

  async sendPostRequestAsync<T>(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    return await this.#send<T>('POST', url, options);
  }

  async #send<T>(
    method: 'GET' | 'POST',
    text: string,
    options: NetworkRequestOptions = {},
  ): Promise<NetworkResponse<T>> {
    const acquisition = this.#acquisition.getStore();
    if (acquisition === undefined) throw new Error('Entra is asked outside of an acquisition');
    try {
      const url = new URL(text);
      // The token endpoint comes out of a discovery document; the secret goes to no other host than the configured one.
      if (url.origin !== this.#parts.origin)
        throw new ProviderError(
          'entra-refused',
          `Entra's discovery document leads to ${url.host}; if that is right, make it the authority.`,
        );
      const { headers = {}, body } = options;
      const request = { operation: 'token' as const, method, url, headers, ...(body !== undefined && { body }) };
      const answer = await this.#parts.http.exchange(request, acquisition.signal);
      return { status: answer.status, headers: { ...answer.headers }, body: this.#read(answer, url) as T };
    } catch (error) {
      acquisition.failure = unreachable(error);
      throw error;
    }
  }

  #read(answer: HttpAnswer, url: URL): object {
    const { identity, redactor, now, maxRetryAfterMs } = this.#parts;
    const { status } = answer;
    const problem = problemOf(answer, redactor.clean);
    const body = parsed(answer.body);
    const waitMs = retryAfterMs(answer.headers, now(), maxRetryAfterMs);
    const details = { status, ...(waitMs !== undefined && { retryAfterMs: waitMs }) };
    if (status === 429 || status === 408 || status >= 500)
      throw new ProviderError('entra-unreachable', `Entra is out of order (status ${status}): ${problem}`, details);
    // Entra speaks JSON; anything else is a proxy, a portal or a wrong host.
    if (body === undefined)
      throw new ProviderError(
        'entra-unreachable',
        `${url.href} answers ${status} with ${problem || 'nothing'}.`,
        details,
      );
    if ('error' in body || status !== 200) throw entraRefusal(problem, status, identity);
    return body;
  }
}

function parsed(body: Buffer): object | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Network failures get Entra's code, so that a caller can tell which of the two hosts is away. */
function unreachable(error: unknown): unknown {
  const isNetwork = error instanceof ProviderError && ['unreachable', 'timeout', 'bad-answer'].includes(error.code);
  return isNetwork ? new ProviderError('entra-unreachable', error.message) : error;
}
