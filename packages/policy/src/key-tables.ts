// The keys of one kind, sorted as a snapshot holds them, each once. Flat arrays: a million keys are no million objects.
import type { PolicyKey } from './policy-key.js';
import { compareBytes } from './snapshot-format.js';

/** The key belongs to two users, who are given by their place; the first one keeps it. */
export type OnShared = (key: PolicyKey, kept: number, other: number) => void;

type Keyed = readonly { readonly keys: readonly PolicyKey[] }[];

export interface NumberTable {
  readonly digits: Float64Array;
  readonly users: Uint32Array;
  /** The places of the keys that are kept, sorted. */
  readonly order: Uint32Array;
}

export function numberTable(rules: Keyed, kind: 'number' | 'prefix', onShared: OnShared): NumberTable {
  const count = countOf(rules, kind);
  const digits = new Float64Array(count);
  const users = new Uint32Array(count);
  let next = 0;
  for (const [user, { keys }] of rules.entries()) {
    for (const key of keys) {
      if (key.kind !== kind) continue;
      digits[next] = key.digits;
      users[next] = user;
      next += 1;
    }
  }
  const order = sortedOnce(
    users,
    (a, b) => (digits[a] ?? 0) - (digits[b] ?? 0),
    (at, kept, other) => onShared({ kind, digits: digits[at] ?? 0 }, kept, other),
  );
  return { digits, users, order };
}

export interface TextTable {
  /** The keys one after the other, as they came. */
  readonly texts: Buffer;
  readonly ends: Uint32Array;
  readonly users: Uint32Array;
  /** The places of the keys that are kept, sorted by their bytes. */
  readonly order: Uint32Array;
  readonly keptBytes: number;
  /** Bytes of the longest key. */
  readonly longest: number;
}

export function textTable(rules: Keyed, kind: 'address' | 'wildcard', onShared: OnShared): TextTable {
  const count = countOf(rules, kind);
  const ends = new Uint32Array(count);
  const users = new Uint32Array(count);
  let [next, bytes] = [0, 0];
  for (const { keys } of rules) for (const key of keys) if (key.kind === kind) bytes += Buffer.byteLength(key.text);
  const texts = Buffer.allocUnsafeSlow(bytes);
  bytes = 0;
  for (const [user, { keys }] of rules.entries()) {
    for (const key of keys) {
      if (key.kind !== kind) continue;
      bytes += texts.write(key.text, bytes, 'utf8');
      ends[next] = bytes;
      users[next] = user;
      next += 1;
    }
  }
  const order = sortedOnce(
    users,
    (a, b) => compareBytes(texts, begins(ends, a), ends[a] ?? 0, texts, begins(ends, b), ends[b] ?? 0),
    (at, kept, other) => onShared({ kind, text: texts.toString('utf8', begins(ends, at), ends[at]) }, kept, other),
  );
  const lengths = (key: number) => (ends[key] ?? 0) - begins(ends, key);
  const keptBytes = order.reduce((sum, key) => sum + lengths(key), 0);
  return {
    texts,
    ends,
    users,
    order,
    keptBytes,
    longest: order.reduce((most, key) => Math.max(most, lengths(key)), 0),
  };
}

/** Where the text of this place begins: where the one before ends. */
export function begins(ends: Uint32Array, place: number): number {
  return place === 0 ? 0 : (ends[place - 1] ?? 0);
}

function countOf(rules: Keyed, kind: PolicyKey['kind']): number {
  let count = 0;
  for (const { keys } of rules) for (const key of keys) if (key.kind === kind) count += 1;
  return count;
}

/** The places in the order of their keys, of equal keys only that of the first user. */
function sortedOnce(
  users: Uint32Array,
  compare: (a: number, b: number) => number,
  onShared: (at: number, kept: number, other: number) => void,
): Uint32Array {
  const user = (place: number) => users[place] ?? 0;
  const order = new Uint32Array(users.length);
  for (let place = 0; place < order.length; place += 1) order[place] = place;
  order.sort((a, b) => compare(a, b) || user(a) - user(b));
  let kept = 0;
  let last = -1;
  let lastShared = -1;
  for (const place of order) {
    if (last < 0 || compare(last, place) !== 0) {
      order[kept] = place;
      kept += 1;
      last = place;
      lastShared = user(place);
    } else if (user(place) !== lastShared) {
      onShared(place, user(last), user(place));
      lastShared = user(place);
    }
  }
  return order.slice(0, kept);
}
