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

/** An id, or a place in the stream; and, where that alone would not do, the event that was told there last: `20.13`. */
const placePattern = /^(\d{1,15})(?:\.(\d{1,15}))?$/;

/** `unknown`: it is no place. `ahead`: no such place has been reached. */
export type Resumption = { readonly missed: readonly Told[] } | 'unknown' | 'ahead';

export class DialerLog {
  readonly #options: DialerLogOptions;
  /** In the order in which sellers were told something last. */
  readonly #events = new Map<string, Kept[]>();
  readonly #listeners = new Map<string, Set<(told: Told) => void>>();
  readonly #awaited = new Map<() => void, number>();
  /** Sequence of the last event of the stream that was read. */
  #last = 0;
  /** What was told before is forgotten, though some of it may still be here. */
  #oldestMs = Number.NEGATIVE_INFINITY;

  constructor(options: DialerLogOptions) {
    this.#options = options;
  }

  get sellers(): number {
    let silent = 0;
    for (const key of this.#listeners.keys()) if (!this.#events.has(key)) silent += 1;
    return this.#events.size + silent;
  }

  /** From where a seller's dialer resumes that has been told nothing yet. */
  placeOf(seller: SellerKey): string {
    const last = this.#events.get(keyOf(seller))?.at(-1);
    // What a deadline has told here already is not told again, as it would be to who came before it.
    return last?.at === this.#last && isLate(last) ? `${this.#last}.${last.told.id}` : String(this.#last);
  }

  /** An event of the stream was read, whether it tells anybody anything or not. */
  read(sequence: number): void {
    this.#last = sequence;
    for (const [reached, place] of this.#awaited) if (place <= sequence) reached();
  }

  /** The stream has begun anew: no id of before means anything any more. Who listens stays. */
  restart(): void {
    this.#last = 0;
    this.#events.clear();
  }

  add(told: Told, atMs: number): void {
    const key = keyOf(told);
    const events = this.#events.get(key) ?? [];
    events.push({ told, at: this.#last, atMs });
    while (events.length > this.#options.eventsPerSeller || this.#isOld(events[0])) events.shift();
    this.#events.delete(key);
    this.#events.set(key, events);
    if (this.#events.size > this.#options.maxSellers) this.#forgetOne();
    for (const tell of [...(this.#listeners.get(key) ?? [])]) tell(told);
  }

  /** Forgets what was told before. Costs as much as there are sellers who were told nothing since. */
  forget(beforeMs: number): void {
    this.#oldestMs = beforeMs;
    for (const [key, events] of this.#events) {
      if (events.length > 0 && !this.#isOld(events.at(-1))) break;
      this.#events.delete(key);
    }
  }

  /** What came after the event of this id, or after this place; all that is left where that is kept no more. */
  after(seller: SellerKey, id: string): Resumption {
    const [, place, last = place] = placePattern.exec(id) ?? [];
    if (place === undefined) return 'unknown';
    if (Number(place) > this.#last) return 'ahead';
    const events = (this.#events.get(keyOf(seller)) ?? []).filter((event) => !this.#isOld(event));
    const index = events.findIndex(({ told }) => told.id === last);
    const isLater = (event: Kept) =>
      Number(event.told.id) > Number(place) || (isLate(event) && event.at >= Number(place));
    // Calls of a stream that was lost tell by 0, and more than one may.
    const missed = id === '0' ? events : index >= 0 ? events.slice(index + 1) : events.filter(isLater);
    return { missed: missed.map(({ told }) => told) };
  }

  /** Calls back once, when the stream has been read up to this place, unless the function that it returns is called before. */
  whenReached(id: string, then: () => void): () => void {
    const reached = () => {
      this.#awaited.delete(reached);
      then();
    };
    this.#awaited.set(reached, Number.parseInt(id, 10));
    return () => this.#awaited.delete(reached);
  }

  /** Calls back for what the seller is told from now on, until the function that it returns is called. */
  listen(seller: SellerKey, tell: (told: Told) => void): () => void {
    const key = keyOf(seller);
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners.add(tell));
    return () => {
      if (listeners.delete(tell) && listeners.size === 0) this.#listeners.delete(key);
    };
  }

  #isOld(event: Kept | undefined): boolean {
    return event !== undefined && event.atMs < this.#oldestMs;
  }

  /** Whoever listens may have to come back. */
  #forgetOne(): void {
    for (const key of this.#events.keys()) {
      if (this.#listeners.has(key)) continue;
      this.#events.delete(key);
      return;
    }
  }
}

/** A deadline that has passed tells by an id that is older than the place at which it does. */
function isLate({ told, at }: Kept): boolean {
  return Number(told.id) < at;
}

function keyOf({ tenant, seller }: SellerKey): string {
  return `${tenant}/${seller}`;
}
