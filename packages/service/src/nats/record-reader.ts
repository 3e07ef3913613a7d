// Reads the records of calls that are over, as signalling has published them: from the oldest wanted one to the newest.
import { type Consumer, DeliverPolicy, JetStreamApiError } from '@nats-io/jetstream';
import { CallRecord } from '@sidestream/proto/records/v1';
import { SidestreamError } from '../errors.js';
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
 * @throws SidestreamError `not-ready` when NATS does not answer any more, `bad-request` for a name that is none
 */
export async function* readRecords(session: BusSession, query: RecordQuery): AsyncGenerator<CallRecord> {
  const { tenant = '*', callId = '*', since, until } = query;
  for (const given of [query.tenant, query.callId])
    if (given !== undefined && !/^[^\s.>*]+$/.test(given))
      throw new SidestreamError('bad-request', `no tenant or call has the name '${given}'`);
  const { jetstream } = session;
  let consumer: Consumer | undefined;
  try {
    consumer = await jetstream.consumers.get(stream, {
      inactive_threshold: inactiveMs,
      filter_subjects: recordSubject(tenant, callId),
      ...(since === undefined
        ? { deliver_policy: DeliverPolicy.All }
        : { deliver_policy: DeliverPolicy.StartTime, opt_start_time: since.toISOString() }),
    });
    let left = (await consumer.info()).num_pending;
    while (left > 0) {
      let came = 0;
      for await (const message of await consumer.fetch({ max_messages: Math.min(batch, left), expires: waitMs })) {
        came += 1;
        if (until !== undefined && message.time >= until) return;
        yield CallRecord.decode(message.data);
      }
      if (came === 0) throw new SidestreamError('not-ready', 'NATS gives no more records, though there are some');
      left -= came;
    }
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === streamNotFound) return;
    throw error;
  } finally {
    consumer?.delete().catch(() => undefined);
  }
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
