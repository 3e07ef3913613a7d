// Rules into the bytes of a snapshot. The same rules give the same bytes whatever their order, and so the same revision.
import { createHash } from 'node:crypto';
import { begins, type NumberTable, numberTable, type OnShared, type TextTable, textTable } from './key-tables.js';
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
  const sorted = [...rules].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const onShared: OnShared = (key, kept, other) =>
    options.onShared?.(keyText(key), sorted[kept]?.id ?? '', sorted[other]?.id ?? '');
  const tables = {
    numbers: numberTable(sorted, 'number', onShared),
    prefixes: numberTable(sorted, 'prefix', onShared),
    addresses: textTable(sorted, 'address', onShared),
    wildcards: textTable(sorted, 'wildcard', onShared),
  };
  let userBytesInPool = 0;
  for (const { id, name = '', upn = '' } of sorted) {
    for (const text of [id, name, upn]) userBytesInPool += Buffer.byteLength(text);
  }
  const counts: Counts = {
    users: sorted.length,
    numbers: tables.numbers.order.length,
    prefixes: tables.prefixes.order.length,
    addresses: tables.addresses.order.length,
    wildcards: tables.wildcards.order.length,
    poolBytes: userBytesInPool + tables.addresses.keptBytes + tables.wildcards.keptBytes,
    longestWildcard: tables.wildcards.longest,
  };
  const at = sections(counts);
  if (at.end > maxSnapshotBytes) {
    throw new PolicyError('snapshot', [{ path: '', message: `would be larger than ${maxSnapshotBytes} bytes` }]);
  }
  const out = Buffer.from(new ArrayBuffer(at.end));
  out.write(magic, 'latin1');
  out.writeUInt32LE(formatVersion, versionAt);
  for (const [index, field] of countFields.entries()) out.writeUInt32LE(counts[field], countsAt + 4 * index);
  let pool = writeUsers(sorted, out, at.users, at.pool);
  writeNumbers(tables.numbers, out, at.numbers);
  writeNumbers(tables.prefixes, out, at.prefixes);
  pool = writeTexts(tables.addresses, out, at.addresses, at.pool, pool);
  writeTexts(tables.wildcards, out, at.wildcards, at.pool, pool);
  const { revision = createHash('sha256').update(out).digest('hex').slice(0, 12) } = options;
  out.write(revision, revisionAt, revisionBytes, 'utf8');
  return { bytes: new Uint8Array(out.buffer, 0, at.end), revision };
}

function writeUsers(users: readonly PolicyRule[], out: Buffer, at: number, poolAt: number): number {
  let pool = 0;
  for (const [index, { id, name = '', upn = '' }] of users.entries()) {
    let entry = at + userBytes * index;
    entry = out.writeUInt32LE(pool, entry);
    for (const text of [id, name, upn]) {
      pool += out.write(text, poolAt + pool, 'utf8');
      entry = out.writeUInt32LE(pool, entry);
    }
  }
  return pool;
}

function writeNumbers({ digits, users, order }: NumberTable, out: Buffer, at: number): void {
  for (const [index, key] of order.entries()) {
    out.writeDoubleLE(digits[key] ?? 0, at + 8 * index);
    out.writeUInt32LE(users[key] ?? 0, at + 8 * order.length + 4 * index);
  }
}

function writeTexts({ texts, ends, users, order }: TextTable, out: Buffer, at: number, poolAt: number, begin: number) {
  let pool = begin;
  for (const [index, key] of order.entries()) {
    const entry = at + textBytes * index;
    out.writeUInt32LE(pool, entry);
    pool += texts.copy(out, poolAt + pool, begins(ends, key), ends[key]);
    out.writeUInt32LE(pool, entry + 4);
    out.writeUInt32LE(users[key] ?? 0, entry + 8);
  }
  return pool;
}
