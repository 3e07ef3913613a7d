// The instances of a service as gRPC clients, found by their leases; a client lives as long as its instance's lease names its address.
import type { ChannelCredentials, ChannelOptions, Client } from '@grpc/grpc-js';
import {
  type Bus,
  type CalledService,
  LeaseBook,
  type Logger,
  listClientOptions,
  SidestreamError,
} from '@sidestream/service';
import { z } from 'zod';

export interface Instance<C> {
  readonly id: string;
  readonly client: C;
}

/** Signalling names its gRPC address beside that of SIP, and since when it runs; the others have one address. */
const lease = z
  .object({
    grpc: z.string().optional(),
    address: z.string(),
    active: z.boolean().optional(),
    since: z.iso.datetime().optional(),
  })
  .transform(({ grpc, address, active, since }) => ({
    at: grpc ?? address,
    active: active ?? true,
    sinceMs: since === undefined ? undefined : Date.parse(since),
  }));
type Lease = z.output<typeof lease>;

export interface InstancesOptions<C> {
  /** Their leases begin with it and a dot. */
  readonly service: CalledService;
  readonly make: new (address: string, credentials: ChannelCredentials, options: ChannelOptions) => C;
  readonly credentials: (service: CalledService) => ChannelCredentials;
  /** Whether one whose lease has ended is asked all the same; nobody is unless told. */
  readonly isKept?: (id: string) => boolean;
  readonly log: Logger;
}

export class Instances<C extends Client> {
  readonly #options: InstancesOptions<C>;
  readonly #book: LeaseBook<Lease>;
  readonly #clients = new Map<string, C>();
  /** Those that have a lease, and those that are kept. */
  #known: ReadonlyMap<string, Lease> = new Map();

  constructor(bus: Bus, options: InstancesOptions<C>) {
    this.#options = options;
    // The schema's output is what counts; LeaseBook is given no input type.
    this.#book = new LeaseBook<Lease>(bus, {
      prefix: `${options.service}.`,
      schema: lease as z.ZodType<Lease>,
      log: options.log,
    });
    this.#book.onRefresh(() => this.#refresh());
  }

  /** By id. */
  get leases(): ReadonlyMap<string, Lease> {
    return this.#book.current;
  }

  /** Calls back whenever the leases were read. */
  onRefresh(listener: () => void): void {
    this.#book.onRefresh(listener);
  }

  start(): void {
    this.#book.start();
  }

  /** By id; one that is kept is among them. */
  get known(): Instance<C>[] {
    const found = [...this.#known].sort(([one], [other]) => one.localeCompare(other, 'en'));
    return found.map(([id, { at }]) => ({ id, client: this.#client(at) }));
  }

  /** As `known`. @throws SidestreamError `not-ready` when there is none */
  all(): Instance<C>[] {
    const { known } = this;
    if (known.length === 0) throw new SidestreamError('not-ready', `no ${this.#options.service} instance is running`);
    return known;
  }

  /** The active one, else any. @throws SidestreamError `not-ready` when there is none */
  active(): Instance<C> {
    const id = [...this.#known].find(([, { active }]) => active)?.[0];
    const all = this.all();
    return all.find((one) => one.id === id) ?? (all[0] as Instance<C>);
  }

  /** Undefined for one that is not known. */
  clientOf(id: string): C | undefined {
    const known = this.#known.get(id);
    return known && this.#client(known.at);
  }

  close(): void {
    this.#book.stop();
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  #client(address: string): C {
    const known = this.#clients.get(address);
    if (known !== undefined) return known;
    const { make, service, credentials } = this.#options;
    const client = new make(address, credentials(service), listClientOptions);
    this.#clients.set(address, client);
    return client;
  }

  #refresh(): void {
    const { isKept = () => false } = this.#options;
    const kept = [...this.#known].filter(([id]) => !this.#book.current.has(id) && isKept(id));
    this.#known = new Map([...this.#book.current, ...kept]);
    this.#closeUnused();
  }

  #closeUnused(): void {
    const wanted = new Set([...this.#known.values()].map(({ at }) => at));
    for (const [address, client] of this.#clients) {
      if (wanted.has(address)) continue;
      this.#clients.delete(address);
      client.close();
    }
  }
}
