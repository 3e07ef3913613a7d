// Reads what happened, in order: from now on, or from some time ago. For views (demo, gateway), not for work that must not be lost.
import { type ConsumerMessages, DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import { Event } from '@sidestream/proto/events/v1';
import type { Logger } from '../log.js';
import { pause } from '../pause.js';
import type { Bus, BusSession } from './bus.js';
import { eventStream } from './layout.js';

/** Where an event stands in the stream, the same for everybody who reads it. */
export interface StreamPlace {
  readonly sequence: number;
  /** By the server's clock; never goes back from one event to the next. */
  readonly storedAtMs: number;
  /** W3C Trace Context of who published it; undefined where it is in no trace. */
  readonly traceparent?: string | undefined;
}

export interface EventFeedOptions {
  readonly log: Logger;
  /** Events from this time on are read first; without it only those that come. */
  readonly since?: Date;
  /** Everything that was there has been told, up to this place in the stream. Called once. */
  readonly onCaughtUp?: (sequence: number) => void;
  /** The stream was lost and made anew: places begin again, and what it has is told from its beginning. */
  readonly onRestart?: () => void;
}

/** Between two looks whether it is still the same stream. */
const lookEveryMs = 2_000;
/** A server gives a sign of life each second: two may be late. */
const silentMs = 3_000;
/** Of the stream itself two looks may fail, or be late. */
const unseenMs = 2.5 * lookEveryMs;

/**
 * Follows the event stream with an ordered consumer; begins again at the next event when NATS comes back, at the first one of the stream
 * when that is another one: a consumer that waits for a place of the lost one hears nothing, and nobody tells it.
 */
export class EventFeed {
  readonly #bus: Bus;
  readonly #log: Logger;
  readonly #since: Date | undefined;
  readonly #stopping = new AbortController();
  #onCaughtUp: EventFeedOptions['onCaughtUp'];
  #nextSequence: number | undefined;
  readonly #onRestart: (() => void) | undefined;
  /** When the stream was made that is read. */
  #made: string | undefined;
  /** When the consumer gave its last sign of life, and the stream; by a clock that is never set. */
  #heardAtMs = Number.NEGATIVE_INFINITY;
  #seenAtMs = Number.NEGATIVE_INFINITY;

  constructor(bus: Bus, options: EventFeedOptions) {
    this.#bus = bus;
    this.#log = options.log;
    this.#since = options.since;
    this.#onCaughtUp = options.onCaughtUp;
    this.#onRestart = options.onRestart;
  }

  /** Resolves once the first consumer is there: later events will be seen. `listener` must not throw. */
  start(listener: (event: Event, place: StreamPlace) => void, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      void this.#follow(listener, resolve);
    });
  }

  stop(): void {
    this.#stopping.abort();
  }

  /**
   * Whether what happens now comes here. A connection does not say it: it outlives a JetStream that hangs or has no leader. Nor does the
   * consumer alone, which may be on a server that the stream's majority has left.
   */
  get isLive(): boolean {
    const nowMs = performance.now();
    return nowMs - this.#heardAtMs < silentMs && nowMs - this.#seenAtMs < unseenMs;
  }

  async #follow(listener: (event: Event, place: StreamPlace) => void, started: () => void): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        const session = await this.#bus.whenConnected(signal);
        await this.#recognize(session);
        const consumer = await session.jetstream.consumers.get(eventStream.name, {
          ...this.#from(),
        });
        this.#heardAtMs = performance.now();
        const { num_pending, delivered } = await consumer.info(true);
        // Before the first event that it would give, and so behind all that are too old for it.
        if (num_pending === 0) this.#caughtUp(delivered.stream_seq);
        // Short heartbeats: the default notices a lost server only after a minute.
        const messages = await consumer.consume({ idle_heartbeat: 1_000, expires: 5_000 });
        const stop = () => messages.stop();
        signal.addEventListener('abort', stop, { once: true });
        void this.#hearBeats(messages);
        const looking = setInterval(() => void this.#isSame(session).then((same) => same || stop()), lookEveryMs);
        started();
        try {
          for await (const message of messages) {
            this.#heardAtMs = performance.now();
            this.#nextSequence = message.seq + 1;
            listener(Event.decode(message.data), {
              sequence: message.seq,
              storedAtMs: storedAtMs(message),
              traceparent: message.headers?.get('traceparent') || undefined,
            });
            if (message.info.pending === 0) this.#caughtUp(message.seq);
          }
        } finally {
          clearInterval(looking);
          signal.removeEventListener('abort', stop);
        }
      } catch (error) {
        if (!signal.aborted) this.#log.debug({ err: error }, 'event feed interrupted; resuming');
      }
      await pause(200, signal);
    }
  }

  /** Looks which stream it is before it is read. */
  async #recognize(session: BusSession): Promise<void> {
    const made = await this.#madeAt(session);
    if (this.#made !== undefined && this.#made !== made) {
      this.#log.warn('the event stream was made anew; it is read from its beginning');
      this.#nextSequence = 1;
      this.#onRestart?.();
    }
    this.#made = made;
  }

  /** Who can not be asked has not changed: what is away comes back with another session. */
  async #isSame(session: BusSession): Promise<boolean> {
    if (this.#bus.session === undefined) return true;
    if (this.#bus.session !== session) return false;
    return this.#madeAt(session).then(
      (made) => made === this.#made,
      () => true,
    );
  }

  /** Without a leader of the stream a server of the cluster may answer all the same, of what was. */
  async #madeAt({ jetstream }: BusSession): Promise<string> {
    const manager = await jetstream.jetstreamManager(false);
    const { created, cluster } = await manager.streams.info(eventStream.name);
    if (cluster === undefined || cluster.leader) this.#seenAtMs = performance.now();
    return created;
  }

  /** Where nothing happens the server says that it is there. Ends with the messages. */
  async #hearBeats(messages: ConsumerMessages): Promise<void> {
    for await (const { type } of messages.status()) if (type === 'heartbeat') this.#heardAtMs = performance.now();
  }

  #from() {
    if (this.#nextSequence !== undefined)
      return { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: this.#nextSequence };
    return this.#since === undefined
      ? { deliver_policy: DeliverPolicy.New }
      : { deliver_policy: DeliverPolicy.StartTime, opt_start_time: this.#since.toISOString() };
  }

  #caughtUp(sequence: number): void {
    this.#onCaughtUp?.(sequence);
    this.#onCaughtUp = undefined;
  }
}

function storedAtMs({ info }: JsMsg): number {
  return Math.floor(info.timestampNanos / 1_000_000);
}
