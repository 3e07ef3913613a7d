/**
 * Entra and the provider API on one HTTPS origin, for integrators and tests: `authority` and `apiBaseUrl` are both `origin`. It owns
 * the server and what came; how Entra and the API answer is their own, how they misbehave the fault's.
 */
import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { Entra } from './entra.js';
import { ForeignOrigin } from './foreign-origin.js';
import { type ListenParts, listen } from './listen.js';
import { answerUsers, checkBearer, readRegistration, tenantsPath, usersPath } from './provider-api.js';
import { faultless, type Place, type ProviderFault } from './provider-fault.js';
import type { ProviderFinding, ReportFinding } from './provider-finding.js';
import {
  maxRemembered,
  maxRequestBytes,
  PROVIDER_DEFAULTS,
  type ProviderSimulatorOptions,
} from './provider-options.js';
import { problem, type Reply, send } from './reply.js';
import { TokenMint } from './token-mint.js';

/** A request that came; headers without what they may not show. */
export interface ReceivedRequest {
  readonly place: Place | 'unknown';
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly status: number;
}

/** A registration that was accepted. */
export interface AcceptedRegistration {
  readonly at: Date;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface ProviderSimulatorEvents {
  request: [request: ReceivedRequest];
  registration: [registration: AcceptedRegistration];
  finding: [finding: ProviderFinding];
}

/** See the module's head; start with {@link ProviderSimulator.start}. */
export class ProviderSimulator extends EventEmitter<ProviderSimulatorEvents> {
  readonly origin: string;
  readonly port: number;
  /** Where links and redirects of the faults lead. */
  readonly foreign: ForeignOrigin;
  /** Since the start, the newest last, bounded; so are the others. */
  readonly requests: ReceivedRequest[] = [];
  readonly registrations: AcceptedRegistration[] = [];
  readonly findings: ProviderFinding[] = [];
  /** How requests from now on are treated. */
  fault: ProviderFault;
  readonly #options: ProviderSimulatorOptions;
  readonly #server: Server;
  readonly #entra: Entra;
  readonly #mint: TokenMint;
  readonly #resourceAppId: string;
  #users: readonly unknown[];
  #etag = newEtag();
  #closed: Promise<void> | undefined;

  private constructor(
    options: ProviderSimulatorOptions,
    server: Server,
    place: { readonly origin: string; readonly port: number },
    foreign: ForeignOrigin,
  ) {
    super();
    this.#options = options;
    this.#server = server;
    this.origin = place.origin;
    this.port = place.port;
    this.foreign = foreign;
    this.fault = options.fault ?? faultless;
    this.#users = options.users ?? [];
    this.#resourceAppId = options.resourceAppId ?? PROVIDER_DEFAULTS.resourceAppId;
    this.#mint = new TokenMint(options.tokenLifetimeS ?? PROVIDER_DEFAULTS.tokenLifetimeS);
    const { app, entraTenantId: tenantId } = options;
    this.#entra = new Entra({ tenantId, app, resourceAppId: this.#resourceAppId, mint: this.#mint });
    server.on('request', (request, response) => {
      this.#handle(request, response).catch(() => response.destroy());
    });
  }

  /** Listens. Rejects when a file can't be read or used, or the address is taken. */
  static async start(options: ProviderSimulatorOptions): Promise<ProviderSimulator> {
    const [cert, key] = await Promise.all([
      readFile(options.tls.certFile, 'utf8'),
      readFile(options.tls.keyFile, 'utf8'),
    ]);
    const { host = PROVIDER_DEFAULTS.host, port = PROVIDER_DEFAULTS.port, publicHost } = options;
    const parts: ListenParts = { host, port, publicHost, tls: { cert, key } };
    const server = createServer(parts.tls);
    const place = await listen(server, parts);
    return new ProviderSimulator(options, server, place, await ForeignOrigin.start(parts));
  }

