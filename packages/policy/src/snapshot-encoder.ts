// Users and their keys into the bytes of a snapshot. The same ones give the same bytes whatever their order, and so the same revision.
import { createHash } from 'node:crypto';
import { NumberTable, TextTable } from './key-tables.js';
import { PolicyError } from './policy-error.js';
import { keyText, type PolicyKey } from './policy-key.js';
import type { Seller } from './policy-snapshot.js';
import {
  type Counts,
  countFields,
  countsAt,
  formatVersion,
  magic,
  maxSnapshotBytes,
  revisionAt,
  revisionBytes,
  sections,
  textBytes,
  userBytes,
  versionAt,
} from './snapshot-format.js';

/** One user and what names it. */
export interface PolicyRule extends Seller {
  readonly keys: readonly PolicyKey[];
}

export interface EncodeOptions {
  /** The revision; else the first 12 hex digits of the SHA-256 of the content. */
  readonly revision?: string;
  /** Two users share a key: it belongs to the one whose id sorts first. */
  readonly onShared?: (key: string, kept: string, other: string) => void;
}

export interface EncodedSnapshot {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly revision: string;
}

/**
 * The snapshot of these rules. Ids must be unique.
 * @throws PolicyError when the policy is larger than a snapshot may be
 */
export function encodeSnapshot(rules: Iterable<PolicyRule>, options: EncodeOptions = {}): EncodedSnapshot {
  const encoder = new SnapshotEncoder();
  for (const rule of rules) {
    const user = encoder.addUser(rule);
    for (const key of rule.keys) encoder.addKey(user, key);
  }
  return encoder.encode(options);
}

/** Takes users and keys one after the other; holds a million of them in flat arrays. */
export class SnapshotEncoder {
  readonly #users: Seller[] = [];
  readonly #tables = {
    number: new NumberTable(),
    prefix: new NumberTable(),
    address: new TextTable(),
    wildcard: new TextTable(),
  };

  /** How many users there are. */
  get size(): number {
    return this.#users.length;
  }

  /** The user at this place, in the order in which they were added. */
  user(place: number): Seller | undefined {
    return this.#users[place];
  }

  /** Adds a user whose id no other one has; gives its place. */
  addUser({ id, name, upn }: Seller): number {
    return this.#users.push({ id, ...(name !== undefined && { name }), ...(upn !== undefined && { upn }) }) - 1;
  }

  /** Describes the user at this place anew. */
  replaceUser(place: number, user: Seller): void {
    this.#users[place] = user;
  }

  addKey(user: number, key: PolicyKey): void {
    if ('digits' in key) this.#tables[key.kind].add(key.digits, user);
    else this.#tables[key.kind].add(key.text, user);
  }

  /** @throws PolicyError when the policy is larger than a snapshot may be */
  encode({ revision, onShared }: EncodeOptions): EncodedSnapshot {
    const { number, prefix, address, wildcard } = this.#tables;
    const order = this.#sortedUsers();
    const rank = new Uint32Array(order.length);
    for (const [index, place] of order.entries()) rank[place] = index;
    const shared = (key: PolicyKey, kept: number, other: number) =>
      onShared?.(keyText(key), this.#users[kept]?.id ?? '', this.#users[other]?.id ?? '');
    for (const kind of ['number', 'prefix'] as const) {
      const table = this.#tables[kind];
      table.sort(rank, (place, ...users) => shared({ kind, digits: table.digits(place) }, ...users));
    }
    for (const kind of ['address', 'wildcard'] as const) {
      const table = this.#tables[kind];
      table.sort(rank, (place, ...users) => shared({ kind, text: table.text(place) }, ...users));
    }
    let poolBytes = address.keptBytes() + wildcard.keptBytes();
    for (const user of this.#users) for (const text of textsOf(user)) poolBytes += Buffer.byteLength(text);
    const counts: Counts = {
      users: order.length,
      numbers: number.order.length,
      prefixes: prefix.order.length,
      addresses: address.order.length,
      wildcards: wildcard.order.length,
      poolBytes,
      prefixLengths: prefix.lengths(),
    };
    const at = sections(counts);
    if (at.end > maxSnapshotBytes) {
      throw new PolicyError('snapshot', [{ path: '', message: `would be larger than ${maxSnapshotBytes} bytes` }]);
    }
    const out = Buffer.from(new ArrayBuffer(at.end));
    out.write(magic, 'latin1');
    out.writeUInt32LE(formatVersion, versionAt);
    for (const [index, field] of countFields.entries()) out.writeUInt32LE(counts[field], countsAt + 4 * index);
    const pool = new Pool(out.subarray(at.pool));
    this.#writeUsers(order, out.subarray(at.users), pool);
    writeNumbers(number, rank, out.subarray(at.numbers));
    writeNumbers(prefix, rank, out.subarray(at.prefixes));
    writeTexts(address, rank, out.subarray(at.addresses), pool);
    writeTexts(wildcard, rank, out.subarray(at.wildcards), pool);
    const name = revision ?? createHash('sha256').update(out).digest('hex').slice(0, 12);
    out.write(name, revisionAt, revisionBytes, 'utf8');
    return { bytes: new Uint8Array(out.buffer, 0, at.end), revision: name };
  }

  #sortedUsers(): Uint32Array {
    const id = (place: number) => this.#users[place]?.id ?? '';
    const order = new Uint32Array(this.#users.length);
    for (let place = 0; place < order.length; place += 1) order[place] = place;
    return order.sort((a, b) => (id(a) < id(b) ? -1 : id(a) > id(b) ? 1 : 0));
  }

  #writeUsers(order: Uint32Array, out: Buffer, pool: Pool): void {
    for (const [index, place] of order.entries()) {
      let at = out.writeUInt32LE(pool.length, userBytes * index);
      const user = this.#users[place];
      for (const text of user === undefined ? [] : textsOf(user)) at = out.writeUInt32LE(pool.addText(text), at);
    }
  }
}

/** The texts of a snapshot, one after the other. */
class Pool {
  length = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Gives where the text ends. */
  addText(text: string): number {
    this.length += this.#bytes.write(text, this.length, 'utf8');
    return this.length;
  }

  /** The same of a key. */
  addKey(table: TextTable, place: number): number {
    this.length += table.copy(place, this.#bytes, this.length);
    return this.length;
  }
}

function textsOf({ id, name = '', upn = '' }: Seller): string[] {
  return [id, name, upn];
}

function writeNumbers(table: NumberTable, rank: Uint32Array, out: Buffer): void {
  for (const [index, place] of table.order.entries()) {
    out.writeDoubleLE(table.digits(place), 8 * index);
    out.writeUInt32LE(rank[table.user(place)] ?? 0, 8 * table.order.length + 4 * index);
  }
}

function writeTexts(table: TextTable, rank: Uint32Array, out: Buffer, pool: Pool): void {
  for (const [index, place] of table.order.entries()) {
    const at = out.writeUInt32LE(pool.length, textBytes * index);
    out.writeUInt32LE(pool.addKey(table, place), at);
    out.writeUInt32LE(rank[table.user(place)] ?? 0, at + 4);
  }
}
