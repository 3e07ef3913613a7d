/**
 * A local OpenID Connect issuer: discovery, keys with rotation, and tokens for whom a test or a demo likes. It owns the server and the
 * keys; what a path answers stands in its table.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { problem, type Reply, send } from '../provider/reply.js';
import { type IssuerUser, SignIn } from './sign-in.js';
import { type SigningAlgorithm, SigningKeys } from './signing-keys.js';
import { mintToken, type TokenOptions } from './token.js';

export interface IssuerOptions {
  /** Server certificate (with its chain) and key, PEM files; plain HTTP without. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  /** Address to listen on; 127.0.0.1. */
  readonly host?: string;
  /** TCP port; any free one. */
  readonly port?: number;
  /** The name in URLs that it gives out, as the certificate has it; the address. */
  readonly publicHost?: string;
  /** For whom tokens are unless told. */
  readonly audience: string;
  /** RS256. */
  readonly algorithm?: SigningAlgorithm;
  /** Who may sign in on its page; nobody. */
  readonly users?: readonly IssuerUser[];
}

type Route = (request: IncomingMessage, url: URL) => Reply | Promise<Reply>;

const maxBodyLength = 16_384;

/** Pages of other origins sign in here. */
const openToAll = { 'access-control-allow-origin': '*' };

export class IssuerSimulator {
  /** The `iss` of its tokens. */
  readonly issuer: string;
  readonly audience: string;
  /** How often the keys were fetched. */
  jwksRequests = 0;
  /** Whether it answers; false: 503 to everything, as one that is down behind its front. */
  available = true;
  /** Who signs in on its page, and how long for. */
  readonly signIn: SignIn;
  readonly #keys: SigningKeys;
  readonly #server: Server;
  readonly #routes: ReadonlyMap<string, Route>;
  #closed: Promise<void> | undefined;

  private constructor(server: Server, keys: SigningKeys, origin: string, { audience, users = [] }: IssuerOptions) {
    this.#server = server;
    this.#keys = keys;
    this.issuer = origin;
    this.audience = audience;
    this.signIn = new SignIn(users, (options) => this.mint(options));
    this.#routes = new Map<string, Route>([
      ['GET /.well-known/openid-configuration', () => ({ status: 200, body: this.#discovery() })],
      ['GET /jwks', () => this.#jwks()],
      ['GET /authorize', (_request, url) => this.signIn.authorize(url)],
      ['POST /token', async (request) => this.signIn.token(new URLSearchParams(await bodyOf(request)))],
    ]);
    server.on('request', (request, response) => {
      this.#answer(request)
        .then((reply) => send(response, { ...reply, headers: { ...openToAll, ...reply.headers } }, new Date()))
        .catch(() => response.destroy());
    });
  }

  /** Listens. Rejects when a file can't be read or used, or the address is taken. */
  static async start(options: IssuerOptions): Promise<IssuerSimulator> {
    const { tls, host = '127.0.0.1', port = 0, algorithm = 'RS256' } = options;
    const keys = await SigningKeys.create(algorithm);
    const server =
      tls === undefined
        ? createServer()
        : createTlsServer({ cert: await readFile(tls.certFile), key: await readFile(tls.keyFile) });
    server.listen(port, host);
    await once(server, 'listening');
    const at = server.address() as AddressInfo;
    const name = options.publicHost ?? (at.family === 'IPv6' ? `[${at.address}]` : at.address);
    return new IssuerSimulator(server, keys, `${tls === undefined ? 'http' : 'https'}://${name}:${at.port}`, options);
  }

  /** A token of this issuer, good or bad as the options say. */
  mint(options: TokenOptions): Promise<string> {
    return mintToken(options, { issuer: this.issuer, audience: this.audience, key: this.#keys.current });
  }

  /** Signs with a new key from now on. The old ones stay published unless they are to be withdrawn. */
  rotate({ withdrawOld = false } = {}): Promise<void> {
    return this.#keys.rotate(withdrawOld);
  }

  /** Ends every answer under way and the listener; idempotent. */
  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
    return this.#closed;
  }

  async #answer(request: IncomingMessage): Promise<Reply> {
    const url = new URL(request.url ?? '/', this.issuer);
    if (request.method === 'GET') request.resume();
    if (!this.available) return problem(503, 'The issuer is down.');
    const route = this.#routes.get(`${request.method} ${url.pathname}`);
    return (await route?.(request, url)) ?? problem(404, 'There is no such path.');
  }

  #jwks(): Reply {
    this.jwksRequests += 1;
    return { status: 200, body: this.#keys.jwks };
  }

  #discovery(): object {
    return {
      issuer: this.issuer,
      authorization_endpoint: `${this.issuer}/authorize`,
      token_endpoint: `${this.issuer}/token`,
      jwks_uri: `${this.issuer}/jwks`,
      code_challenge_methods_supported: ['S256'],
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [this.#keys.current.alg],
    };
  }
}

/** A form of a sign-in, which is short. Rejects when it is not, or when the client goes away. */
async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (text.length > maxBodyLength) throw new Error('the body is too long');
  }
  return text;
}
