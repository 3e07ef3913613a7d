// Publishes the records of calls on JetStream, on a stream of their own, beside the work: it never throws and nobody waits for it.
import { CallRecord } from '@sidestream/proto/records/v1';
import {
  type Bus,
  type BusSession,
  type Logger,
  Outbox,
  RateLimit,
  type RecordRetention,
  recordSubject,
} from '@sidestream/service';
import { Counter, Gauge, type Registry } from 'prom-client';

export interface RecordPublisherOptions {
  readonly retention: RecordRetention;
  readonly log: Logger;
  readonly metrics: Registry;
  /** How many records wait while NATS is away; then the oldest is lost, counted and logged. */
  readonly capacity?: number;
}

/** A record is some kilobytes. */
const usualCapacity = 10_000;
/** Log lines of losses. */
const lossLines = { perSecond: 0.1, burst: 1 };

export class RecordPublisher {
  readonly #outbox: Outbox;
  readonly #log: Logger;
  #prepared: BusSession | undefined;

  constructor(bus: Bus, { retention, log, metrics, capacity = usualCapacity }: RecordPublisherOptions) {
    this.#log = log;
    const registers = [metrics];
    const published = new Counter({
      name: 'sidestream_call_records_published_total',
      help: 'Records of calls that JetStream has acknowledged.',
      registers,
    });
    const lost = new Counter({
      name: 'sidestream_call_records_lost_total',
      help: 'Records of calls that were lost because too many waited to be published.',
      registers,
    });
    const lines = new RateLimit({ ...lossLines, clock: () => performance.now(), maxKeys: 1 });
    const outbox = new Outbox(bus, {
      log,
      capacity,
      onPublished: () => published.inc(),
      onDropped: () => {
        lost.inc();
        if (lines.take(''))
          log.error({ capacity }, 'records of calls are lost: they could not be published for too long');
      },
      prepare: async (session) => {
        if (this.#prepared === session) return;
        const refused = await session.prepareRecords(retention);
        if (refused !== undefined)
          log.error(
            { err: refused, ...retention },
            'stream RECORDS keeps its retention of before: NATS refuses the configured one',
          );
        this.#prepared = session;
      },
    });
    this.#outbox = outbox;
    new Gauge({
      name: 'sidestream_call_records_waiting',
      help: 'Records of calls that wait to be published.',
      registers,
      collect() {
        this.set(outbox.waiting);
      },
    });
  }

  /** Returns at once. */
  publish(record: CallRecord): void {
    const { tenant, callId } = record;
    this.#outbox.add({
      subject: recordSubject(tenant, callId),
      id: callId,
      payload: CallRecord.encode(record).finish(),
    });
  }

  /** Gives what waits up to `flushMs` to leave, then ends. */
  async close(flushMs: number): Promise<void> {
    const left = await this.#outbox.close(flushMs);
    if (left > 0) this.#log.error({ records: left }, 'records of calls are lost: they could not be published');
  }
}
