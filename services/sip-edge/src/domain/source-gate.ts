// Who may send, and how much: peers up to a ceiling that no honest peer reaches, strangers nothing at all, or little where they may call.
// Asked for every datagram and connection before anything else is done with it.
import { RateLimit } from '@sidestream/service';
import { sourceKey, type TransportProtocol } from '@sidestream/sip';

export interface SourceLimits {
  /** Of one address (an IPv6 /64), datagrams and messages on its connections together. */
  readonly messagesPerSecond: number;
  readonly connectionsPerSecond: number;
}

export interface SourceGateOptions extends SourceLimits {
  readonly isPeer: (address: string) => boolean;
  /** Whether anybody may come, to be asked who it is. */
  readonly opensToStrangers: (protocol: TransportProtocol) => boolean;
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
  readonly #opensToStrangers: SourceGateOptions['opensToStrangers'];
  readonly #strangers: { readonly eachSource: RateLimit; readonly together: RateLimit };

  constructor(options: SourceGateOptions) {
    const { isPeer, clock, messagesPerSecond, connectionsPerSecond, opensToStrangers } = options;
    const limit = (perSecond: number) => new RateLimit({ perSecond, burst: burstSeconds * perSecond, clock });
    this.#isPeer = isPeer;
    this.#messages = limit(messagesPerSecond);
    this.#connections = limit(connectionsPerSecond);
    const { eachSource, together } = strangerRates;
    this.#opensToStrangers = opensToStrangers;
    this.#strangers = { eachSource: limit(eachSource), together: limit(together) };
  }

  /** Whether a datagram, or a connection, is taken from this address. */
  admits(address: string, protocol: TransportProtocol): boolean | 'rate' {
    const source = sourceKey(address);
    if (this.#isPeer(address)) {
      const limit = protocol === 'udp' ? this.#messages : this.#connections;
      return limit.take(source) || 'rate';
    }
    // Where strangers get nothing they leave no trace in the tables either: there may be many, and they may be forged.
    if (!this.#opensToStrangers(protocol)) return false;
    // One source must not use up what is there for all.
    return (this.#strangers.eachSource.take(source) && this.#strangers.together.take('')) || 'rate';
  }

  /** How long a connection from this address is not read after so many messages, in ms. */
  pace(address: string, messages: number): number {
    const source = sourceKey(address);
    if (this.#isPeer(address)) return this.#messages.owe(source, messages);
    const { eachSource, together } = this.#strangers;
    return Math.max(eachSource.owe(source, messages), together.owe('', messages));
  }
}
