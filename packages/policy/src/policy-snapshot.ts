// The policy as the call path uses it: an immutable index inside one block of bytes, swapped as a whole. Where it comes from
// is a service's business.
import { PolicyError } from './policy-error.js';
import type { PolicyKey } from './policy-key.js';
import type { SellerIdentity } from './seller-identity.js';
import {
  type Counts,
  countFields,
  countsAt,
  formatVersion,
  headerBytes,
  magic,
  maxSnapshotBytes,
  revisionAt,
  revisionBytes,
  sections,
  versionAt,
} from './snapshot-format.js';
import { SnapshotReader } from './snapshot-reader.js';

/** A user whom the policy names. */
export interface Seller {
  readonly id: string;
  readonly name?: string;
  readonly upn?: string;
}

/** When the source confirmed the policy last, and what to do when that is too long ago. */
export interface Freshness {
  readonly checkedAt: Date;
  readonly rule: StaleRule;
  readonly maxAgeMs: number;
}

/** What a stale policy does: decide as usual, record nobody, record everybody. */
export type StaleRule = 'keep' | 'record-none' | 'record-all';

/** Who an identity belongs to, and by which kind of key. */
export interface Match {
  readonly seller: Seller;
  readonly by: PolicyKey['kind'];
}

export interface PolicySnapshot {
  /** Names the content. */
  readonly revision: string;
  /** When the content was fetched, if that is known. */
  readonly fetchedAt: Date | undefined;
  /** Undefined for what cannot go stale, such as a file. */
  readonly freshness: Freshness | undefined;
  /** How many users the policy names. */
  readonly size: number;
  /** The whole snapshot, as it is stored and sent. Must never be written to. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The user at this place, in the order of ids; undefined past the end. */
  user(index: number): Seller | undefined;
  /** What names `count` users from this place on. Looks at every key there is: for people, not for calls. */
  keys(first: number, count: number): readonly (readonly PolicyKey[])[];
  /** Exact number, else exact address, else the longest prefix, else the longest wildcard. Never throws. */
  find(identity: SellerIdentity): Match | undefined;
  /** The same content with another freshness; shares the bytes. */
  confirmed(freshness: Freshness): PolicySnapshot;
}

/** What is known of the content besides the content. */
export interface SnapshotOrigin {
  readonly fetchedAt?: Date;
  readonly freshness?: Freshness;
  /** What an error calls the policy. */
  readonly source?: string;
}

/**
 * The snapshot in these bytes, which it keeps and which nobody may change from now on. Takes the same few microseconds however
 * many users there are: header and sizes are checked here, every later read checks itself.
 * @throws PolicyError when the bytes are no snapshot of this version
 */
export function openSnapshot(bytes: Uint8Array<ArrayBuffer>, origin: SnapshotOrigin = {}): PolicySnapshot {
  const refuse = (message: string) => new PolicyError(origin.source ?? 'snapshot', [{ path: '', message }]);
  if (bytes.length < headerBytes) throw refuse(`${bytes.length} bytes are no snapshot`);
  if (bytes.length > maxSnapshotBytes) throw refuse(`more than ${maxSnapshotBytes} bytes`);
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, headerBytes);
  if (header.toString('latin1', 0, magic.length) !== magic) throw refuse('the bytes are no snapshot');
  const version = header.readUInt32LE(versionAt);
  if (version !== formatVersion) throw refuse(`snapshot version ${version} is unknown, only ${formatVersion} is known`);
  const field = (name: keyof Counts) => header.readUInt32LE(countsAt + 4 * countFields.indexOf(name));
  const counts: Counts = {
    users: field('users'),
    numbers: field('numbers'),
    prefixes: field('prefixes'),
    addresses: field('addresses'),
    wildcards: field('wildcards'),
    poolBytes: field('poolBytes'),
    prefixLengths: field('prefixLengths'),
  };
  const { end } = sections(counts);
  if (end !== bytes.length) throw refuse(`${bytes.length} bytes where the header says ${end}`);
  const revision = header.toString('utf8', revisionAt, revisionAt + revisionBytes).replace(/\0+$/, '');
  if (revision === '' || revision.includes('\0')) throw refuse('there is no revision');
  const { fetchedAt, freshness } = origin;
  return snapshotOver({ bytes, revision, fetchedAt, freshness }, new SnapshotReader(bytes, counts));
}

type Content = Pick<PolicySnapshot, 'bytes' | 'revision' | 'fetchedAt' | 'freshness'>;

function snapshotOver(content: Content, reader: SnapshotReader): PolicySnapshot {
  return Object.freeze({
    ...content,
    size: reader.size,
    user: (index: number) => reader.user(index),
    keys: (first: number, count: number) => reader.keys(first, count),
    find: (identity: SellerIdentity) => reader.find(identity),
    confirmed: (freshness: Freshness) => snapshotOver({ ...content, freshness }, reader),
  });
}
