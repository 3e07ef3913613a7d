// Where a domain offers SIP (RFC 3263 §4.2: SRV records), with a deadline and a bounded memory. Node tells no TTL, so what is found is
// asked again after half a minute; while DNS does not answer, what was found last still counts.
import { Resolver } from 'node:dns/promises';
import type { TransportProtocol } from '@sidestream/sip';
import { answerWithin } from './lookup-within.js';

export interface ServicePlace {
  readonly host: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** What a domain offers over one transport; undefined: its DNS says nothing of services. */
export type Service = readonly ServicePlace[] | undefined;

export interface ServiceLookupOptions {
  readonly deadlineMs: number;
  /** `host:port` of DNS servers; those of the system unless told. */
  readonly servers?: readonly string[] | undefined;
  /** Milliseconds that never step back; for tests. */
  readonly clock?: () => number;
}

const keptMs = 30_000;
/** After a failure DNS is left alone for so long: calls must not wait for it one by one. */
const retryMs = 5_000;
const maxKnown = 1_024;

const labels: Readonly<Record<TransportProtocol, string>> = { udp: '_sip._udp', tcp: '_sip._tcp', tls: '_sips._tcp' };

export class ServiceLookup {
  readonly #resolver: Resolver;
  readonly #deadlineMs: number;
  readonly #clock: () => number;
  readonly #known = new Map<string, { readonly service: Service; readonly untilMs: number }>();
  readonly #asking = new Map<string, Promise<Service>>();

  constructor({ deadlineMs, servers, clock = () => performance.now() }: ServiceLookupOptions) {
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
    this.#resolver = new Resolver({ timeout: Math.ceil(deadlineMs / 3), tries: 2 });
    if (servers !== undefined) this.#resolver.setServers(servers);
  }

  /** Never rejects. An empty list: the domain says that it does not offer SIP (RFC 2782). */
  async find(domain: string, protocol: TransportProtocol): Promise<Service> {
    // A name without a domain is the hosts file's.
    if (!domain.includes('.')) return undefined;
    const name = `${labels[protocol]}.${domain.toLowerCase()}`;
    const known = this.#known.get(name);
    if (known !== undefined && known.untilMs > this.#clock()) return known.service;
    const before = this.#asking.get(name);
    if (before !== undefined) return before;
    const asking = this.#ask(name, known?.service).finally(() => this.#asking.delete(name));
    this.#asking.set(name, asking);
    return asking;
  }

  async #ask(name: string, last: Service): Promise<Service> {
    try {
      const records = await answerWithin(this.#resolver.resolveSrv(name), name, this.#deadlineMs);
      const places = records.map(({ name: host, port, priority, weight }) => ({ host, port, priority, weight }));
      // "." as the target.
      return this.#keep(
        name,
        places.filter(({ host }) => host !== '' && host !== '.'),
        keptMs,
      );
    } catch (error) {
      const saysNone =
        error instanceof Error && 'code' in error && (error.code === 'ENOTFOUND' || error.code === 'ENODATA');
      return saysNone ? this.#keep(name, undefined, keptMs) : this.#keep(name, last, retryMs);
    }
  }

  #keep(name: string, service: Service, forMs: number): Service {
    this.#known.delete(name);
    const [oldest] = this.#known.keys();
    if (oldest !== undefined && this.#known.size >= maxKnown) this.#known.delete(oldest);
    this.#known.set(name, { service, untilMs: this.#clock() + forMs });
    return service;
  }
}
