// What each seller was told of late, so that a dialer that comes back hears what it has missed; and who listens now.
import type { SellerKey, Told } from './dialer-event.js';

export interface DialerLogOptions {
  readonly eventsPerSeller: number;
  readonly maxSellers: number;
}

interface SellerLog {
  readonly events: Told[];
  /** Events have been dropped at the front: ids that are not there may have been. */
  trimmed: boolean;
  readonly listeners: Set<(told: Told) => void>;
}

/** `unknown`: the id was never given to this seller. */
export type Resumption = { readonly missed: readonly Told[] } | 'unknown';

export class DialerLog {
  readonly #options: DialerLogOptions;
  readonly #sellers = new Map<string, SellerLog>();
  /** Sequence of the first and the last event of the stream that were read. */
  #first: number | undefined;
  #last = 0;

  constructor(options: DialerLogOptions) {
    this.#options = options;
  }

  get sellers(): number {
    return this.#sellers.size;
  }

  /** An event of the stream was read, whether it tells anybody anything or not. */
  read(sequence: number): void {
    this.#first ??= sequence;
    this.#last = sequence;
  }

  add(told: Told): void {
    const log = this.#open(told);
    log.events.push(told);
    if (log.events.length > this.#options.eventsPerSeller) {
      log.events.shift();
      log.trimmed = true;
    }
    for (const tell of [...log.listeners]) tell(told);
  }

  /** What came after the event of this id. Of one that was kept no more all that is left is given, and the dialer drops what it had. */
  after(seller: SellerKey, id: string): Resumption {
    if (!/^[1-9]\d{0,15}$/.test(id)) return 'unknown';
    const log = this.#sellers.get(keyOf(seller));
    const index = log?.events.findIndex((told) => told.id === id) ?? -1;
    if (index >= 0) return { missed: log?.events.slice(index + 1) ?? [] };
    const sequence = Number(id);
    if (sequence > this.#last) return 'unknown';
    const oldest = log?.trimmed ? Number(log.events[0]?.id) : (this.#first ?? Number.POSITIVE_INFINITY);
    return sequence < oldest ? { missed: log?.events ?? [] } : 'unknown';
  }

  /** Calls back for what the seller is told from now on, until the function that it returns is called. */
  listen(seller: SellerKey, tell: (told: Told) => void): () => void {
    const key = keyOf(seller);
    const log = this.#open(seller);
    log.listeners.add(tell);
    return () => {
      log.listeners.delete(tell);
      if (log.listeners.size + log.events.length === 0 && !log.trimmed) this.#sellers.delete(key);
    };
  }

  #open(seller: SellerKey): SellerLog {
    const key = keyOf(seller);
    const known = this.#sellers.get(key);
    if (known !== undefined) {
      // Who was heard of last is forgotten last.
      this.#sellers.delete(key);
      this.#sellers.set(key, known);
      return known;
    }
    const log: SellerLog = { events: [], trimmed: false, listeners: new Set() };
    this.#sellers.set(key, log);
    if (this.#sellers.size > this.#options.maxSellers) this.#forgetOne();
    return log;
  }

  #forgetOne(): void {
    for (const [key, { listeners }] of this.#sellers) {
      if (listeners.size > 0) continue;
      this.#sellers.delete(key);
      return;
    }
  }
}

function keyOf({ tenant, seller }: SellerKey): string {
  return `${tenant}/${seller}`;
}
