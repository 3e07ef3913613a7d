// Who may connect: bounded in all, for each user, and in how fast one address comes.
import { RateLimit } from '@sidestream/service';
import type { Arriving, ClientAddress } from './client-address.js';

export interface ConnectionLimits {
  readonly connections: number;
  readonly connectionsPerUser: number;
  readonly connectionsPerSecond: number;
}

export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #arrivals: RateLimit;
  readonly #addresses: Pick<ClientAddress, 'of'>;
  readonly #byUser = new Map<string, number>();
  #open = 0;

  constructor(limits: ConnectionLimits, addresses: Pick<ClientAddress, 'of'>) {
    this.#limits = limits;
    this.#addresses = addresses;
    const perSecond = limits.connectionsPerSecond;
    this.#arrivals = new RateLimit({ perSecond, burst: 4 * perSecond, clock: () => performance.now() });
  }

  get open(): number {
    return this.#open;
  }

  /** One more from the address of this request, until the function that it returns is called; undefined: there are too many. */
  arrive(request: Arriving): (() => void) | undefined {
    if (this.#open >= this.#limits.connections || !this.#arrivals.take(this.#addresses.of(request))) return undefined;
    this.#open += 1;
    return once(() => {
      this.#open -= 1;
    });
  }

  /** One more of this user, likewise. */
  enter(user: string): (() => void) | undefined {
    const now = this.#byUser.get(user) ?? 0;
    if (now >= this.#limits.connectionsPerUser) return undefined;
    this.#byUser.set(user, now + 1);
    return once(() => {
      const left = (this.#byUser.get(user) ?? 1) - 1;
      if (left <= 0) this.#byUser.delete(user);
      else this.#byUser.set(user, left);
    });
  }
}

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    work();
  };
}
