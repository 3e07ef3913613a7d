// Where a request may go: the URI's transport, the places of its host's service or its host and port (RFC 3263 §4 without NAPTR), names
// looked up with a deadline, and the listener whose name the request will carry.
import { isIP } from 'node:net';
import { inOrder } from '@sidestream/routing';
import {
  type HostPort,
  parseUri,
  type SipUri,
  type Target,
  type TlsIdentity,
  type TransportProtocol,
} from '@sidestream/sip';
import type { Listener, Listeners } from './listeners.js';
import { lookupWithin } from './lookup-within.js';
import type { ServiceLookup } from './service-lookup.js';

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
  readonly services: ServiceLookup;
}

/** More places of one domain are not tried. */
const maxPlaces = 8;
/** How long a place that did not answer is tried last. */
const avoidedMs = 30_000;
const maxAvoided = 1_024;

export class Destinations {
  readonly #options: DestinationOptions;
  readonly #avoidedUntil = new Map<string, number>();

  constructor(options: DestinationOptions) {
    this.#options = options;
  }

  /** The first destination of a URI, as resolveAll() has it. */
  async resolve(uri: string, preferred: TransportProtocol = 'udp'): Promise<Destination> {
    const [first] = await this.resolveAll(uri, preferred);
    return first;
  }

  /**
   * Resolves a URI to where its request may go, best first.
   *
   * @param preferred protocol where the URI names none: that of the dialog, else UDP.
   * @throws DestinationError with the words of drachtio-server where it has some.
   */
  async resolveAll(uri: string, preferred: TransportProtocol = 'udp'): Promise<[Destination, ...Destination[]]> {
    const parsed = parsedUri(uri);
    const protocol = protocolOf(parsed) ?? preferred;
    if (!this.#options.listeners.all.some((one) => one.protocol === protocol)) throw noTransport();
    const places = await this.#places(parsed, protocol);
    const outcomes = await Promise.allSettled(places.map((place) => this.#destination(parsed, protocol, place)));
    const found = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    const now = performance.now();
    const works = ({ target }: Destination) => (this.#avoidedUntil.get(nameOf(target)) ?? 0) <= now;
    const [first, ...others] = [...found.filter(works), ...found.filter((destination) => !works(destination))];
    if (first !== undefined) return [first, ...others];
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    throw failed?.reason ?? new DestinationError('dns', `${parsed.host}: offers no SIP over ${protocol}`);
  }

  /** Nobody is there: for a while this place comes after the others of its domain (RFC 3263 §4.3). */
  failed(target: Target): void {
    if (this.#avoidedUntil.size >= maxAvoided) this.#avoidedUntil.clear();
    this.#avoidedUntil.set(nameOf(target), performance.now() + avoidedMs);
  }

  /** RFC 3263 §4.2: a numeric host or a port leaves nothing to ask; a domain without SRV records is a host. */
  async #places({ host, port }: SipUri, protocol: TransportProtocol): Promise<readonly HostPort[]> {
    const service =
      port === undefined && isIP(host) === 0 ? await this.#options.services.find(host, protocol) : undefined;
    if (service !== undefined) return inOrder(service, Math.random).slice(0, maxPlaces);
    return [{ host, port: port ?? (protocol === 'tls' ? 5061 : 5060) }];
  }

  async #destination(parsed: SipUri, protocol: TransportProtocol, place: HostPort): Promise<Destination> {
    const { listeners, identity } = this.#options;
    const { port } = place;
    const host = await this.#address(place.host, protocol);
    if (listeners.isSelf(protocol, host, port)) throw new DestinationError('self', 'can not send request to myself');
    const listener = listeners.pick(protocol, host);
    if (listener === undefined) throw noTransport();
    const target: Target = {
      protocol,
      host,
      port,
      ...(protocol === 'udp' ? { local: listener.bound } : {}),
      ...(protocol === 'tls' && identity ? { identity } : {}),
      // RFC 5922 §4: the certificate is the domain's that was asked for, whatever its SRV records say.
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

function nameOf({ protocol, host, port }: Target): string {
  return `${protocol}:${host}:${port}`;
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
