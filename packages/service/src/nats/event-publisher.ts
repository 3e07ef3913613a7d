// Tells the world what happened, beside the work: publishing never throws, is never awaited and never grows without bound.
import { randomUUID } from 'node:crypto';
import { Event } from '@sidestream/proto/events/v1';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Logger } from '../log.js';
import { callSpan } from '../tracing/call-spans.js';
import { startSpan, traceHeaders } from '../tracing/spans.js';
import type { Bus } from './bus.js';
import { Outbox } from './outbox.js';

export type EventBody = NonNullable<Event['body']>;

/** Subject of an event: `events.call.started` for the case `callStarted`. */
export function eventSubject(body: EventBody): string {
  return `events.${body.$case.replace(/[A-Z]/g, (letter) => `.${letter.toLowerCase()}`)}`;
}

export interface EventPublisherOptions {
  readonly source: string;
  readonly log: Logger;
  readonly metrics: Registry;
  /** How many events wait while NATS is away; then the oldest is dropped and counted. */
  readonly capacity?: number;
}

export class EventPublisher {
  readonly #source: string;
  readonly #log: Logger;
  readonly #outbox: Outbox;

  constructor(bus: Bus, options: EventPublisherOptions) {
    this.#source = options.source;
    this.#log = options.log;
    const registers = [options.metrics];
    const published = new Counter({
      name: 'sidestream_events_published_total',
      help: 'Events that JetStream has acknowledged, by subject.',
      labelNames: ['subject'],
      registers,
    });
    const dropped = new Counter({
      name: 'sidestream_events_dropped_total',
      help: 'Events dropped because the queue was full while NATS was away.',
      registers,
    });
    const outbox = new Outbox(bus, {
      log: options.log,
      capacity: options.capacity ?? 10_000,
      onPublished: (subject) => published.inc({ subject }),
      onDropped: () => dropped.inc(),
    });
    this.#outbox = outbox;
    new Gauge({
      name: 'sidestream_events_waiting',
      help: 'Events that wait to be published.',
      registers,
      collect() {
        this.set(outbox.waiting);
      },
    });
  }

  /** Returns the event as the world will see it. */
  publish(body: EventBody, time = new Date()): Event {
    const id = randomUUID();
    const event = { id, time, source: this.#source, body };
    const subject = eventSubject(body);
    const headers = inTrace(subject, body);
    this.#outbox.add({ subject, id, payload: Event.encode(event).finish(), headers });
    return event;
  }

  /** Gives what waits up to `flushMs` to leave, then ends. */
  async close(flushMs: number): Promise<void> {
    const left = await this.#outbox.close(flushMs);
    if (left > 0) this.#log.warn({ events: left }, 'events left unpublished');
  }
}

/** A span for the event of a call that has a trace; the header fields lead whoever reads the event to it. */
function inTrace(subject: string, { value }: EventBody): Record<string, string> {
  const within = 'callId' in value ? callSpan(value.callId) : undefined;
  if (within === undefined) return {};
  const span = startSpan(`publish ${subject}`, within, { kind: 'producer' });
  span?.end();
  return traceHeaders(span);
}
