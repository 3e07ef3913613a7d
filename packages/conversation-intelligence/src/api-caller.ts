/** One request to the provider API with everything that belongs to it: token, retries, and statuses turned into errors. */
import { retryAfterMs } from './answer-headers.js';
import { pause } from './deadline.js';
import type { HttpAnswer, HttpClient, HttpRequest } from './http-client.js';
import { problemOf } from './problem.js';
import { ProviderError } from './provider-error.js';
import type { ProviderLimits, ProviderLog, RetryPolicy } from './provider-options.js';
import type { Redactor } from './redactor.js';
import type { TokenSource } from './token-source.js';

export interface ApiCallerParts {
  readonly http: HttpClient;
  readonly tokens: TokenSource;
  readonly redactor: Redactor;
  readonly limits: ProviderLimits;
  readonly retry: RetryPolicy;
  readonly now: () => number;
  readonly log?: ProviderLog;
}

/** Which of two attempts at authorisation this is: the API may refuse a token once, because a clock differs or keys were rolled. */
export interface Authorization {
  refreshed: boolean;
}

export class ApiCaller {
  readonly #parts: ApiCallerParts;

  constructor(parts: ApiCallerParts) {
    this.#parts = parts;
  }

  /**
   * Sends a request until it gets one of the `wanted` statuses.
   *
   * @param authorization shared by the requests of one call, so that the call refreshes its token once at most.
   * @throws ProviderError, or the signal's reason.
   */
  async send(
    request: HttpRequest,
    wanted: (status: number) => boolean,
    authorization: Authorization,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const { retry, log } = this.#parts;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#authorized(request, wanted, authorization, signal);
      } catch (error) {
        if (!(error instanceof ProviderError) || attempt >= retry.attempts || !isTransient(error)) throw error;
        const waitMs = error.retryAfterMs ?? retry.baseMs * 2 ** (attempt - 1) * (0.5 + Math.random());
        if (waitMs > retry.maxWaitMs) throw error;
        log?.('info', 'trying again', { code: error.code, reason: error.message, attempt, waitMs: Math.round(waitMs) });
        await pause(waitMs, signal);
      }
    }
  }

  async #authorized(
    request: HttpRequest,
    wanted: (status: number) => boolean,
    authorization: Authorization,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const { http, tokens } = this.#parts;
    for (let refresh = false; ; refresh = true) {
      const token = await tokens.acquire(signal, refresh);
      const headers = { ...request.headers, authorization: `Bearer ${token}` };
      const answer = await http.exchange({ ...request, headers }, signal);
      if (wanted(answer.status)) return answer;
      if (answer.status !== 401 || authorization.refreshed) throw this.#failure(request, answer);
      authorization.refreshed = true;
    }
  }

  #failure({ method, url }: HttpRequest, answer: HttpAnswer): ProviderError {
    const { redactor, limits, now } = this.#parts;
    const { status } = answer;
    const said = problemOf(answer, redactor.clean);
    const [code, advice] = meaningOf(status);
    const waitMs = retryAfterMs(answer.headers, now(), limits.maxRetryAfterMs);
    const text = `${method} ${url.origin}${url.pathname} answers ${status}: ${advice}${said === '' ? '' : `. It says: ${said}`}`;
    return new ProviderError(code, text, { status, ...(waitMs !== undefined && { retryAfterMs: waitMs }) });
  }
}

/** An answer that came whole and wrong will be wrong in a second, too. */
function isTransient({ code, retryable }: ProviderError): boolean {
  return retryable && code !== 'bad-answer';
}

function meaningOf(status: number): [ConstructorParameters<typeof ProviderError>[0], string] {
  if (status === 401) return ['unauthorized', 'it refuses a fresh token; check resourceAppId and the clocks'];
  if (status === 403)
    return [
      'forbidden',
      'an administrator must grant admin consent for Users.Read.All of "Media Recording for Dynamics 365 Sales"',
    ];
  if (status === 404) return ['not-found', 'check apiBaseUrl'];
  if (status === 408) return ['timeout', 'it timed out'];
  if (status === 429) return ['throttled', 'it wants fewer requests'];
  if (status >= 500) return ['server-error', 'it is out of order'];
  if (status >= 400) return ['rejected', 'it does not accept the request'];
  return ['bad-answer', 'an answer that the API does not give; check apiBaseUrl'];
}
