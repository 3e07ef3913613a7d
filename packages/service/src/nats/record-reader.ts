// Reads the records of calls that are over, as signalling has published them: from the oldest wanted one to the newest.
import { type Consumer, type ConsumerMessages, DeliverPolicy, JetStreamApiError } from '@nats-io/jetstream';
import { CallRecord } from '@sidestream/proto/records/v1';
import { SidestreamError } from '../errors.js';
import { pause } from '../pause.js';
import type { BusSession } from './bus.js';
import { recordStream } from './layout.js';

export interface RecordQuery {
  /** Absent: of all. */
  readonly tenant?: string | undefined;
  readonly callId?: string | undefined;
  /** By the time at which the record was written: since inclusive, until exclusive. */
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
}

const batch = 200;
const waitMs = 5_000;
/** Who follows looks so often for the stream, which the first record makes. */
const noStreamMs = 500;
/** A reader that could not delete its consumer leaves it to the server, which takes it away after this. */
const inactiveMs = 30_000;
/** Of JetStream's errors. */
const streamNotFound = 10_059;
const { name: stream } = recordStream({ maxAgeMs: 0, maxBytes: 0 });

/** Subject under which a call's record is published. */
export function recordSubject(tenant: string, callId: string): string {
  return `records.${tenant}.${callId}`;
}

/**
 * Gives the records that there were when it began, the oldest first; none where no call has ended yet.
 *
 * @param follow until it aborts, those that come as well
 * @throws SidestreamError `not-ready` when NATS does not answer any more, `bad-request` for a name that is none
 */
export async function* readRecords(
  session: BusSession,
  query: RecordQuery,
  follow?: AbortSignal,
): AsyncGenerator<CallRecord> {
  for (const given of [query.tenant, query.callId])
    if (given !== undefined && !/^[^\s.>*]+$/.test(given))
      throw new SidestreamError('bad-request', `no tenant or call has the name '${given}'`);
  for (;;) {
    try {
      return yield* readStream(session, query, follow);
    } catch (error) {
      if (!(error instanceof JetStreamApiError) || error.code !== streamNotFound) throw error;
      if (follow === undefined || follow.aborted) return;
      await pause(noStreamMs, follow);
    }
  }
}

/** @throws JetStreamApiError where there is no stream */
async function* readStream(
  { jetstream }: BusSession,
  { tenant = '*', callId = '*', since, until }: RecordQuery,
  follow: AbortSignal | undefined,
): AsyncGenerator<CallRecord> {
  const consumer = await jetstream.consumers.get(stream, {
    inactive_threshold: inactiveMs,
    filter_subjects: recordSubject(tenant, callId),
    ...(since === undefined
      ? { deliver_policy: DeliverPolicy.All }
      : { deliver_policy: DeliverPolicy.StartTime, opt_start_time: since.toISOString() }),
  });
  try {
    let left = (await consumer.info()).num_pending;
    while (left > 0 || follow?.aborted === false) {
      let came = 0;
      for await (const message of await fetchSome(consumer, left > 0 ? Math.min(batch, left) : batch, follow)) {
        came += 1;
        if (until !== undefined && message.time >= until) return;
        yield CallRecord.decode(message.data);
      }
      if (follow?.aborted) return;
      if (came === 0 && left > 0)
        throw new SidestreamError('not-ready', 'NATS gives no more records, though there are some');
      left = Math.max(0, left - came);
    }
  } finally {
    consumer.delete().catch(() => undefined);
  }
}

/** Those that come within a while, at most so many; none any more when the signal aborts. */
async function fetchSome(consumer: Consumer, most: number, signal: AbortSignal | undefined): Promise<ConsumerMessages> {
  const messages = await consumer.fetch({ max_messages: most, expires: waitMs });
  if (signal === undefined) return messages;
  const stop = () => messages.stop();
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  void messages.closed().finally(() => signal.removeEventListener('abort', stop));
  return messages;
}

/**
 * When the oldest record that is kept was written; undefined where there is none.
 *
 * @throws Error when NATS does not answer
 */
export async function oldestRecordAt({ jetstream }: BusSession): Promise<Date | undefined> {
  try {
    const manager = await jetstream.jetstreamManager(false);
    const { state } = await manager.streams.info(stream);
    return state.messages === 0 ? undefined : new Date(state.first_ts);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === streamNotFound) return undefined;
    throw error;
  }
}
