// The door of the transport layer: listeners, connections and UDP sockets behind one event source. Knows bytes, not messages.
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { type SecureVersion, TLSSocket } from 'node:tls';
import { guarded } from '../guarded.js';
import type { MessageLimits } from '../message/message-limits.js';
import { SipError } from '../sip-error.js';
import { type AddressLookup, systemLookup } from './address-lookup.js';
import { ConnectionPool } from './connection-pool.js';
import { dial } from './dial.js';
import type { Flow, HostPort, Target, TransportProtocol } from './flow.js';
import { sourceKey } from './source-key.js';
import { StreamFlow, type StreamFlowListener, type StreamFlowOptions } from './stream-flow.js';
import { type ListenTls, StreamListener } from './stream-listener.js';
import type { TlsIdentity } from './tls-identity.js';
import { type TlsOwn, tlsPeer } from './tls-peer.js';
import { udpFlow } from './udp-address.js';
import { UdpListener } from './udp-listener.js';

/**
 * Why nothing was taken from a remote: it is not admitted, it sends or connects too often, it or all together have too many connections,
 * or its TLS handshake failed.
 */
export type RefusedBecause = 'not-admitted' | 'rate' | 'connections' | 'handshake';

/** What Transports tells. `error` of `closed` is absent where either side simply ended the connection. */
export interface TransportEvents {
  message: [bytes: Buffer, flow: Flow];
  /** Something is about to leave; for traces. */
  sent: [bytes: Buffer, flow: Flow];
  closed: [flow: Flow, error?: SipError];
  refused: [remote: HostPort, protocol: TransportProtocol, because: RefusedBecause, detail: string];
  /** A listener, or `accept`, has thrown. The socket and everyone else's messages go on. */
  fault: [error: Error];
}

/** Bounds and policy of the transport layer; times in milliseconds, 0 = never. */
export interface TransportsOptions {
  /**
   * False, or why: a datagram is ignored, a connection destroyed before a byte goes either way. Called for what comes in only, for each
   * datagram before anything else is done with it.
   */
  readonly accept?: ((remote: HostPort, protocol: TransportProtocol) => boolean | 'rate') | undefined;
  /** How long a connection is not read after so many messages of its remote, in ms. Default 0: it is read on. */
  readonly pace?: ((remote: HostPort, messages: number) => number) | undefined;
  readonly limits?: MessageLimits | undefined;
  /** CRLFCRLF ping on connections that we opened (RFC 5626 §3.5.1). Default 0. */
  readonly keepAliveMs?: number | undefined;
  /** Silence after a ping that ends the connection to a peer that has answered one before. Default 10,000 (RFC 5626 §4.4.1). */
  readonly keepAliveTimeoutMs?: number | undefined;
  /** Whether the pings of others are answered; for simulators of elements that do not. Default yes. */
  readonly answersPings?: (() => boolean) | undefined;
  /** Accepted and opened connections together. Default 4096. */
  readonly maxConnections?: number | undefined;
  /** Accepted connections of one source, those in a handshake included; an IPv6 /64 is one source. Default: as many as of all. */
  readonly maxConnectionsPerSource?: number | undefined;
  /** A connection that carries no SIP message for so long is closed, whatever keep-alives it carries. Default one hour. */
  readonly idleTimeoutMs?: number | undefined;
  /** Time that one message may take to arrive on a stream. Default 10,000. */
  readonly messageTimeoutMs?: number | undefined;
  /** Time for connecting, look-up and TLS handshake included, either way. Default 5000. */
  readonly dialTimeoutMs?: number | undefined;
  /** How the addresses of a name are found, at each dial. Default: the system's resolver. */
  readonly lookup?: AddressLookup | undefined;
  /** Bytes that may wait on one connection for a peer that does not read. Default 1 MiB. */
  readonly maxQueuedBytes?: number | undefined;
  readonly tlsMinVersion?: SecureVersion | undefined;
}

/** Where and how to listen; port 0 takes a free one. */
export interface ListenOptions extends HostPort {
  readonly protocol: TransportProtocol;
  readonly tls?: ListenTls | undefined;
}

