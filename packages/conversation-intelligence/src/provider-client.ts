/** The provider API of one tenant: registers it and lists the users to record. Knows no NATS, no config file and no policy. */
import { conditions, type Validators } from './answer-headers.js';
import { ApiCaller } from './api-caller.js';
import { withDeadline } from './deadline.js';
import { type HttpAnswer, HttpClient, type HttpHeaders } from './http-client.js';
import { pageOf } from './problem.js';
import { ProviderError } from './provider-error.js';
import {
  defaultApiBaseUrl,
  defaultLimits,
  defaultRetry,
  httpsUrl,
  type ProviderClientOptions,
  type ProviderLimits,
} from './provider-options.js';
import { Redactor } from './redactor.js';
import { TokenSource } from './token-source.js';
import { UserCollector, type UserList } from './user-collector.js';

/** Body of a registration, key for key as documented; `orgId` is the organization id of Dynamics 365. */
export interface TenantRegistration {
  readonly orgId: string;
  readonly Type: 'custom';
  readonly hosting: 'cloud' | 'on-premises';
  readonly displayName: string;
  readonly AuthenticationDetails: {
    /** Goes out as X-AccountId in every SIP message. */
    readonly AccountId: string;
    readonly CertificateSubjectName: string;
    readonly CertificateIssuer: string;
    /** Public address of the SIPREC client; 0.0.0.0 = any. */
    readonly SourceIPNetwork: string;
  };
}

export interface RegisterOutcome {
  /** 409 counts as success: what should be is. */
  readonly outcome: 'registered' | 'already-registered';
  readonly status: number;
  /** What the API answered: parsed if it is JSON, else its text; absent when empty. */
  readonly body?: unknown;
}

const common = { accept: 'application/json', 'user-agent': 'sidestream/0.1.0' };

export class ProviderClient {
  readonly #http: HttpClient;
  readonly #api: ApiCaller;
  readonly #base: URL;
  readonly #limits: ProviderLimits;
  readonly #redactor = new Redactor();

  /** Does no I/O. ProviderError `misconfigured` names the option that can't be used. */
  constructor(options: ProviderClientOptions) {
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#base = httpsUrl('apiBaseUrl', options.apiBaseUrl ?? defaultApiBaseUrl);
    if (!this.#base.pathname.endsWith('/')) this.#base.pathname += '/';
    this.#http = new HttpClient(this.#limits, options, options.onExchange);
    this.#api = new ApiCaller({
      http: this.#http,
      tokens: new TokenSource(options, this.#http, this.#redactor, this.#limits),
      redactor: this.#redactor,
      limits: this.#limits,
      retry: { ...defaultRetry, ...options.retry },
      now: options.now ?? Date.now,
      ...(options.log && { log: options.log }),
    });
  }

  /**
   * POST /api/v1.0/providers/tenants. A retry after a broken connection may find the tenant registered by the first attempt.
   *
   * @param body sent as it is; a plain record for APIs that want other keys than the documented ones.
   * @throws ProviderError; the signal's reason when it aborts.
   */
  async registerTenant(
    body: TenantRegistration | Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<RegisterOutcome> {
    const request = {
      operation: 'tenants' as const,
      method: 'POST' as const,
      url: new URL('api/v1.0/providers/tenants', this.#base),
      headers: { ...common, 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify(body),
    };
    const isDone = (status: number) => (status >= 200 && status < 300) || status === 409;
    const answer = await this.#bounded(signal, (bounded) =>
      this.#api.send(request, isDone, { refreshed: false }, bounded),
    );
    const page = pageOf(answer, this.#redactor.clean);
    if (page !== undefined)
      throw new ProviderError('bad-answer', `${request.url.href} answers with ${page}: check apiBaseUrl.`);
    const said = this.#readBody(answer);
    const outcome = answer.status === 409 ? 'already-registered' : 'registered';
    return { outcome, status: answer.status, ...(said !== undefined && { body: said }) };
  }

  /**
   * GET /api/v1.0/providers/users, all pages. An empty list means that nobody is to be recorded; whatever is not clearly the whole
   * list is an error.
   *
   * @param validators of the list that the caller has; `not-modified` can only come when they are given.
   * @throws ProviderError; the signal's reason when it aborts.
   */
  async listUsers(signal: AbortSignal, validators: Validators = {}): Promise<UserList | 'not-modified'> {
    return await this.#bounded(signal, (bounded) => this.#listUsers(bounded, validators));
  }

  /**
   * Asks for the first page of users and for no more: whether there is a token, and the API answers with it.
   *
   * @returns how many users the page has, and whether there are more.
   * @throws ProviderError; the signal's reason when it aborts.
   */
  async probe(signal: AbortSignal): Promise<{ readonly users: number; readonly more: boolean }> {
    const url = new URL('api/v1.0/providers/users', this.#base);
    const collector = new UserCollector(url, this.#limits, this.#redactor.clean);
    const isWanted = (status: number) => status === 200;
    collector.add(
      await this.#bounded(signal, (bounded) =>
        this.#api.send(
          { operation: 'users', method: 'GET', url, headers: common },
          isWanted,
          { refreshed: false },
          bounded,
        ),
      ),
    );
    return { users: collector.list().users.length, more: collector.next !== undefined };
  }

  /** Ends what is under way and closes the connections; idempotent. */
  async close(): Promise<void> {
    await this.#http.close();
  }

  async #listUsers(signal: AbortSignal, validators: Validators): Promise<UserList | 'not-modified'> {
    const authorization = { refreshed: false };
    const collector = new UserCollector(
      new URL('api/v1.0/providers/users', this.#base),
      this.#limits,
      this.#redactor.clean,
    );
    const conditional = conditions(validators);
    for (let url = collector.next; url !== undefined; url = collector.next) {
      const headers = { ...common, ...(collector.pages === 0 && conditional) };
      const isWanted = (status: number) => status === 200 || (status === 304 && isConditional(headers));
      const answer = await this.#api.send(
        { operation: 'users', method: 'GET', url, headers },
        isWanted,
        authorization,
        signal,
      );
      if (answer.status === 304) return 'not-modified';
      collector.add(answer);
    }
    return collector.list();
  }

  async #bounded<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { callTimeoutMs } = this.#limits;
    const late = () => new ProviderError('timeout', `The call did not end within ${callTimeoutMs} ms.`);
    return await withDeadline(signal, callTimeoutMs, late, work);
  }

  #readBody({ body }: HttpAnswer): unknown {
    const text = this.#redactor.clean(body.toString('utf8')).trim();
    if (text === '') return undefined;
    try {
      return JSON.parse(text);
    } catch {
      return text.slice(0, 4096);
    }
  }
}

function isConditional(headers: HttpHeaders): boolean {
  return 'if-none-match' in headers || 'if-modified-since' in headers;
}
