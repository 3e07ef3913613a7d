// Reads what happened, from now on, in order. For views (demo, gateway), not for work that must not be lost.
import { DeliverPolicy } from '@nats-io/jetstream';
import { Event } from '@sidestream/proto/events/v1';
import type { Logger } from '../log.js';
import { pause } from '../pause.js';
import type { Bus } from './bus.js';
import { eventStream } from './layout.js';

/** Follows the event stream with an ordered consumer; begins again at the next event when NATS comes back. */
export class EventFeed {
  readonly #bus: Bus;
  readonly #log: Logger;
  readonly #stopping = new AbortController();
  #nextSequence: number | undefined;

  constructor(bus: Bus, options: { log: Logger }) {
    this.#bus = bus;
    this.#log = options.log;
  }

  /** Resolves once the first consumer is there: later events will be seen. `listener` must not throw. */
  start(listener: (event: Event) => void, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      void this.#follow(listener, resolve);
    });
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #follow(listener: (event: Event) => void, started: () => void): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        const session = await this.#bus.whenConnected(signal);
        const consumer = await session.jetstream.consumers.get(eventStream.name, {
          ...(this.#nextSequence === undefined
            ? { deliver_policy: DeliverPolicy.New }
            : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: this.#nextSequence }),
        });
        // Short heartbeats: the default notices a lost server only after a minute.
        const messages = await consumer.consume({ idle_heartbeat: 1_000, expires: 5_000 });
        const stop = () => messages.stop();
        signal.addEventListener('abort', stop, { once: true });
        started();
        for await (const message of messages) {
          this.#nextSequence = message.seq + 1;
          listener(Event.decode(message.data));
        }
        signal.removeEventListener('abort', stop);
      } catch (error) {
        if (!signal.aborted) this.#log.debug({ err: error }, 'event feed interrupted; resuming');
      }
      await pause(200, signal);
    }
  }
}
