// What the streams of Sidestream are in JetStream's own terms, buckets included, and how one that is there differs.
import type { StreamConfig } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import {
  bucketDefinitions,
  eventStream,
  objectStoreDefinitions,
  type RecordRetention,
  recordStream,
} from './layout.js';

/** A stream as far as its limits matter. */
export interface WantedStream {
  readonly name: string;
  readonly subjects: readonly string[];
  /** Nanoseconds; 0: for ever. */
  readonly max_age: number;
  readonly max_bytes: number;
  readonly num_replicas: number;
}

/** @param policies whether policies come from a provider: only then there are snapshots */
export function wantedStreams({
  records,
  replicas,
  policies,
}: {
  readonly records: RecordRetention;
  readonly replicas: number;
  readonly policies: boolean;
}): WantedStream[] {
  const streams = [eventStream, recordStream(records)].map(({ name, subjects, max_age, max_bytes }) => ({
    ...{ name, subjects, max_age, max_bytes },
  }));
  const buckets = Object.entries(bucketDefinitions).map(([bucket, { ttl, max_bytes }]) => ({
    name: `KV_${bucket}`,
    subjects: [`$KV.${bucket}.>`],
    max_age: nanos(ttl),
    max_bytes,
  }));
  const stores = Object.entries(objectStoreDefinitions).map(([store, { max_bytes }]) => ({
    name: `OBJ_${store}`,
    subjects: [`$O.${store}.C.>`, `$O.${store}.M.>`],
    max_age: 0,
    max_bytes,
  }));
  return [...streams, ...buckets, ...(policies ? stores : [])].map((one) => ({ ...one, num_replicas: replicas }));
}

/** What is other than wanted, for people; empty: nothing. */
export function streamDifferences(wanted: WantedStream, found: StreamConfig): string[] {
  const compared = { ...wanted, subjects: [...wanted.subjects].sort().join(' ') };
  const there = { ...found, subjects: [...(found.subjects ?? [])].sort().join(' ') };
  return (['subjects', 'max_age', 'max_bytes', 'num_replicas'] as const).flatMap((key) =>
    there[key] === compared[key] ? [] : [`${key} is ${there[key]}, not ${compared[key]}`],
  );
}
