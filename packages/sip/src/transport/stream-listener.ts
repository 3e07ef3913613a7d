// A listening TCP or TLS socket. A connection from a refused peer ends before a byte is read or sent, TLS included.
import { once } from 'node:events';
import { createServer, isIPv6, type Server, type Socket } from 'node:net';
import {
  createServer as createTlsServer,
  type SecureVersion,
  type TLSSocket,
  type Server as TlsServer,
} from 'node:tls';
import { SipError } from '../sip-error.js';
import type { HostPort } from './flow.js';
import type { TlsIdentity } from './tls-identity.js';

/** How a TLS listener shows itself and whom it admits. */
export interface ListenTls {
  readonly identity: TlsIdentity;
  /** A client certificate is required, and verified against the identity's trustFile. */
  readonly requestClientCertificate?: boolean | undefined;
}

/** Where to listen. */
export interface StreamListenOptions extends HostPort {
  readonly tls?: ListenTls | undefined;
  readonly minVersion: SecureVersion;
  readonly handshakeTimeoutMs: number;
}

/** Who hears of connections. */
export interface StreamListenerEvents {
  /** False destroys the connection. */
  accept(remote: HostPort): boolean;
  /** The connection is one from now on; `gone` tells of its end, whatever becomes of it. */
  admitted(remote: HostPort): void;
  gone(remote: HostPort): void;
  refused(remote: HostPort, reason: string): void;
  connected(socket: Socket): void;
  secured(socket: TLSSocket): void;
}

/** A listening socket and the connections on it that are not flows yet. */
export class StreamListener {
  readonly local: HostPort;
  readonly #server: Server;
  readonly #handshaking: Map<string, Socket>;

  private constructor(server: Server, handshaking: Map<string, Socket>, fallback: HostPort) {
    const address = server.address();
    this.local =
      address === null || typeof address === 'string' ? fallback : { host: address.address, port: address.port };
    this.#server = server;
    this.#handshaking = handshaking;
  }

  /** Starts to listen. @throws SipError `transport-failed`, `not-possible` for TLS options that would admit anyone */
  static async open(o: StreamListenOptions, events: StreamListenerEvents): Promise<StreamListener> {
    const handshaking = new Map<string, Socket>();
    const admit = o.tls === undefined ? events.connected : handshaker(o, o.tls, events, handshaking);
    const server = createServer((socket) => {
      const remote = addressOf(socket);
      if (!events.accept(remote)) {
        socket.on('error', () => undefined).destroy();
        return;
      }
      events.admitted(remote);
      socket.once('close', () => events.gone(remote));
      admit(socket);
    });
    try {
      server.listen({ host: o.host, port: o.port, ipv6Only: isIPv6(o.host) });
      await once(server, 'listening');
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new SipError('transport-failed', `tcp ${o.host}:${o.port}: ${reason}`, { cause });
    }
    // Accepting fails when file descriptors run out; the peer tries again, the listener must stay.
    server.on('error', () => undefined);
    return new StreamListener(server, handshaking, { host: o.host, port: o.port });
  }

  /** Connections that are in the TLS handshake. */
  get handshakes(): number {
    return this.#handshaking.size;
  }

  close(): Promise<void> {
    if (!this.#server.listening) return Promise.resolve();
    const unfinished = [...this.#handshaking.values()];
    // Forgotten first, so that what we end ourselves does not count as a refused peer.
    this.#handshaking.clear();
    for (const socket of unfinished) socket.destroy();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}

// More than can fail in one turn of the event loop; only a bound, should Node ever not tell of a failure.
const maxClosedFirst = 64;

/**
 * A tls.Server that never listens: accepted sockets are handed to it after the accept check, with the certificate files as
 * they are at that moment.
 */
function handshaker(
  o: StreamListenOptions,
  tls: ListenTls,
  events: StreamListenerEvents,
  handshaking: Map<string, Socket>,
): (socket: Socket) => void {
  const { identity } = tls;
  const mutual = tls.requestClientCertificate === true;
  if (mutual && !identity.hasTrust) {
    throw new SipError('not-possible', 'a listener that asks for client certificates needs a trustFile of its own');
  }
  const server: TlsServer = createTlsServer({
    ...identity.material(),
    minVersion: o.minVersion,
    requestCert: mutual,
    rejectUnauthorized: mutual,
    handshakeTimeout: o.handshakeTimeoutMs,
  });
  let contextKey = identity.key;
  // Node does not tell which accepted socket a TLS socket wraps; their addresses are the same. A TLS socket that failed has
  // lost its address unless it was asked before; its accepted socket has then closed just before it.
  const closedFirst: HostPort[] = [];
  server.on('secureConnection', (socket) => {
    handshaking.delete(keyOf(socket));
    events.secured(socket);
  });
  server.on('tlsClientError', (error, socket) => {
    handshaking.delete(keyOf(socket));
    const remote = socket.remoteAddress === undefined ? closedFirst.shift() : addressOf(socket);
    if (remote === undefined) return;
    const reason = socket.authorizationError ? `client certificate: ${socket.authorizationError}` : error.message;
    events.refused(remote, `TLS handshake: ${reason.trim()}`);
    socket.destroy();
  });
  return (socket) => {
    if (identity.key !== contextKey) {
      contextKey = identity.key;
      server.setSecureContext({ ...identity.material(), minVersion: o.minVersion });
    }
    const key = keyOf(socket);
    const remote = addressOf(socket);
    handshaking.set(key, socket);
    socket.once('close', () => {
      if (handshaking.get(key) !== socket) return;
      handshaking.delete(key);
      closedFirst.push(remote);
      if (closedFirst.length > maxClosedFirst) closedFirst.shift();
    });
    server.emit('connection', socket);
  };
}

function addressOf(socket: Socket): HostPort {
  return { host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
}

function keyOf(socket: Socket): string {
  return `${socket.remoteAddress}|${socket.remotePort}`;
}
