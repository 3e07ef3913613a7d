// The HTTP port that operators and Kubernetes look at: /metrics, /live, /ready. Nothing here changes anything.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { formatHostPort, parseHostPort } from './address.js';
import type { Health } from './health.js';

export class ManagementServer {
  readonly #server: Server;

  constructor(metrics: Registry, health: Health) {
    this.#server = createServer((request, response) => {
      const answer = (status: number, type: string, body: string) =>
        response.writeHead(status, { 'content-type': type }).end(body);
      if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, 'text/plain', 'GET only\n');
      switch (request.url?.split('?')[0]) {
        case '/live':
          return answer(200, 'text/plain', 'live\n');
        case '/ready':
          return health.ready
            ? answer(200, 'text/plain', lines(['ready', ...health.notes]))
            : answer(503, 'text/plain', lines(['not ready', ...health.problems, ...health.notes]));
        case '/metrics':
          metrics.metrics().then(
            (text) => answer(200, metrics.contentType, text),
            (error: unknown) => answer(500, 'text/plain', `${String(error)}\n`),
          );
          return;
        default:
          return answer(404, 'text/plain', 'there are /metrics, /live and /ready\n');
      }
    });
    this.#server.requestTimeout = 5_000;
    this.#server.headersTimeout = 5_000;
    this.#server.maxConnections = 64;
  }

  /** Listens and returns `host:port` as bound. */
  listen(address: string): Promise<string> {
    const { host, port } = parseHostPort(address);
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        resolve(formatHostPort({ host, port: (this.#server.address() as AddressInfo).port }));
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}
