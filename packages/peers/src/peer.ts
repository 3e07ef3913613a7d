/** What a real peer looks like to its user, and how it is said that there is none. */

/** Where a peer came from, in the order in which they are tried. */
export type PeerSource = 'environment' | 'container' | 'binary';

/** A running peer. What was not started here (`environment`) is left alone by `stop` and cannot be killed. */
export interface Peer<Kind extends string = string> {
  readonly kind: Kind;
  readonly how: PeerSource;
  /** Process id of a binary that was started here. */
  readonly pid: number | undefined;
  /** Ends the peer and removes its temporary directory; idempotent. */
  stop(): Promise<void>;
  /** Sends a signal, to see what happens when a peer dies or hangs; resolves once it was sent. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** The last lines that the peer wrote, for messages (at most 32 kB; nothing for `environment` and `container`). */
  output(): string;
}

/** A peer, or the reason why there is none. */
export type PeerResult<P extends Peer> = { peer: P; reason?: undefined } | { peer: undefined; reason: string };

/** A peer is absent where it is required, did not become ready, or was asked for something impossible. */
export class PeerError extends Error {
  readonly code: 'absent' | 'not-ready' | 'not-possible';

  constructor(code: PeerError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PeerError';
    this.code = code;
  }
}