  /** What the users call gives from now on; its ETag changes. */
  setUsers(users: readonly unknown[]): void {
    this.#users = users;
    this.#etag = newEtag();
  }

  /** Ends every answer under way and both listeners; idempotent. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      const closed = new Promise((resolve) => this.#server.close(resolve));
      this.#server.closeAllConnections();
      await Promise.all([closed, this.foreign.close()]);
    })();
    return this.#closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET' } = request;
    const url = new URL(request.url ?? '/', this.origin);
    const place = placeOf(method, url.pathname);
    const skewMs = (place === 'entra' ? this.fault.skewMs?.entra : this.fault.skewMs?.api) ?? 0;
    const now = new Date(Date.now() + skewMs);
    const body = await readBody(request);
    const reply = await this.#reply(request, url, place, body, now);
    const { headers } = request;
    const shown = { ...headers, ...(headers.authorization !== undefined && { authorization: 'Bearer [redacted]' }) };
    this.#remember(this.requests, {
      place,
      method,
      path: url.pathname + url.search,
      headers: shown,
      status: reply.status,
    });
    this.emit('request', this.requests.at(-1) as ReceivedRequest);
    await send(response, reply, now);
  }

  async #reply(
    request: IncomingMessage,
    url: URL,
    place: Place | 'unknown',
    body: string | undefined,
    now: Date,
  ): Promise<Reply> {
    const where = `${request.method} ${url.pathname}`;
    const report: ReportFinding = (name, text) => {
      this.#remember(this.findings, { name, where, text });
      this.emit('finding', { name, where, text });
    };
    if (body === undefined) return problem(413, `The body exceeds ${maxRequestBytes} bytes.`);
    if (place === 'unknown') {
      report('unknown-path', 'There is no such path.');
      return problem(404, 'There is no such path.');
    }
    const { fault } = this;
    const context = { place, url, foreignOrigin: this.foreign.origin, now };
    const instead = fault.instead?.(context);
    if (instead !== undefined) return instead;
    const good =
      place === 'entra'
        ? await this.#entra.answer(url, body, fault, now, report)
        : await this.#api(request, url, place, body, now, report);
    return fault.change?.(good, context) ?? good;
  }

  async #api(
    { headers }: IncomingMessage,
    url: URL,
    place: 'tenants' | 'users',
    body: string,
    now: Date,
    report: ReportFinding,
  ): Promise<Reply> {
    const keys = { mint: this.#mint, resourceAppId: this.#resourceAppId };
    const refusal = await checkBearer(headers.authorization, keys, now, report);
    if (refusal !== undefined) return refusal;
    if (place === 'users') {
      const { pageSize, maxAgeS, etag = true } = this.#options;
      const state = { users: this.#users, pageSize, maxAgeS, etag: etag ? this.#etag : undefined };
      return answerUsers(url, headers['if-none-match'], state);
    }
    const read = readRegistration(body, headers['content-type'] ?? '', report);
    if ('refusal' in read) return read.refusal;
    const registration = { at: new Date(), body: read.registration };
    this.#remember(this.registrations, registration);
    this.emit('registration', registration);
    return { status: 201, body: { id: randomUUID(), orgId: read.registration['orgId'] } };
  }

  #remember<T>(list: T[], entry: T): void {
    list.push(entry);
    if (list.length > maxRemembered) list.shift();
  }
}

function placeOf(method: string, path: string): Place | 'unknown' {
  if (Entra.owns(path)) return 'entra';
  if (method === 'POST' && path === tenantsPath) return 'tenants';
  return method === 'GET' && path === usersPath ? 'users' : 'unknown';
}

/** The whole body; undefined when it is too large. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= maxRequestBytes) chunks.push(chunk);
  }
  return bytes > maxRequestBytes ? undefined : Buffer.concat(chunks).toString('utf8');
}

function newEtag(): string {
  return `"${randomUUID()}"`;
}
