/**
 * A TCP listener in front of another one: every connection goes through it, so that it can be delayed like a far network's, or
 * reset as a crashed host would. It passes bytes on and knows nothing of them.
 */
import { once } from 'node:events';
import { connect, createServer, isIPv6, type Server, type Socket } from 'node:net';
import { DelayLine } from './delay-line.js';

/** A socket address. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A client's connection as the front has accepted it. */
export interface FrontConnection {
  readonly remote: Address;
  readonly local: Address;
}

export interface TcpFrontOptions {
  readonly host: string;
  readonly port: number;
  /** Where the listener behind is. */
  readonly inner: Address;
  /** Each way; asked anew for each chunk. */
  readonly delayMs: () => number;
  /** False resets a connection before a byte of it is passed on. */
  readonly admits: () => boolean;
  /** True: sockets stay open and take connections, and not a byte passes, as those of a stopped process. */
  readonly frozen: () => boolean;
}

/** Closed connections that can still be asked for: what is told of them comes after their end. */
const MAX_REMEMBERED = 1_024;

interface Passage extends FrontConnection {
  readonly outer: Socket;
  readonly inner: Socket;
}

/** See the module's head; start with {@link TcpFront.open}. */
export class TcpFront {
  readonly address: Address;
  readonly #options: TcpFrontOptions;
  readonly #server: Server;
  /** By the port from which the front has dialled the listener behind. */
  readonly #passages = new Map<number, Passage>();
  readonly #remembered = new Map<number, FrontConnection>();
  readonly #sockets = new Set<Socket>();

  private constructor(options: TcpFrontOptions, server: Server) {
    this.#options = options;
    this.#server = server;
    this.address = addressOf(server.address(), options);
    server.on('connection', (outer) => this.#pass(outer));
    server.on('error', () => undefined);
  }

  /** Listens. Rejects when the address is taken. */
  static async open(options: TcpFrontOptions): Promise<TcpFront> {
    const server = createServer({ allowHalfOpen: true });
    server.listen({ host: options.host, port: options.port, ipv6Only: isIPv6(options.host) });
    await once(server, 'listening');
    return new TcpFront(options, server);
  }

  /** Whose connection arrives behind the front from this port. */
  clientAt(innerPort: number): FrontConnection | undefined {
    return this.#passages.get(innerPort) ?? this.#remembered.get(innerPort);
  }

  /** Resets (RST) the connection that arrives behind the front from this port; all of them without one. */
  reset(innerPort?: number): void {
    const some = innerPort === undefined ? [...this.#passages.values()] : [this.#passages.get(innerPort)];
    for (const passage of some) {
      passage?.outer.resetAndDestroy();
      passage?.inner.destroy();
    }
  }

  /** Ends listener and connections. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #pass(outer: Socket): void {
    this.#keep(outer);
    if (!this.#options.admits()) return void outer.resetAndDestroy();
    const inner = connect({ ...this.#options.inner, allowHalfOpen: true, noDelay: true });
    this.#keep(inner);
    outer.setNoDelay(true);
    pipe(outer, inner, this.#options);
    pipe(inner, outer, this.#options);
    const remote = { host: outer.remoteAddress ?? '', port: outer.remotePort ?? 0 };
    const local = { host: outer.localAddress ?? '', port: outer.localPort ?? 0 };
    inner.once('connect', () => {
      const port = inner.localPort ?? 0;
      this.#passages.set(port, { remote, local, outer, inner });
      inner.once('close', () => this.#forget(port));
    });
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #forget(port: number): void {
    const passage = this.#passages.get(port);
    if (passage === undefined) return;
    this.#passages.delete(port);
    this.#remembered.set(port, { remote: passage.remote, local: passage.local });
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size <= MAX_REMEMBERED) break;
      this.#remembered.delete(oldest);
    }
  }
}

/** Passes bytes and the end of the connection on, later. */
function pipe(from: Socket, to: Socket, { delayMs, frozen }: TcpFrontOptions): void {
  const line = new DelayLine(delayMs);
  from.on('data', (chunk: Buffer) =>
    line.push(() => {
      if (frozen() || to.destroyed || to.write(chunk)) return;
      from.pause();
      to.once('drain', () => from.resume());
    }),
  );
  from.once('end', () => line.push(() => to.end()));
  from.once('close', () => line.push(() => (from.readableEnded ? to.destroySoon() : to.destroy())));
}

function addressOf(bound: ReturnType<Server['address']>, { host, port }: Address): Address {
  return bound === null || typeof bound === 'string' ? { host, port } : { host: bound.address, port: bound.port };
}
