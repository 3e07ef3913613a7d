// The instances of a service as gRPC clients, found by their leases; a client lives as long as its instance's lease names its address.
import type { ChannelCredentials, Client } from '@grpc/grpc-js';
import { type Bus, LeaseBook, type Logger, SidestreamError } from '@sidestream/service';
import { z } from 'zod';

export interface Instance<C> {
  readonly id: string;
  readonly client: C;
}

/** Signalling names its gRPC address beside that of SIP; the others have one address. */
const lease = z
  .object({ grpc: z.string().optional(), address: z.string(), active: z.boolean().optional() })
  .transform(({ grpc, address, active }) => ({ at: grpc ?? address, active: active ?? true }));
type Lease = z.output<typeof lease>;

export interface InstancesOptions<C> {
  /** Of the leases: `signalling.`. */
  readonly prefix: string;
  readonly make: new (address: string, credentials: ChannelCredentials) => C;
  readonly credentials: () => ChannelCredentials;
  readonly log: Logger;
}

export class Instances<C extends Client> {
  readonly #options: InstancesOptions<C>;
  readonly #book: LeaseBook<Lease>;
  readonly #clients = new Map<string, C>();

  constructor(bus: Bus, options: InstancesOptions<C>) {
    this.#options = options;
    // The schema's output is what counts; LeaseBook is given no input type.
    this.#book = new LeaseBook<Lease>(bus, {
      prefix: options.prefix,
      schema: lease as z.ZodType<Lease>,
      log: options.log,
    });
    this.#book.onRefresh(() => this.#closeUnused());
  }

  start(): void {
    this.#book.start();
  }

  /** By id. @throws SidestreamError `not-ready` when there is none */
  all(): Instance<C>[] {
    const found = [...this.#book.current].sort(([one], [other]) => one.localeCompare(other, 'en'));
    if (found.length === 0)
      throw new SidestreamError('not-ready', `no ${this.#options.prefix.slice(0, -1)} instance is running`);
    return found.map(([id, { at }]) => ({ id, client: this.#client(at) }));
  }

  /** The active one, else any. @throws SidestreamError `not-ready` when there is none */
  active(): Instance<C> {
    const id = [...this.#book.current].find(([, { active }]) => active)?.[0];
    const all = this.all();
    return all.find((one) => one.id === id) ?? (all[0] as Instance<C>);
  }

  close(): void {
    this.#book.stop();
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  #client(address: string): C {
    const known = this.#clients.get(address);
    if (known !== undefined) return known;
    const client = new this.#options.make(address, this.#options.credentials());
    this.#clients.set(address, client);
    return client;
  }

  #closeUnused(): void {
    const wanted = new Set([...this.#book.current.values()].map(({ at }) => at));
    for (const [address, client] of this.#clients) {
      if (wanted.has(address)) continue;
      this.#clients.delete(address);
      client.close();
    }
  }
}
