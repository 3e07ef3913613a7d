// Where dialers connect: takes WebSocket upgrades, looks after all that are open, and ends them.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { closeCodes, DialerSocket, type DialerSocketOptions } from './dialer-socket.js';

export const dialerPath = '/dialer/v1/events';
const maxFrameBytes = 16_384;
/** Proxies close what is silent for a minute; a client that answers none of two is gone. */
const pingMs = 25_000;

export interface DialerEndpointOptions extends DialerSocketOptions {
  /** Whether pages of the request's origin may come. */
  readonly isAllowed: (request: IncomingMessage) => boolean;
  /** The past has been read, so that what a dialer has missed is known. */
  readonly isReady: () => boolean;
}

export class DialerEndpoint {
  readonly #options: DialerEndpointOptions;
  // No compression: its buffers cost more memory than the few short events are worth.
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: maxFrameBytes, perMessageDeflate: false });
  readonly #open = new Map<WebSocket, { readonly dialer: DialerSocket; alive: boolean }>();
  readonly #pinging: NodeJS.Timeout;
  #closing = false;

  constructor(options: DialerEndpointOptions) {
    this.#options = options;
    this.#pinging = setInterval(() => this.#ping(), pingMs);
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const path = request.url?.split('?')[0];
    if (path !== dialerPath) return void refuse(socket, '404 Not Found');
    if (this.#closing) return void refuse(socket, '503 Service Unavailable');
    const leave = this.#options.connections.arrive(request);
    if (leave === undefined) return void refuse(socket, '429 Too Many Requests');
    socket.once('close', leave);
    this.#server.handleUpgrade(request, socket, head, (client) => this.#connected(client, request));
  }

  /** Ends them all so that they come back. Whoever does not take it within the time is cut off. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    clearInterval(this.#pinging);
    for (const { dialer } of this.#open.values()) dialer.close(closeCodes.goingAway, 'going away');
    const deadline = setTimeout(() => {
      for (const socket of this.#open.keys()) socket.terminate();
    }, graceMs);
    await new Promise<void>((resolve) => {
      if (this.#open.size === 0) return resolve();
      for (const socket of this.#open.keys())
        socket.once('close', () => {
          if (this.#open.size === 0) resolve();
        });
    });
    clearTimeout(deadline);
  }

  #connected(client: WebSocket, request: IncomingMessage): void {
    const dialer = new DialerSocket(client, this.#options);
    const entry = { dialer, alive: true };
    this.#open.set(client, entry);
    client.on('pong', () => {
      entry.alive = true;
    });
    client.prependListener('close', () => this.#open.delete(client));
    // A page can not read the status of a refused upgrade, but it can read a close code.
    if (!this.#options.isAllowed(request)) dialer.close(closeCodes.forbidden, 'origin not allowed');
    else if (!this.#options.isReady()) dialer.close(closeCodes.slow, 'not ready yet');
  }

  #ping(): void {
    for (const [socket, entry] of this.#open) {
      if (!entry.alive) socket.terminate();
      else {
        entry.alive = false;
        socket.ping();
      }
    }
  }
}

/** Half a connection would stay open as long as the client likes. */
function refuse(socket: Duplex, status: string): void {
  const again = /^(429|503)/.test(status) ? 'Retry-After: 1\r\n' : '';
  const head = `HTTP/1.1 ${status}\r\n${again}Connection: close\r\nContent-Length: 0\r\n\r\n`;
  socket.end(head, () => socket.destroy());
}
