// Tells the world what happened, beside the work: publishing never throws, is never awaited and never grows without bound.
import { randomUUID } from 'node:crypto';
import { Event } from '@sidestream/proto/events/v1';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Logger } from '../log.js';
import { pause } from '../pause.js';
import type { Bus, BusSession } from './bus.js';

export type EventBody = NonNullable<Event['body']>;

/** Subject of an event: `events.call.started` for the case `callStarted`. */
export function eventSubject(body: EventBody): string {
  return `events.${body.$case.replace(/[A-Z]/g, (letter) => `.${letter.toLowerCase()}`)}`;
}

/** Events of so many milliseconds leave together: one write and one wake-up instead of one for each. */
const gatherMs = 10;
/** At most so many are on their way at once. */
const maxBatch = 128;

interface Waiting {
  readonly subject: string;
  readonly id: string;
  readonly payload: Uint8Array;
}

export class EventPublisher {
  readonly #bus: Bus;
  readonly #source: string;
  readonly #log: Logger;
  readonly #capacity: number;
  readonly #queue: Waiting[] = [];
  readonly #stopping = new AbortController();
  readonly #published: Counter<'subject'>;
  readonly #dropped: Counter;
  #wake: () => void = () => undefined;
  #loop: Promise<void> | undefined;
  #closing = false;

  /** @param options.capacity how many events wait while NATS is away; then the oldest is dropped and counted. */
  constructor(bus: Bus, options: { source: string; log: Logger; metrics: Registry; capacity?: number }) {
    this.#bus = bus;
    this.#source = options.source;
    this.#log = options.log;
    this.#capacity = options.capacity ?? 10_000;
    const registers = [options.metrics];
    this.#published = new Counter({
      name: 'sidestream_events_published_total',
      help: 'Events that JetStream has acknowledged, by subject.',
      labelNames: ['subject'],
      registers,
    });
    this.#dropped = new Counter({
      name: 'sidestream_events_dropped_total',
      help: 'Events dropped because the queue was full while NATS was away.',
      registers,
    });
    const queue = this.#queue;
    new Gauge({
      name: 'sidestream_events_waiting',
      help: 'Events that wait to be published.',
      registers,
      collect() {
        this.set(queue.length);
      },
    });
  }

  /** Returns the event as the world will see it. */
  publish(body: EventBody, time = new Date()): Event {
    const id = randomUUID();
    const event = { id, time, source: this.#source, body };
    const payload = Event.encode(event).finish();
    if (this.#queue.length >= this.#capacity) {
      this.#queue.shift();
      this.#dropped.inc();
    }
    this.#queue.push({ subject: eventSubject(body), id, payload });
    this.#wake();
    this.#loop ??= this.#drain();
    return event;
  }

  /** Gives what waits up to `flushMs` to leave, then ends. */
  async close(flushMs: number): Promise<void> {
    this.#closing = true;
    this.#wake();
    const timer = setTimeout(() => this.#stopping.abort(), this.#bus.connected ? flushMs : 0);
    await this.#loop;
    clearTimeout(timer);
    this.#stopping.abort();
    if (this.#queue.length > 0) this.#log.warn({ events: this.#queue.length }, 'events left unpublished');
  }

  async #drain(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      if (this.#queue.length === 0) {
        if (this.#closing) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      await pause(gatherMs, this.#stopping.signal);
      const session = this.#bus.session;
      if (session === undefined || !(await this.#send(session, this.#queue.slice(0, maxBatch)))) {
        await pause(200, this.#stopping.signal);
      }
    }
  }

  /** Publishes in order; false when something is to be sent again. */
  async #send(session: BusSession, batch: readonly Waiting[]): Promise<boolean> {
    const outcomes = await Promise.allSettled(
      batch.map(({ subject, payload, id }) =>
        session.jetstream.publish(subject, payload, { msgID: id, timeout: 2_000 }),
      ),
    );
    // All behind the first failure is sent again, so that the order stays; the ids make the repeats harmless.
    const failure = outcomes.findIndex(({ status }) => status === 'rejected');
    const published = new Set(failure < 0 ? batch : batch.slice(0, failure));
    for (const { subject } of published) this.#published.inc({ subject });
    // The oldest may have been dropped meanwhile.
    while (this.#queue[0] !== undefined && published.has(this.#queue[0])) this.#queue.shift();
    const failed = outcomes[failure];
    if (failed?.status !== 'rejected') return true;
    this.#log.debug({ err: failed.reason, subject: batch[failure]?.subject }, 'event not published; retrying');
    return false;
  }
}
