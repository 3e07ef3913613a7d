// The HTTP port that operators and Kubernetes look at: /metrics, /livez, /readyz, and what a service adds. Nothing here
// changes anything.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { formatHostPort, parseHostPort } from './address.js';
import { describeMetrics, Exposition } from './exposition.js';
import type { Health } from './health.js';
import { ManagementAccess } from './management-access.js';

/** A page of plain text, for example numbers of something that stands beside the service. */
export interface ManagementPage {
  readonly type: string;
  /** What it throws is answered with 502 and its message. */
  read(): Promise<string>;
}

export class ManagementServer {
  readonly #server: Server;
  readonly #pages = new Map<string, ManagementPage>();

  /** @param allow who may connect: addresses and networks, beside this machine itself; absent: anybody */
  constructor(metrics: Registry, health: Health, allow?: readonly string[]) {
    const exposition = new Exposition(metrics);
    this.#server = createServer((request, response) => {
      const answer = (status: number, type: string, body: string) =>
        response.writeHead(status, { 'content-type': type }).end(body);
      if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, 'text/plain', 'GET only\n');
      const path = request.url?.split('?')[0] ?? '';
      const page = this.#pages.get(path);
      if (page !== undefined) {
        page.read().then(
          (text) => answer(200, page.type, text),
          (error: unknown) => answer(502, 'text/plain', `${error instanceof Error ? error.message : String(error)}\n`),
        );
        return;
      }
      switch (path) {
        case '/livez':
          return answer(200, 'text/plain', 'live\n');
        case '/readyz':
          return health.ready
            ? answer(200, 'text/plain', lines(['ready', ...health.notes]))
            : answer(503, 'text/plain', lines(['not ready', ...health.problems, ...health.notes]));
        case '/metrics':
          exposition.read(request.headers.accept).then(
            ({ type, text }) => answer(200, type, text),
            (error: unknown) => answer(500, 'text/plain', `${String(error)}\n`),
          );
          return;
        case '/metrics/names':
          return answer(200, 'application/json', `${JSON.stringify(describeMetrics(metrics))}\n`);
        default:
          return answer(
            404,
            'text/plain',
            `there are ${['/livez', '/readyz', '/metrics', '/metrics/names', ...this.#pages.keys()].join(', ')}\n`,
          );
      }
    });
    const access = new ManagementAccess(allow);
    // Before a byte is read: a stranger doesn't learn that this is HTTP.
    this.#server.on('connection', (socket) => {
      if (!access.admits(socket)) socket.destroy();
    });
    this.#server.requestTimeout = 5_000;
    this.#server.headersTimeout = 5_000;
    this.#server.maxConnections = 64;
  }

  /** Adds a page. */
  serve(path: string, page: ManagementPage): void {
    this.#pages.set(path, page);
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
