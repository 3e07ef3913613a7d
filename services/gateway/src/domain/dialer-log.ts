// What each seller was told of late, so that a dialer that comes back hears what it has missed; and who listens now.
import type { SellerKey, Told } from './dialer-event.js';

export interface DialerLogOptions {
  readonly eventsPerSeller: number;
  readonly maxSellers: number;
}

interface Kept {
  readonly told: Told;
  /** Place in the stream up to which it was read when this was told, and when that was. */
  readonly at: number;
  readonly atMs: number;
}

interface SellerLog {
  events: Kept[];
  readonly listeners: Set<(told: Told) => void>;
}

/** `unknown`: no such place has been reached, or it is none. */
export type Resumption = { readonly missed: readonly Told[] } | 'unknown';

export class DialerLog {
  readonly #options: DialerLogOptions;
  readonly #sellers = new Map<string, SellerLog>();
  /** Sequence of the last event of the stream that was read. */
  #last = 0;

  constructor(options: DialerLogOptions) {
    this.#options = options;
  }

  get sellers(): number {
    return this.#sellers.size;
  }

  /** From where somebody resumes who has been told nothing yet. */
  get place(): string {
    return String(this.#last);
  }

  /** An event of the stream was read, whether it tells anybody anything or not. */
  read(sequence: number): void {
    this.#last = sequence;
  }

  /** The stream has begun anew: no id of before means anything any more. Who listens stays. */
  restart(): void {
    this.#last = 0;
    this.forget(Number.POSITIVE_INFINITY);
  }

  add(told: Told, atMs: number): void {
    const log = this.#open(told);
    log.events.push({ told, at: this.#last, atMs });
    if (log.events.length > this.#options.eventsPerSeller) log.events.shift();
    for (const tell of [...log.listeners]) tell(told);
  }

  /** Forgets what was told before. */
  forget(beforeMs: number): void {
    for (const [key, log] of this.#sellers) {
      const old = log.events.findIndex(({ atMs }) => atMs >= beforeMs);
      if (old !== 0) log.events = old < 0 ? [] : log.events.slice(old);
      if (log.events.length + log.listeners.size === 0) this.#sellers.delete(key);
    }
  }

  /** What came after the event of this id, or after this place; all that is left where that is kept no more. */
  after(seller: SellerKey, id: string): Resumption {
    const place = Number(id);
    if (!/^\d{1,15}$/.test(id) || place > this.#last) return 'unknown';
    const events = this.#sellers.get(keyOf(seller))?.events ?? [];
    const index = events.findIndex(({ told }) => told.id === id);
    // A deadline that has passed tells by an id that is older than the place at which it does.
    const isLater = ({ told, at }: Kept) => Number(told.id) > place || (Number(told.id) < at && at >= place);
    const missed = index >= 0 ? events.slice(index + 1) : events.filter(isLater);
    return { missed: missed.map(({ told }) => told) };
  }

  /** Calls back for what the seller is told from now on, until the function that it returns is called. */
  listen(seller: SellerKey, tell: (told: Told) => void): () => void {
    const key = keyOf(seller);
    const log = this.#open(seller);
    log.listeners.add(tell);
    return () => {
      log.listeners.delete(tell);
      if (log.listeners.size + log.events.length === 0) this.#sellers.delete(key);
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
    const log: SellerLog = { events: [], listeners: new Set() };
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
