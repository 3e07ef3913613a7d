/** A small HTTP server for the simulators' pages: a table of paths, a policy for scripts, nothing else. On loopback unless told. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Page {
  readonly status?: number;
  /** Media type; `application/json` unless told. */
  readonly type?: string;
  readonly body: string | Uint8Array;
}

/** Gets the URL and what was posted. */
export type PageHandler = (url: URL, body: string) => Page | Promise<Page>;

export interface PageServerOptions {
  /** By `METHOD /path`; a path that ends with `*` is for all that begin so. */
  readonly routes: Readonly<Record<string, PageHandler>>;
  /** Gives the Content-Security-Policy of every answer. */
  readonly policy: () => string;
  /** Address to listen on; loopback unless told. */
  readonly host?: string;
  /** TCP port; any free one unless told. */
  readonly port?: number;
}

const maxBodyBytes = 16_384;
const loopback = '127.0.0.1';

export class PageServer {
  readonly origin: string;
  readonly #server: Server;
  readonly #options: PageServerOptions;

  private constructor(server: Server, options: PageServerOptions) {
    const { address, port } = server.address() as AddressInfo;
    this.origin = `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
    this.#server = server;
    this.#options = options;
    server.on('request', (request, response) => {
      const finish = ({ status = 200, type = 'application/json', body }: Page) => {
        const headers = { 'content-security-policy': options.policy(), 'cache-control': 'no-store' };
        response.writeHead(status, { 'content-type': type, 'x-content-type-options': 'nosniff', ...headers });
        response.end(request.method === 'HEAD' ? undefined : body);
      };
      this.#answer(request).then(finish, (error: unknown) =>
        // Text that is no JSON, a path that is wrongly encoded.
        finish(plain(error instanceof SyntaxError || error instanceof URIError ? 400 : 500, String(error))),
      );
    });
  }

  /** Rejects with the system's error when the port is taken. */
  static async start(options: PageServerOptions): Promise<PageServer> {
    const server = createServer().listen(options.port ?? 0, options.host ?? loopback);
    await once(server, 'listening');
    return new PageServer(server, options);
  }

  /** Ends every answer under way and the listener. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage): Promise<Page> {
    const url = new URL(request.url ?? '/', this.origin);
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const wanted = `${method} ${url.pathname}`;
    const { routes } = this.#options;
    const [, handler] =
      Object.entries(routes).find(([route]) =>
        route.endsWith('*') ? wanted.startsWith(route.slice(0, -1)) : route === wanted,
      ) ?? [];
    // Every browser asks for it.
    if (url.pathname === '/favicon.ico') return plain(204, '');
    if (!handler) return plain(404, `there is no ${wanted}`);
    // A page of another origin must not act here, whatever its visitor's browser lets it send.
    const { origin } = request.headers;
    if (method !== 'GET' && origin !== undefined && origin !== this.origin) return plain(403, 'another origin');
    const body = await read(request);
    return body === undefined ? plain(413, `more than ${maxBodyBytes} bytes`) : handler(url, body);
  }
}

export function plain(status: number, body: string): Page {
  return { status, type: 'text/plain; charset=utf-8', body };
}

async function read(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