/** UDP, TCP and TLS for one SIP element. */
export class Transports extends EventEmitter<TransportEvents> {
  readonly #accept: (remote: HostPort, protocol: TransportProtocol) => boolean | 'rate';
  readonly #streamOptions: StreamFlowOptions;
  readonly #maxConnections: number;
  readonly #maxPerSource: number;
  /** Accepted connections by source. */
  readonly #accepted = new Map<string, number>();
  readonly #dialTimeoutMs: number;
  readonly #lookup: AddressLookup;
  readonly #minVersion: SecureVersion;
  readonly #udp = new Set<UdpListener>();
  readonly #listeners = new Set<StreamListener>();
  readonly #flows = new Map<StreamFlow, Socket>();
  readonly #pool = new ConnectionPool((target, signal) => this.#dial(target, signal));
  #ownIdentity: TlsIdentity | undefined;
  #nextFlow = 1;
  #closed = false;

  constructor(options: TransportsOptions = {}) {
    super();
    this.#accept = options.accept ?? (() => true);
    this.#maxConnections = options.maxConnections ?? 4096;
    this.#maxPerSource = options.maxConnectionsPerSource ?? this.#maxConnections;
    this.#dialTimeoutMs = options.dialTimeoutMs ?? 5000;
    this.#lookup = options.lookup ?? systemLookup;
    this.#minVersion = options.tlsMinVersion ?? 'TLSv1.2';
    this.#streamOptions = {
      limits: options.limits,
      pace: options.pace ?? (() => 0),
      keepAliveMs: options.keepAliveMs ?? 0,
      keepAliveTimeoutMs: options.keepAliveTimeoutMs ?? 10_000,
      answersPings: options.answersPings ?? (() => true),
      idleTimeoutMs: options.idleTimeoutMs ?? 3_600_000,
      messageTimeoutMs: options.messageTimeoutMs ?? 10_000,
      maxQueuedBytes: options.maxQueuedBytes ?? 1_048_576,
    };
  }

  /** Open TCP and TLS connections. */
  get connections(): number {
    return this.#flows.size;
  }

  /** Listens and gives the address that was bound. @throws SipError `transport-failed`, `not-possible` */
  async listen(o: ListenOptions): Promise<HostPort> {
    if (this.#closed) throw new SipError('not-possible', 'the transports are closed');
    if (o.protocol === 'udp') {
      const listener = await UdpListener.bind(o, {
        accept: (remote) => this.#admits(remote, 'udp'),
        message: (bytes, flow) => this.#tell(() => this.emit('message', bytes, flow)),
        sent: (bytes, flow) => this.#tell(() => this.emit('sent', bytes, flow)),
      });
      return this.#kept(listener, this.#udp);
    }
    if (o.protocol === 'tls' && o.tls === undefined)
      throw new SipError('not-possible', 'listening on TLS needs an identity');
    const { protocol } = o;
    const tls = protocol === 'tls' ? o.tls : undefined;
    this.#ownIdentity ??= tls?.identity;
    const where = { host: o.host, port: o.port, minVersion: this.#minVersion, handshakeTimeoutMs: this.#dialTimeoutMs };
    const listener = await StreamListener.open(
      { ...where, tls },
      {
        accept: (remote) => this.#admits(remote, protocol),
        admitted: (remote) => this.#count(remote, 1),
        gone: (remote) => this.#count(remote, -1),
        refused: (remote, reason) => void this.#refuse(remote, protocol, 'handshake', reason),
        connected: (socket) => this.#adopt(socket, 'tcp'),
        secured: (socket) => this.#adopt(socket, 'tls', { ownSubject: tls?.identity.subject() }),
      },
    );
    return this.#kept(listener, this.#listeners);
  }

  /**
   * A flow to a target: on TCP and TLS the open connection to the same target with the same identity, or a new one (where
   * the certificate files have changed, or for `fresh`, in its place); on UDP a flow on a listener of the address's family.
   * @throws SipError `tls-refused`, `transport-failed`, `cancelled` (by the signal), `not-possible` (no UDP listener)
   */
  async flow(target: Target, signal?: AbortSignal): Promise<Flow> {
    if (this.#closed) throw new SipError('not-possible', 'the transports are closed');
    const bounds = { timeoutMs: this.#dialTimeoutMs, lookup: this.#lookup };
    if (target.protocol === 'udp') return udpFlow(target, this.#udp, { ...bounds, signal });
    // Who was called under a name calls back under the same: a dialog that came in knows no identity.
    const identity = target.protocol === 'tls' ? (target.identity ?? this.#ownIdentity) : undefined;
    return this.#pool.flow(identity === undefined ? target : { ...target, identity }, signal);
  }

  /** Ends everything: listeners, connections, dials. Resolves when no socket is left. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#pool.close();
    const sockets = [...this.#flows].map(([flow, socket]) => {
      const gone = socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once('close', resolve));
      flow.close();
      return gone;
    });
    const listeners = [...this.#udp, ...this.#listeners].map((listener) => listener.close());
    await Promise.all([...sockets, ...listeners]);
  }

  async #kept<T extends UdpListener | StreamListener>(listener: T, listeners: Set<T>): Promise<HostPort> {
    listeners.add(listener);
    if (this.#closed) await listener.close();
    return listener.local;
  }

  #tell(emit: () => unknown): void {
    guarded(emit, (error) => this.emit('fault', error));
  }

  #admits(remote: HostPort, protocol: TransportProtocol): boolean {
    let accepted = false as boolean | 'rate';
    this.#tell(() => {
      accepted = this.#accept(remote, protocol);
    });
    if (accepted === 'rate') return this.#refuse(remote, protocol, 'rate', 'too often');
    if (!accepted) return this.#refuse(remote, protocol, 'not-admitted', 'not an accepted peer');
    if (protocol === 'udp') return true;
    if (this.#isFull()) return this.#refuse(remote, protocol, 'connections', 'too many connections');
    if ((this.#accepted.get(sourceKey(remote.host)) ?? 0) < this.#maxPerSource) return true;
    return this.#refuse(remote, protocol, 'connections', 'too many connections of this source');
  }

  #count(remote: HostPort, more: 1 | -1): void {
    const key = sourceKey(remote.host);
    const count = (this.#accepted.get(key) ?? 0) + more;
    if (count > 0) this.#accepted.set(key, count);
    else this.#accepted.delete(key);
  }

  #isFull(): boolean {
    let handshakes = 0;
    for (const listener of this.#listeners) handshakes += listener.handshakes;
    return this.#flows.size + handshakes >= this.#maxConnections;
  }

  #refuse(remote: HostPort, protocol: TransportProtocol, because: RefusedBecause, detail: string): false {
    this.#tell(() => this.emit('refused', remote, protocol, because, detail));
    return false;
  }

  #adopt(socket: Socket, protocol: 'tcp' | 'tls', tls: TlsOwn = {}, connectMs?: number): StreamFlow {
    const listener: StreamFlowListener = {
      message: (bytes, from) => this.#tell(() => this.emit('message', bytes, from)),
      sent: (bytes, to) => this.#tell(() => this.emit('sent', bytes, to)),
      closed: (from, error) => {
        this.#flows.delete(flow);
        this.#pool.remove(from);
        this.#tell(() => this.emit('closed', from, error));
      },
    };
    const peer = socket instanceof TLSSocket ? tlsPeer(socket, tls) : undefined;
    const id = `${protocol}:${this.#nextFlow}`;
    this.#nextFlow += 1;
    const flow = new StreamFlow({ id, socket, protocol, tls: peer, connectMs, options: this.#streamOptions, listener });
    this.#flows.set(flow, socket);
    if (this.#closed) flow.close();
    return flow;
  }

  async #dial(target: Target, signal: AbortSignal): Promise<StreamFlow> {
    const peer = `${target.host}:${target.port}`;
    if (this.#isFull()) throw new SipError('transport-failed', `${peer}: too many connections are open`);
    // Asked for before the handshake: files that change meanwhile concern the next connection.
    const ownSubject = target.identity?.subject();
    const bounds = { timeoutMs: this.#dialTimeoutMs, lookup: this.#lookup, minVersion: this.#minVersion };
    const begunMs = performance.now();
    const socket = await dial(target, { ...bounds, signal });
    const protocol = target.protocol === 'tls' ? 'tls' : 'tcp';
    const own = { ownSubject, servername: target.servername ?? target.host };
    const flow = this.#adopt(socket, protocol, own, performance.now() - begunMs);
    flow.keepAlive();
    return flow;
  }
}
