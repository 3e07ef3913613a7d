// The calls of a tenant that are over, from the records that signalling has published: every instance gives the same ones, also a new one.
import type { CallRecord } from '@sidestream/proto/records/v1';
import { type Bus, type BusSession, oldestRecordAt, readRecords, SidestreamError } from '@sidestream/service';

export interface LastRecordsQuery {
  readonly tenant: string;
  readonly limit: number;
  /** Only calls that ended earlier. */
  readonly before?: Date | undefined;
}

/** The stream is read from its end in stretches of time, each longer than the one after it: nobody waits for what nobody asked for. */
const firstStretchMs = 60_000;
const growth = 4;
/** How much later than its call's end a record is written at most, as long as NATS is there. */
const writtenWithinMs = 60_000;
const deadlineMs = 10_000;

/**
 * The newest first.
 *
 * @param signal whoever asked has gone
 * @throws SidestreamError `not-ready` while NATS is away, `deadline-exceeded` where too much would have to be read
 */
export function lastRecords(bus: Bus, query: LastRecordsQuery, signal?: AbortSignal): Promise<CallRecord[]> {
  return reading(bus, signal, async (session) => {
    const { tenant, limit, before = new Date(Date.now() + writtenWithinMs) } = query;
    const giveUpAt = performance.now() + deadlineMs;
    const oldest = await oldestRecordAt(session);
    let found: CallRecord[] = [];
    let until = new Date(before.getTime() + writtenWithinMs);
    for (let stretchMs = firstStretchMs; oldest !== undefined && until > oldest; stretchMs *= growth) {
      const since = new Date(Math.max(oldest.getTime(), until.getTime() - stretchMs));
      const stretch: CallRecord[] = [];
      for await (const record of readRecords(session, { tenant, since, until })) {
        signal?.throwIfAborted();
        if (performance.now() > giveUpAt) throw new SidestreamError('deadline-exceeded', 'too many records to look at');
        if (record.endedAt === undefined || record.endedAt >= before) continue;
        stretch.push(record);
        if (stretch.length > limit) stretch.shift();
      }
      found = [...stretch, ...found].slice(-limit);
      if (found.length === limit) break;
      until = since;
    }
    return found.sort((one, other) => endOf(other) - endOf(one));
  });
}

/**
 * @param signal whoever asked has gone
 * @throws SidestreamError `not-found`, also for a call of another tenant; `bad-request` for what is no id; `not-ready` while NATS is away
 */
export function recordOf(bus: Bus, tenant: string, callId: string, signal?: AbortSignal): Promise<CallRecord> {
  return reading(bus, signal, async (session) => {
    for await (const record of readRecords(session, { tenant, callId })) return record;
    throw new SidestreamError('not-found', 'there is no record of such a call');
  });
}

async function reading<T>(
  { session }: Bus,
  signal: AbortSignal | undefined,
  read: (session: BusSession) => Promise<T>,
): Promise<T> {
  if (session === undefined) throw new SidestreamError('not-ready', 'NATS, which has the records, is away');
  try {
    return await read(session);
  } catch (error) {
    if (error instanceof SidestreamError || signal?.aborted) throw error;
    throw new SidestreamError('not-ready', 'NATS, which has the records, does not answer', { cause: error });
  }
}

function endOf({ endedAt }: CallRecord): number {
  return endedAt?.getTime() ?? 0;
}
