// The keys of one kind as they come in, and sorted as a snapshot holds them, each once. Flat arrays that grow: a million keys are no
// million objects.
import { compareBytes } from './snapshot-format.js';

/** Two users have the key at this place: the first one keeps it. */
export type OnShared = (place: number, kept: number, other: number) => void;

/** What both kinds of tables have: whose keys they are. Users are given by their place in the order in which they came. */
abstract class KeyTable {
  #users = new Uint32Array(64);
  protected count = 0;
  /** The places of the keys that are kept, sorted; empty before sort(). */
  order = new Uint32Array(0);

  user(place: number): number {
    return this.#users[place] ?? 0;
  }

  protected append(user: number): void {
    if (this.count === this.#users.length) this.#users = grown(this.#users);
    this.#users[this.count] = user;
    this.count += 1;
  }

  protected abstract compare(a: number, b: number): number;

  /** Sorts the keys. Of users with the same key the one with the lowest rank keeps it; each other one is told once. */
  sort(rank: Uint32Array, onShared: OnShared): void {
    const rankOf = (place: number) => rank[this.user(place)] ?? 0;
    const order = new Uint32Array(this.count);
    for (let place = 0; place < order.length; place += 1) order[place] = place;
    order.sort((a, b) => this.compare(a, b) || rankOf(a) - rankOf(b));
    let [kept, last, before] = [0, -1, -1];
    for (const place of order) {
      const user = this.user(place);
      if (last < 0 || this.compare(last, place) !== 0) {
        order[kept] = place;
        kept += 1;
        last = place;
      } else if (user !== before) onShared(place, this.user(last), user);
      before = user;
    }
    this.order = order.slice(0, kept);
  }
}

/** Numbers, or prefixes of numbers. */
export class NumberTable extends KeyTable {
  #digits = new Float64Array(64);

  add(digits: number, user: number): void {
    if (this.count === this.#digits.length) this.#digits = grown(this.#digits);
    this.#digits[this.count] = digits;
    this.append(user);
  }

  digits(place: number): number {
    return this.#digits[place] ?? 0;
  }

  /** The lengths that occur, as bits: what a search for the longest prefix has to try. */
  lengths(): number {
    return this.order.reduce((bits, place) => bits | (1 << String(this.digits(place)).length), 0);
  }

  protected override compare(a: number, b: number): number {
    return this.digits(a) - this.digits(b);
  }
}

/** Addresses, or wildcards: texts one after the other, compared by their bytes. */
export class TextTable extends KeyTable {
  #texts = Buffer.alloc(1024);
  #ends = new Uint32Array(64);

  add(text: string, user: number): void {
    if (this.count === this.#ends.length) this.#ends = grown(this.#ends);
    const begin = this.#begin(this.count);
    // No character takes more than three bytes of UTF-8 for each of its UTF-16 units.
    while (begin + 3 * text.length > this.#texts.length)
      this.#texts = Buffer.concat([this.#texts], 2 * this.#texts.length);
    this.#ends[this.count] = begin + this.#texts.write(text, begin, 'utf8');
    this.append(user);
  }

  text(place: number): string {
    return this.#texts.toString('utf8', this.#begin(place), this.#ends[place]);
  }

  /** Copies a key's bytes; gives how many. */
  copy(place: number, target: Buffer, at: number): number {
    return this.#texts.copy(target, at, this.#begin(place), this.#ends[place]);
  }

  /** How many bytes the keys have that are kept. */
  keptBytes(): number {
    return this.order.reduce((sum, place) => sum + (this.#ends[place] ?? 0) - this.#begin(place), 0);
  }

  protected override compare(a: number, b: number): number {
    return compareBytes(
      this.#texts,
      this.#begin(a),
      this.#ends[a] ?? 0,
      this.#texts,
      this.#begin(b),
      this.#ends[b] ?? 0,
    );
  }

  #begin(place: number): number {
    return place === 0 ? 0 : (this.#ends[place - 1] ?? 0);
  }
}

function grown<T extends Uint32Array | Float64Array>(array: T): T {
  const larger = new (array.constructor as new (length: number) => T)(2 * array.length);
  larger.set(array);
  return larger;
}
