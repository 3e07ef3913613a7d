// One UDP socket. Its flows are values made per datagram: nothing is kept per peer, so nothing can leak.
import { createSocket, type RemoteInfo, type Socket, type SocketOptions } from 'node:dgram';
import { lookup } from 'node:dns';
import { once } from 'node:events';
import { isIP, isIPv6 } from 'node:net';
import { SipError } from '../sip-error.js';
import type { Flow, HostPort } from './flow.js';

/** Who hears of datagrams. */
export interface UdpListenerEvents {
  /** False drops the datagram. */
  accept(remote: HostPort): boolean;
  message(bytes: Buffer, flow: Flow): void;
  sent(bytes: Buffer, flow: Flow): void;
}

// A burst of requests must fit while the process is busy; the kernel trims this to its own limit.
const receiveBufferBytes = 4 * 1024 * 1024;

/** An address needs no lookup. Node's own gives it back a turn later, and the datagram would wait for what is done meanwhile. */
const atOnce: NonNullable<SocketOptions['lookup']> = (host, options, callback) => {
  const family = isIP(host);
  if (family === 0) lookup(host, options, callback);
  else callback(null, host, family);
};

/** A bound UDP socket of one address family. */
export class UdpListener {
  readonly local: HostPort;
  readonly #socket: Socket;
  readonly #events: UdpListenerEvents;
  #closed = false;

  private constructor(socket: Socket, events: UdpListenerEvents) {
    this.#events = events;
    const { address, port } = socket.address();
    this.local = { host: address, port };
    this.#socket = socket;
    socket.on('message', (bytes, remote) => this.#receive(bytes, remote));
  }

  /** Binds a socket. @throws SipError `transport-failed` */
  static async bind(local: HostPort, events: UdpListenerEvents): Promise<UdpListener> {
    const family = isIPv6(local.host) ? 'udp6' : 'udp4';
    const ipv6Only = family === 'udp6';
    const socket = createSocket({ type: family, ipv6Only, recvBufferSize: receiveBufferBytes, lookup: atOnce });
    try {
      const listening = once(socket, 'listening');
      socket.bind(local.port, local.host);
      await listening;
    } catch (cause) {
      socket.close();
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new SipError('transport-failed', `udp ${local.host}:${local.port}: ${reason}`, { cause });
    }
    // An error of a bound socket concerns one datagram that was sent, and its sender has been told.
    socket.on('error', () => undefined);
    return new UdpListener(socket, events);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The flow to a remote address of the same family. */
  flow(remote: HostPort): Flow {
    return new UdpFlow(this, remote);
  }

  send(bytes: Buffer, flow: Flow): Promise<void> {
    const { remote } = flow;
    this.#events.sent(bytes, flow);
    const peer = `${remote.host}:${remote.port}`;
    if (this.#closed) return Promise.reject(new SipError('transport-failed', `${peer}: the UDP socket is closed`));
    return new Promise((resolve, reject) => {
      this.#socket.send(bytes, remote.port, remote.host, (cause) => {
        if (cause === null) resolve();
        else reject(new SipError('transport-failed', `${peer}: ${cause.message}`, { cause }));
      });
    });
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    return new Promise((resolve) => {
      this.#socket.close(() => resolve());
    });
  }

  #receive(bytes: Buffer, info: RemoteInfo): void {
    const remote = { host: info.address, port: info.port };
    if (!this.#events.accept(remote) || isKeepAlive(bytes)) return;
    this.#events.message(bytes, this.flow(remote));
  }
}

// Phones keep their NAT binding open with an empty line or a few zero bytes; there is nothing to answer.
function isKeepAlive(bytes: Buffer): boolean {
  return bytes.length <= 4 && bytes.every((byte) => byte === 0x0d || byte === 0x0a || byte === 0);
}

class UdpFlow implements Flow {
  readonly protocol = 'udp';
  readonly reliable = false;
  readonly remote: HostPort;
  readonly #listener: UdpListener;

  constructor(listener: UdpListener, remote: HostPort) {
    this.#listener = listener;
    this.remote = remote;
  }

  get id(): string {
    const { local, remote } = this;
    return `udp:${local.host}:${local.port}-${remote.host}:${remote.port}`;
  }

  get local(): HostPort {
    return this.#listener.local;
  }

  get closed(): boolean {
    return this.#listener.closed;
  }

  send(bytes: Buffer): Promise<void> {
    return this.#listener.send(bytes, this);
  }

  close(): void {
    // The socket serves every peer; a flow on it has nothing of its own to close.
  }
}
