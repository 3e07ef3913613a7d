/** A server that a client has no business with: it counts who comes, and whether they bring a bearer or a secret. */
import { createServer, type Server } from 'node:https';
import { type ListenParts, listen } from './listen.js';

export class ForeignOrigin {
  readonly origin: string;
  /** Requests that came. */
  requests = 0;
  /** Requests that carried an Authorization header or a body, which is where secrets travel. */
  secretsReceived = 0;
  readonly #server: Server;

  private constructor(server: Server, origin: string) {
    this.#server = server;
    this.origin = origin;
    server.on('request', (request, response) => {
      this.requests += 1;
      if (request.headers.authorization !== undefined || request.method !== 'GET') this.secretsReceived += 1;
      request.resume();
      response.writeHead(200, { 'content-type': 'application/json' }).end('[]');
    });
  }

  static async start(parts: ListenParts): Promise<ForeignOrigin> {
    const server = createServer(parts.tls);
    const { origin } = await listen(server, { ...parts, port: 0 });
    return new ForeignOrigin(server, origin);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}
