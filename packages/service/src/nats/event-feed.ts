// Reads what happened, in order: from now on, or from some time ago. For views (demo, gateway), not for work that must not be lost.
import { DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import { Event } from '@sidestream/proto/events/v1';
import type { Logger } from '../log.js';
import { pause } from '../pause.js';
import type { Bus } from './bus.js';
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
  /** Everything that was there has been told. Called once. */
  readonly onCaughtUp?: () => void;
}

/** Follows the event stream with an ordered consumer; begins again at the next event when NATS comes back. */
export class EventFeed {
  readonly #bus: Bus;
  readonly #log: Logger;
  readonly #since: Date | undefined;
  readonly #stopping = new AbortController();
  #onCaughtUp: (() => void) | undefined;
  #nextSequence: number | undefined;

  constructor(bus: Bus, options: EventFeedOptions) {
    this.#bus = bus;
    this.#log = options.log;
    this.#since = options.since;
    this.#onCaughtUp = options.onCaughtUp;
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

  async #follow(listener: (event: Event, place: StreamPlace) => void, started: () => void): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        const session = await this.#bus.whenConnected(signal);
        const consumer = await session.jetstream.consumers.get(eventStream.name, {
          ...this.#from(),
        });
        if ((await consumer.info(true)).num_pending === 0) this.#caughtUp();
        // Short heartbeats: the default notices a lost server only after a minute.
        const messages = await consumer.consume({ idle_heartbeat: 1_000, expires: 5_000 });
        const stop = () => messages.stop();
        signal.addEventListener('abort', stop, { once: true });
        started();
        for await (const message of messages) {
          this.#nextSequence = message.seq + 1;
          listener(Event.decode(message.data), {
            sequence: message.seq,
            storedAtMs: storedAtMs(message),
            traceparent: message.headers?.get('traceparent') || undefined,
          });
          if (message.info.pending === 0) this.#caughtUp();
        }
        signal.removeEventListener('abort', stop);
      } catch (error) {
        if (!signal.aborted) this.#log.debug({ err: error }, 'event feed interrupted; resuming');
      }
      await pause(200, signal);
    }
  }

  #from() {
    if (this.#nextSequence !== undefined)
      return { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: this.#nextSequence };
    return this.#since === undefined
      ? { deliver_policy: DeliverPolicy.New }
      : { deliver_policy: DeliverPolicy.StartTime, opt_start_time: this.#since.toISOString() };
  }

  #caughtUp(): void {
    this.#onCaughtUp?.();
    this.#onCaughtUp = undefined;
  }
}

function storedAtMs({ info }: JsMsg): number {
  return Math.floor(info.timestampNanos / 1_000_000);
}
