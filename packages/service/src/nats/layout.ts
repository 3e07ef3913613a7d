// What Sidestream keeps in JetStream: names and limits in one place.
import { nanos } from '@nats-io/transport-node';

/** Leases end by the bucket's TTL: per-key TTL is silently ignored by servers before 2.11. */
export const leaseTtlMs = 6_000;

const day = 24 * 3_600_000;

/** Every event, for a week; a repeated id within two minutes is one event. */
export const eventStream = {
  name: 'EVENTS',
  subjects: ['events.>'],
  max_age: nanos(7 * day),
  max_bytes: 1024 * 1024 * 1024,
  duplicate_window: nanos(120_000),
};

/** How long, and how many, records of calls are kept; the oldest go first. */
export interface RecordRetention {
  readonly maxAgeMs: number;
  readonly maxBytes: number;
}

/** One message for each call that is over: `records.<tenant>.<call id>`. */
export function recordStream({ maxAgeMs, maxBytes }: RecordRetention) {
  return {
    name: 'RECORDS',
    subjects: ['records.>'],
    max_age: nanos(maxAgeMs),
    max_bytes: maxBytes,
    duplicate_window: nanos(Math.min(120_000, maxAgeMs)),
  };
}

export const bucketDefinitions = {
  leases: { ttl: leaseTtlMs, history: 1, max_bytes: 16 * 1024 * 1024 },
  policies: { ttl: 0, history: 1, max_bytes: 16 * 1024 * 1024 },
  registrations: { ttl: 0, history: 1, max_bytes: 16 * 1024 * 1024 },
  recordings: { ttl: day, history: 1, max_bytes: 256 * 1024 * 1024 },
} as const;

export type BucketName = keyof typeof bucketDefinitions;

/** The policies' contents, to which the pointers in the bucket `policies` lead. */
export const objectStoreDefinitions = {
  'policy-snapshots': { max_bytes: 8 * 1024 * 1024 * 1024 },
} as const;

export type ObjectStoreName = keyof typeof objectStoreDefinitions;
