/**
 * HTTPS for Entra and the API: one exchange, with a deadline and a bound on the body, over authorities that we trust. It follows
 * no redirect, so that whatever a request carries goes to the URL it was meant for. It knows neither tokens nor retries.
 */
import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { Agent } from 'undici';
import { withDeadline } from './deadline.js';
import { ProviderError } from './provider-error.js';
import type { ProviderClientOptions, ProviderExchange, ProviderLimits } from './provider-options.js';

/** Names in lower case; several lines of one name joined by a comma. */
export type HttpHeaders = Readonly<Record<string, string>>;

export interface HttpRequest {
  readonly operation: ProviderExchange['operation'];
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: HttpHeaders;
  readonly body?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly body: Buffer;
}

export class HttpClient {
  readonly #agent: Agent;
  readonly #limits: ProviderLimits;
  readonly #onExchange: ProviderClientOptions['onExchange'];

  constructor(
    limits: ProviderLimits,
    trust: Pick<ProviderClientOptions, 'trust' | 'onlyTrust'>,
    onExchange: ProviderClientOptions['onExchange'],
  ) {
    this.#limits = limits;
    this.#onExchange = onExchange;
    const own = trust.trust === undefined ? [] : [readable(trust.trust)];
    const ca = trust.onlyTrust ? own : [...rootCertificates, ...own];
    // Without own trust Node decides, and NODE_EXTRA_CA_CERTS counts.
    this.#agent = new Agent({
      connections: 4,
      connect: {
        timeout: limits.requestTimeoutMs,
        ...((own.length > 0 || trust.onlyTrust) && { ca }),
        rejectUnauthorized: true,
      },
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /** Throws ProviderError `unreachable`, `timeout` or `bad-answer` (the answer is too large), or the signal's reason. */
  async exchange(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const { requestTimeoutMs } = this.#limits;
    const late = () =>
      new ProviderError('timeout', `${where(request)} did not answer completely within ${requestTimeoutMs} ms.`);
    const started = performance.now();
    const tell = (status: ProviderExchange['status']) =>
      this.#onExchange?.({ operation: request.operation, status, seconds: (performance.now() - started) / 1_000 });
    try {
      const answer = await withDeadline(signal, requestTimeoutMs, late, async (bounded) => {
        try {
          return await this.#exchange(request, bounded);
        } catch (error) {
          if (error instanceof ProviderError || bounded.aborted) throw error;
          throw new ProviderError('unreachable', `${where(request)} can't be reached: ${reasonOf(error)}.`);
        }
      });
      tell(answer.status);
      return answer;
    } catch (error) {
      const code = error instanceof ProviderError ? error.code : 'cancelled';
      tell(code === 'unreachable' || code === 'timeout' || code === 'bad-answer' ? code : 'cancelled');
      throw error;
    }
  }

  async #exchange(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const { method, url, headers, body } = request;
    const answer = await this.#agent.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method,
      headers: { 'accept-encoding': 'identity', ...headers },
      signal,
      ...(body !== undefined && { body }),
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of answer.body) {
      bytes += chunk.length;
      // Leaving the loop destroys the body and with it the connection.
      if (bytes > this.#limits.maxBodyBytes) throw tooLarge(request, this.#limits.maxBodyBytes);
      chunks.push(chunk);
    }
    return { status: answer.statusCode, headers: joined(answer.headers), body: Buffer.concat(chunks, bytes) };
  }

  /** Ends every exchange under way; idempotent. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

/** Node skips what it can't read without a word, and the servers would be strangers. */
function readable(pem: string): string {
  try {
    return new X509Certificate(pem) && pem;
  } catch {
    throw new ProviderError('misconfigured', 'trust is not readable PEM.');
  }
}

function where({ method, url }: HttpRequest): string {
  return `${method} ${url.origin}${url.pathname}`;
}

function tooLarge(request: HttpRequest, limit: number): ProviderError {
  return new ProviderError('bad-answer', `${where(request)} answers with more than ${limit} bytes.`);
}

function joined(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), [value ?? ''].flat().join(', ')]);
  return Object.fromEntries(entries);
}

/** What the network said. A failed attempt on several addresses is an AggregateError with an empty message. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  const text = error instanceof Error ? error.message || error.name : String(error);
  const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
  return `${text.replace(/\s+/g, ' ').slice(0, 200)}${code}`;
}
