// The bytes of a snapshot: a fixed header, tables of fixed width, one pool of UTF-8. Little-endian; nothing is aligned, so
// that the bytes may lie anywhere. Writer and reader share this and nothing else.
//
//   header     magic, version, counts, revision (UTF-8, padded with 0)
//   users      4 × u32 each: where in the pool the id begins and where id, name and UPN end. Sorted by id.
//   numbers    f64 × n sorted keys, then u32 × n their users
//   prefixes   the same
//   addresses  3 × u32 each: begin and end of the key in the pool, its user. Sorted by the key's bytes.
//   wildcards  the same
//   pool       the texts of users, addresses and wildcards in this order

export const magic = 'SSPOLICY';
export const formatVersion = 1;
export const revisionBytes = 256;
/** Above a million users with long names, below what would harm a process. */
export const maxSnapshotBytes = 1024 * 1024 * 1024;
/** No text of a snapshot is longer: hostile bytes cannot make a lookup read more. */
export const maxTextBytes = 4096;

export interface Counts {
  readonly users: number;
  readonly numbers: number;
  readonly prefixes: number;
  readonly addresses: number;
  readonly wildcards: number;
  readonly poolBytes: number;
  /** Bit n: there are prefixes of n digits. */
  readonly prefixLengths: number;
}

/** The order of the fields in the header, after magic and version. */
export const countFields = [
  'users',
  'numbers',
  'prefixes',
  'addresses',
  'wildcards',
  'poolBytes',
  'prefixLengths',
] as const satisfies readonly (keyof Counts)[];

/** Bytes of one entry of a table. */
export const userBytes = 16;
export const numberBytes = 12;
export const textBytes = 12;

export const versionAt = magic.length;
export const countsAt = versionAt + 4;
export const revisionAt = countsAt + 4 * countFields.length;
export const headerBytes = revisionAt + revisionBytes;

export interface Sections {
  readonly users: number;
  readonly numbers: number;
  readonly prefixes: number;
  readonly addresses: number;
  readonly wildcards: number;
  readonly pool: number;
  readonly end: number;
}

/** Where each section begins. */
export function sections(counts: Counts): Sections {
  const users = headerBytes;
  const numbers = users + userBytes * counts.users;
  const prefixes = numbers + numberBytes * counts.numbers;
  const addresses = prefixes + numberBytes * counts.prefixes;
  const wildcards = addresses + textBytes * counts.addresses;
  const pool = wildcards + textBytes * counts.wildcards;
  return { users, numbers, prefixes, addresses, wildcards, pool, end: pool + counts.poolBytes };
}

/** Compares two texts by their bytes, as the tables are sorted: negative, 0 or positive. */
export function compareBytes(
  a: Uint8Array,
  aFrom: number,
  aTo: number,
  b: Uint8Array,
  bFrom: number,
  bTo: number,
): number {
  const shared = Math.min(aTo - aFrom, bTo - bFrom);
  for (let i = 0; i < shared; i += 1) {
    const difference = (a[aFrom + i] ?? 0) - (b[bFrom + i] ?? 0);
    if (difference !== 0) return difference;
  }
  return aTo - aFrom - (bTo - bFrom);
}
