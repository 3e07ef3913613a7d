// Tells the world what happened, beside the work: publishing never throws, is never awaited and never grows without bound.
import { randomUUID } from 'node:crypto';
import { Event } from '@sidestream/proto/events/v1';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Logger } from '../log.js';
import { pause } from '../pause.js';
import type { Bus } from './bus.js';

export type EventBody = NonNullable<Event['body']>;

/** Subject of an event: `events.call.started` for the case `callStarted`. */
export function eventSubject(body: EventBody): string {
  return `events.${body.$case.replace(/[A-Z]/g, (letter) => `.${letter.toLowerCase()}`)}`;
}

export class EventPublisher {
  readonly #bus: Bus;
  readonly #source: string;
  readonly #log: Logger;
  readonly #capacity: number;
  readonly #queue: { subject: string; id: string; payload: Uint8Array }[] = [];
  readonly #stopping = new AbortController();
  readonly #published: Counter<'subject'>;
  readonly #dropped: Counter;
  #wake = new AbortController();
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

  publish(body: EventBody, time = new Date()): void {
    const id = randomUUID();
    const payload = Event.encode({ id, time, source: this.#source, body }).finish();
    if (this.#queue.length >= this.#capacity) {
      this.#queue.shift();
      this.#dropped.inc();
    }
    this.#queue.push({ subject: eventSubject(body), id, payload });
    this.#wake.abort();
    this.#loop ??= this.#drain();
  }

  /** Gives what waits up to `flushMs` to leave, then ends. */
  async close(flushMs: number): Promise<void> {
    this.#closing = true;
    this.#wake.abort();
    const timer = setTimeout(() => this.#stopping.abort(), this.#bus.connected ? flushMs : 0);
    await this.#loop;
    clearTimeout(timer);
    this.#stopping.abort();
    if (this.#queue.length > 0) this.#log.warn({ events: this.#queue.length }, 'events left unpublished');
  }

  async #drain(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const next = this.#queue[0];
      const session = this.#bus.session;
      this.#wake = new AbortController();
      if (!next) {
        if (this.#closing) return;
        await pause(60_000, AbortSignal.any([this.#wake.signal, this.#stopping.signal]));
      } else if (!session) {
        await pause(200, this.#stopping.signal);
      } else {
        try {
          // The id makes a repeated publish harmless, so an unanswered one is simply tried again.
          await session.jetstream.publish(next.subject, next.payload, { msgID: next.id, timeout: 2_000 });
          this.#published.inc({ subject: next.subject });
          if (this.#queue[0] === next) this.#queue.shift();
        } catch (error) {
          this.#log.debug({ err: error, subject: next.subject }, 'event not published; retrying');
          await pause(200, this.#stopping.signal);
        }
      }
    }
  }
}
