// What the layers above see of a transport: a flow to one peer, and the target it is dialled from. No sockets here.
import type { TlsIdentity } from './tls-identity.js';

export type TransportProtocol = 'udp' | 'tcp' | 'tls';

/** A socket address; IPv6 without brackets. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** What the TLS handshake of a flow came to. */
export interface TlsPeer {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly version: string;
  readonly cipher: string;
  /** Subject of the peer's certificate, absent where it showed none. */
  readonly peerSubject?: string | undefined;
  readonly peerIssuer?: string | undefined;
  /** SIP domains that the peer's certificate names; empty unless it was verified. */
  readonly peerIdentities: readonly string[];
  /** Subject of the certificate that was shown to the peer. */
  readonly ownSubject?: string | undefined;
  /** The peer's certificate was verified against our trust. */
  readonly authorized: boolean;
  /** On a connection that we opened the name that was checked, on an accepted one the SNI that the peer sent. */
  readonly servername?: string | undefined;
}

/** A connection to one peer, or the pair of addresses that stands for one on UDP. */
export interface Flow {
  /** Unique per connection; on UDP the same for the same pair of addresses. */
  readonly id: string;
  readonly protocol: TransportProtocol;
  /** Whether retransmission is the transport's business (TCP, TLS). */
  readonly reliable: boolean;
  readonly local: HostPort;
  readonly remote: HostPort;
  readonly tls?: TlsPeer | undefined;
  /** What looking up, connecting and the handshake took, in milliseconds; on a connection that we opened. */
  readonly connectMs?: number | undefined;
  readonly closed: boolean;
  /**
   * Set where the connection was given up because its peer, which answers keep-alives, was silent: when something came last, in
   * milliseconds of performance.now().
   */
  readonly silentSinceMs?: number | undefined;
  /** Hands the bytes to the socket. @throws SipError `transport-failed` when the flow is closed, fails or is too far behind */
  send(bytes: Buffer): Promise<void>;
  /** Ends the connection after what was sent; on UDP without effect. */
  close(): void;
}

/** Where to reach a peer. */
export interface Target {
  readonly protocol: TransportProtocol;
  readonly host: string;
  readonly port: number;
  /** Name for SNI and for the check of the peer's certificate; the host where it is absent. */
  readonly servername?: string | undefined;
  /** Certificate to show and authorities to trust (TLS). Default: those of our own TLS listener, else none and Node's roots. */
  readonly identity?: TlsIdentity | undefined;
  /** UDP: the listener to send from. TCP and TLS: the address to connect from; the port is the system's choice. */
  readonly local?: HostPort | undefined;
  /** TCP and TLS: open a new connection, which takes the place of one that is open; for when that one gives no answer. */
  readonly fresh?: boolean | undefined;
}
