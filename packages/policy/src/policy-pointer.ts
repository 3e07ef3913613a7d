// What the KV store holds of a tenant's policy: where its snapshot is and when the source confirmed it last. The times are here and
// not in the snapshot, so that a list that has not changed needs no new one.
import { z } from 'zod';
import { maxSnapshotBytes } from './snapshot-format.js';

const time = z.iso.datetime();

/** Value of `policies/<tenant>`, JSON. Fields that are not known are ignored: a newer writer may say more. */
export const policyPointer = z.object({
  version: z.literal(1),
  /** Of the snapshot's content. */
  revision: z.string().min(1).max(64),
  /** Name in the object store. */
  object: z.string().min(1).max(256),
  /** Size of the object. */
  bytes: z.int().min(1).max(maxSnapshotBytes),
  /** SHA-256 of the object, lower-case hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits'),
  /** How many users the policy names. */
  users: z.int().min(0),
  /** When the source last gave another content. */
  fetchedAt: time,
  /** When the source last confirmed the content. */
  checkedAt: time,
});

export type PolicyPointer = z.infer<typeof policyPointer>;
