// Who may send, and how much: strangers nothing at all, peers up to a ceiling that no honest peer reaches. Asked for every datagram and
// connection before anything else is done with it.
import { RateLimit } from '@sidestream/service';
import { sourceKey, type TransportProtocol } from '@sidestream/sip';

export interface SourceLimits {
  /** Of one address (an IPv6 /64), datagrams and messages on its connections together. */
  readonly messagesPerSecond: number;
  readonly connectionsPerSecond: number;
}

export interface SourceGateOptions extends SourceLimits {
  readonly isPeer: (address: string) => boolean;
  /** Milliseconds; never goes back. */
  readonly clock: () => number;
}

/** A peer that was away, or the network behind it, may bring what it owes at once. */
const burstSeconds = 2;

export class SourceGate {
  readonly #isPeer: (address: string) => boolean;
  readonly #messages: RateLimit;
  readonly #connections: RateLimit;

  constructor({ isPeer, clock, messagesPerSecond, connectionsPerSecond }: SourceGateOptions) {
    const limit = (perSecond: number) => new RateLimit({ perSecond, burst: burstSeconds * perSecond, clock });
    this.#isPeer = isPeer;
    this.#messages = limit(messagesPerSecond);
    this.#connections = limit(connectionsPerSecond);
  }

  /** Whether a datagram, or a connection, is taken from this address. */
  admits(address: string, protocol: TransportProtocol): boolean | 'rate' {
    // Strangers leave no trace in the tables: there may be many of them, and they may be forged.
    if (!this.#isPeer(address)) return false;
    const limit = protocol === 'udp' ? this.#messages : this.#connections;
    return limit.take(sourceKey(address)) || 'rate';
  }

  /** How long a connection from this address is not read after so many messages, in ms. */
  pace(address: string, messages: number): number {
    return this.#messages.owe(sourceKey(address), messages);
  }
}
