// Lookups over a snapshot's bytes. The bytes are not trusted: an entry that points outside the pool is an empty text, a user
// that is not there is no match, and a search ends after the logarithm of the table's size whatever the order of its keys.
import { addressText, numberDigits, type PolicyKey } from './policy-key.js';
import type { Match, Seller } from './policy-snapshot.js';
import type { SellerIdentity } from './seller-identity.js';
import {
  type Counts,
  compareBytes,
  maxTextBytes,
  type Sections,
  sections,
  textBytes,
  userBytes,
} from './snapshot-format.js';

const encoder = new TextEncoder();
/** What is looked up: one address at a time, and nothing is awaited meanwhile. */
const wanted = new Uint8Array(maxTextBytes);
const hostEnd = '>'.charCodeAt(0);

type TextTable = 'addresses' | 'wildcards';

export class SnapshotReader {
  readonly size: number;
  readonly #view: DataView;
  readonly #counts: Counts;
  readonly #at: Sections;
  readonly #pool: Buffer;

  /** The sizes of the sections must have been checked against those of the bytes. */
  constructor(bytes: Uint8Array<ArrayBuffer>, counts: Counts) {
    this.size = counts.users;
    this.#counts = counts;
    this.#at = sections(counts);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#pool = Buffer.from(bytes.buffer, bytes.byteOffset + this.#at.pool, counts.poolBytes);
  }

  user(index: number): Seller | undefined {
    if (!Number.isInteger(index) || index < 0 || index >= this.size) return undefined;
    const entry = this.#at.users + userBytes * index;
    const text = (field: number) => this.#text(this.#u32(entry + 4 * field), this.#u32(entry + 4 * field + 4));
    const [id, name, upn] = [text(0), text(1), text(2)];
    return { id, ...(name === '' ? {} : { name }), ...(upn === '' ? {} : { upn }) };
  }

  /** What names the users from this place on. Looks at every key there is, which takes some milliseconds a million: not for calls. */
  keys(first: number, count: number): PolicyKey[][] {
    const found = Array.from({ length: Math.max(0, Math.min(count, this.size - first)) }, (): PolicyKey[] => []);
    for (const [table, kind] of [
      ['numbers', 'number'],
      ['prefixes', 'prefix'],
    ] as const) {
      const at = this.#at[table];
      const users = at + 8 * this.#counts[table];
      for (let index = 0; index < this.#counts[table]; index += 1) {
        const keys = found[this.#u32(users + 4 * index) - first];
        if (keys !== undefined) keys.push({ kind, digits: this.#view.getFloat64(at + 8 * index, true) });
      }
    }
    for (const [table, kind] of [
      ['addresses', 'address'],
      ['wildcards', 'wildcard'],
    ] as const) {
      for (let index = 0; index < this.#counts[table]; index += 1) {
        const entry = this.#at[table] + textBytes * index;
        const keys = found[this.#u32(entry + 8) - first];
        if (keys !== undefined) keys.push({ kind, text: this.#text(this.#u32(entry), this.#u32(entry + 4)) });
      }
    }
    return found;
  }

  find({ number, address }: SellerIdentity): Match | undefined {
    const length = address === undefined ? 0 : encoder.encodeInto(addressText(address), wanted).written;
    return (
      (number === undefined ? undefined : this.#byNumber('numbers', numberDigits(number), 'number')) ??
      (length === 0 ? undefined : this.#byText('addresses', length, 'address')) ??
      (number === undefined ? undefined : this.#byPrefix(number)) ??
      (length === 0 ? undefined : this.#byWildcard(length))
    );
  }

  #byPrefix(number: string): Match | undefined {
    const lengths = this.#counts.prefixLengths;
    for (let length = number.length - 1; length > 0; length -= 1) {
      if ((lengths & (1 << length)) === 0) continue;
      const match = this.#byNumber('prefixes', numberDigits(number.slice(0, length + 1)), 'prefix');
      if (match !== undefined) return match;
    }
    return undefined;
  }

  #byWildcard(wantedLength: number): Match | undefined {
    const shortest = wanted.indexOf(hostEnd) + 1;
    // Most hosts have none: the first key that is not below "host>" tells.
    if (!this.#beginsWith('wildcards', this.#lowerBound('wildcards', shortest), shortest)) return undefined;
    for (let length = wantedLength; length >= shortest; length -= 1) {
      const match = this.#byText('wildcards', length, 'wildcard');
      if (match !== undefined) return match;
    }
    return undefined;
  }

  #byNumber(table: 'numbers' | 'prefixes', digits: number, by: Match['by']): Match | undefined {
    const keys = this.#at[table];
    const count = this.#counts[table];
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const key = this.#view.getFloat64(keys + 8 * middle, true);
      if (key === digits) return this.#match(this.#u32(keys + 8 * count + 4 * middle), by);
      if (key < digits) low = middle + 1;
      else high = middle;
    }
    return undefined;
  }

  /** Looks up the first bytes of `wanted`. */
  #byText(table: TextTable, length: number, by: Match['by']): Match | undefined {
    const place = this.#lowerBound(table, length);
    if (this.#compare(table, place, length) !== 0) return undefined;
    return this.#match(this.#u32(this.#at[table] + textBytes * place + 8), by);
  }

  /** The place of the first key that is not below the first bytes of `wanted`; may be the end. */
  #lowerBound(table: TextTable, length: number): number {
    let low = 0;
    let high = this.#counts[table];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(table, middle, length) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Compares a key with the first bytes of `wanted`; one that is not there is below everything. */
  #compare(table: TextTable, place: number, length: number, keyBytes = maxTextBytes): number {
    if (place >= this.#counts[table]) return -1;
    const entry = this.#at[table] + textBytes * place;
    const from = this.#u32(entry);
    const to = this.#u32(entry + 4);
    if (!this.#isText(from, to)) return -1;
    return compareBytes(this.#pool, from, Math.min(to, from + keyBytes), wanted, 0, length);
  }

  #beginsWith(table: TextTable, place: number, length: number): boolean {
    return this.#compare(table, place, length, length) === 0;
  }

  #match(user: number, by: Match['by']): Match | undefined {
    const seller = this.user(user);
    return seller && { seller, by };
  }

  #text(from: number, to: number): string {
    return this.#isText(from, to) ? this.#pool.toString('utf8', from, to) : '';
  }

  #isText(from: number, to: number): boolean {
    return from <= to && to <= this.#pool.length && to - from <= maxTextBytes;
  }

  #u32(at: number): number {
    return this.#view.getUint32(at, true);
  }
}
