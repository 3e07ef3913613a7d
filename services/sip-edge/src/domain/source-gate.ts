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
  /** Whether anybody may call, to be asked who it is. Default: strangers get nothing. */
  readonly callsFromStrangers?: boolean | undefined;
  /** Milliseconds; never goes back. */
  readonly clock: () => number;
}

/** A peer that was away, or the network behind it, may bring what it owes at once. */
const burstSeconds = 2;

/** Of strangers who may call, in messages or connections a second: a call takes about six, and each INVITE is work for everybody. */
const strangerRates = { eachSource: 50, together: 300 };

export class SourceGate {
  readonly #isPeer: (address: string) => boolean;
  readonly #messages: RateLimit;
  readonly #connections: RateLimit;
  readonly #strangers: { readonly eachSource: RateLimit; readonly together: RateLimit } | undefined;

  constructor(options: SourceGateOptions) {
    const { isPeer, clock, messagesPerSecond, connectionsPerSecond, callsFromStrangers = false } = options;
    const limit = (perSecond: number) => new RateLimit({ perSecond, burst: burstSeconds * perSecond, clock });
    this.#isPeer = isPeer;
    this.#messages = limit(messagesPerSecond);
    this.#connections = limit(connectionsPerSecond);
    const { eachSource, together } = strangerRates;
    if (callsFromStrangers) this.#strangers = { eachSource: limit(eachSource), together: limit(together) };
  }

  /** Whether a datagram, or a connection, is taken from this address. */
  admits(address: string, protocol: TransportProtocol): boolean | 'rate' {
    const source = sourceKey(address);
    if (this.#isPeer(address)) {
      const limit = protocol === 'udp' ? this.#messages : this.#connections;
      return limit.take(source) || 'rate';
    }
    // Where strangers get nothing they leave no trace in the tables either: there may be many, and they may be forged.
    if (this.#strangers === undefined) return false;
    // One source must not use up what is there for all.
    return (this.#strangers.eachSource.take(source) && this.#strangers.together.take('')) || 'rate';
  }

  /** How long a connection from this address is not read after so many messages, in ms. */
  pace(address: string, messages: number): number {
    const limit = this.#isPeer(address) ? this.#messages : this.#strangers?.eachSource;
    return limit?.owe(sourceKey(address), messages) ?? 0;
  }
}
