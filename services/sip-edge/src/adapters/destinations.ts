// Where a request goes: the URI's transport, host and port (RFC 3263 §4 without NAPTR and SRV), names looked up with a
// deadline, and the listener whose name the request will carry.
import { isIP } from 'node:net';
import { parseUri, type SipUri, type Target, type TlsIdentity, type TransportProtocol } from '@sidestream/sip';
import type { Listener, Listeners } from './listeners.js';
import { lookupWithin } from './lookup-within.js';

export interface Destination {
  readonly target: Target;
  readonly listener: Listener;
}

/** A request can't go anywhere. `dns` is answered like a failure of the network, the others refuse the frame. */
export class DestinationError extends Error {
  override readonly name = 'DestinationError';
  readonly kind: 'uri' | 'transport' | 'self' | 'dns';

  constructor(kind: DestinationError['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

export interface DestinationOptions {
  readonly listeners: Listeners;
  /** Certificate for connections that the edge opens. */
  readonly identity?: TlsIdentity | undefined;
  readonly lookupDeadlineMs: number;
}

export class Destinations {
  readonly #options: DestinationOptions;

  constructor(options: DestinationOptions) {
    this.#options = options;
  }

  /**
   * Resolves a URI.
   *
   * @param preferred protocol where the URI names none: that of the dialog, else UDP.
   * @throws DestinationError with the words of drachtio-server where it has some.
   */
  async resolve(uri: string, preferred: TransportProtocol = 'udp'): Promise<Destination> {
    const parsed = parsedUri(uri);
    const protocol = protocolOf(parsed) ?? preferred;
    const port = parsed.port ?? (protocol === 'tls' ? 5061 : 5060);
    const { listeners, identity } = this.#options;
    if (!listeners.all.some((one) => one.protocol === protocol)) throw noTransport();
    const host = await this.#address(parsed.host, protocol);
    if (listeners.isSelf(protocol, host, port)) throw new DestinationError('self', 'can not send request to myself');
    const listener = listeners.pick(protocol, host);
    if (listener === undefined) throw noTransport();
    const target: Target = {
      protocol,
      host,
      port,
      ...(protocol === 'udp' ? { local: listener.bound } : {}),
      ...(protocol === 'tls' && identity ? { identity } : {}),
      ...(protocol === 'tls' && host !== parsed.host ? { servername: parsed.host } : {}),
    };
    return { target, listener };
  }

  async #address(host: string, protocol: TransportProtocol): Promise<string> {
    if (isIP(host) !== 0) return host;
    const found = await this.#lookup(host);
    const usable = found.find((address) => this.#options.listeners.pick(protocol, address) !== undefined);
    if (usable === undefined) throw new DestinationError('dns', `${host}: no usable address`);
    return usable;
  }

  async #lookup(host: string): Promise<string[]> {
    try {
      return await lookupWithin(host, this.#options.lookupDeadlineMs);
    } catch (error) {
      throw new DestinationError('dns', error instanceof Error ? error.message : host);
    }
  }
}

function parsedUri(uri: string): SipUri {
  try {
    const parsed = parseUri(uri);
    if ((parsed.scheme === 'sip' || parsed.scheme === 'sips') && parsed.host !== '') return parsed;
  } catch {
    // Told below, in the same words as for a URI of another scheme.
  }
  throw new DestinationError('uri', `invalid request-uri: ${uri}`);
}

function protocolOf(uri: SipUri): TransportProtocol | undefined {
  const named = uri.parameters.get('transport')?.toLowerCase();
  if (uri.scheme === 'sips') return 'tls';
  if (named === undefined || named === '') return undefined;
  if (named === 'udp' || named === 'tcp' || named === 'tls') return named;
  throw noTransport();
}

function noTransport(): DestinationError {
  return new DestinationError('transport', 'requested protocol/transport not available');
}
