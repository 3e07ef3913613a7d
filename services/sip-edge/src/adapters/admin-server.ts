// The admin port: TCP, loopback only, as the protocol carries its secret and all SIP in clear.
import { createServer, type Server } from 'node:net';
import type { Logger } from '@sidestream/service';
import { AdminClient, type AdminHandlers, type AdminLimits, defaultAdminLimits } from './admin-client.js';

export class AdminServer {
  readonly #server: Server;
  readonly #clients = new Set<AdminClient>();

  /** @param maxClients connections beyond it are closed at once. */
  constructor(handlers: AdminHandlers, log: Logger, limits: Partial<AdminLimits> = {}, maxClients = 64) {
    const bounds = { ...defaultAdminLimits, ...limits };
    const forget: AdminHandlers = {
      ...handlers,
      closed: (client) => {
        this.#clients.delete(client);
        handlers.closed(client);
      },
    };
    this.#server = createServer((socket) => {
      if (this.#clients.size >= maxClients) {
        log.warn({ maxClients }, 'too many applications: connection refused');
        socket.destroy();
        return;
      }
      this.#clients.add(new AdminClient(socket, forget, bounds, log));
    });
  }

  get clients(): number {
    return this.#clients.size;
  }

  /** Listens on 127.0.0.1; 0 lets the system choose. @returns the port. */
  async listen(port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  /** Closes the port and every connection. Idempotent. */
  async close(): Promise<void> {
    for (const client of [...this.#clients]) client.close('the edge stops');
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}
