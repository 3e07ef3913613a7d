// The listener: HTTP or HTTPS, requests to the app, upgrades to the dialers' endpoint.
import { createServer, type IncomingMessage, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { formatHostPort, type HostPort, TlsMaterial } from '@sidestream/service';

export interface WebServerOptions {
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly fetch: Parameters<typeof getRequestListener>[0];
  /** Between two looks whether the certificate was renewed. */
  readonly lookEveryMs?: number;
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

const idleEveryMs = 50;

export class WebServer {
  readonly #server: Server;
  readonly #scheme: 'http' | 'https';

  constructor({ tls, lookEveryMs, fetch, upgrade }: WebServerOptions) {
    const bounds = { requestTimeout: 15_000, headersTimeout: 10_000, maxHeaderSize: 16_384 };
    this.#scheme = tls === undefined ? 'http' : 'https';
    this.#server = tls === undefined ? createServer(bounds) : tlsServer(bounds, new TlsMaterial(tls, lookEveryMs));
    this.#server.on('request', getRequestListener(fetch));
    this.#server.on('upgrade', upgrade);
  }

  /** Listens and returns its URL. */
  listen({ host, port }: HostPort): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        const bound = (this.#server.address() as AddressInfo).port;
        resolve(`${this.#scheme}://${formatHostPort({ host, port: bound })}`);
      });
    });
  }

  /** Takes nothing new; what is being answered may be answered within the time, then all that is still open is cut. */
  async close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // A connection is idle once its last answer has gone, and would be kept for a next request.
    const idle = setInterval(() => this.#server.closeIdleConnections(), idleEveryMs);
    const deadline = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    await closed;
    clearInterval(idle);
    clearTimeout(deadline);
  }
}

/** New connections get a renewed certificate; those that are up stay. */
function tlsServer(bounds: ServerOptions, material: TlsMaterial): Server {
  const server = createTlsServer(bounds);
  const renew = (identity: { readonly certificate: Buffer; readonly privateKey: Buffer } | null) => {
    if (identity !== null) server.setSecureContext({ cert: identity.certificate, key: identity.privateKey });
  };
  material.addIdentityCertificateListener(renew);
  server.once('close', () => material.removeIdentityCertificateListener(renew));
  return server;
}
