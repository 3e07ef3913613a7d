// Messages that wait to be published, beside the work: adding never throws, is never awaited, and the queue never grows without bound.
import { headers as natsHeaders } from '@nats-io/transport-node';
import type { Logger } from '../log.js';
import { pause } from '../pause.js';
import type { Bus, BusSession } from './bus.js';

/** Messages of so many milliseconds leave together: one write and one wake-up instead of one for each. */
const gatherMs = 10;
/** At most so many are on their way at once. */
const maxBatch = 128;

/** More than the header fields of a message take, which count as well. */
const headerBytes = 512;

export interface Waiting {
  readonly subject: string;
  /** Nats-Msg-Id: a repeated publish is one message. */
  readonly id: string;
  readonly payload: Uint8Array;
  /** Header fields of the message. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface OutboxOptions {
  readonly log: Logger;
  /** How many messages wait while NATS is away; then the oldest is dropped. */
  readonly capacity: number;
  readonly onPublished: (subject: string) => void;
  readonly onDropped: () => void;
  /** Called before messages leave; makes what they need. */
  readonly prepare?: (session: BusSession) => Promise<void>;
}

export class Outbox {
  readonly #bus: Bus;
  readonly #options: OutboxOptions;
  readonly #queue: Waiting[] = [];
  readonly #stopping = new AbortController();
  #wake: () => void = () => undefined;
  #loop: Promise<void> | undefined;
  #closing = false;
  /** What waits is refused, which has been logged. */
  #refused = false;

  constructor(bus: Bus, options: OutboxOptions) {
    this.#bus = bus;
    this.#options = options;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  add(message: Waiting): void {
    if (this.#queue.length >= this.#options.capacity) {
      this.#queue.shift();
      this.#options.onDropped();
    }
    this.#queue.push(message);
    this.#wake();
    this.#loop ??= this.#drain();
  }

  /** Gives what waits up to `flushMs` to leave, then ends. @returns how many messages are left */
  async close(flushMs: number): Promise<number> {
    this.#closing = true;
    this.#wake();
    const timer = setTimeout(() => this.#stopping.abort(), this.#bus.connected ? flushMs : 0);
    await this.#loop;
    clearTimeout(timer);
    this.#stopping.abort();
    return this.#queue.length;
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
      if (session === undefined || !(await this.#send(session))) {
        await pause(200, this.#stopping.signal);
      }
    }
  }

  /** Publishes in order; false when something is to be sent again. */
  async #send(session: BusSession): Promise<boolean> {
    const { prepare, log, onPublished } = this.#options;
    try {
      await prepare?.(session);
    } catch (error) {
      this.#refusedBy(error, 'the stream could not be prepared');
      return false;
    }
    const limit = session.maxPayloadBytes - headerBytes;
    for (let first = this.#queue[0]; first !== undefined && first.payload.length > limit; first = this.#queue[0]) {
      // It would never be taken, and all behind it would wait.
      log.error(
        { subject: first.subject, bytes: first.payload.length, limit },
        'a message is too large to be published',
      );
      this.#queue.shift();
      this.#options.onDropped();
    }
    const large = this.#queue.findIndex(({ payload }) => payload.length > limit);
    const batch = this.#queue.slice(0, large < 0 ? maxBatch : Math.min(large, maxBatch));
    const outcomes = await Promise.allSettled(
      batch.map(({ subject, payload, id, headers = {} }) =>
        session.jetstream.publish(subject, payload, { msgID: id, timeout: 2_000, ...withHeaders(headers) }),
      ),
    );
    // All behind the first failure is sent again, so that the order stays; the ids make the repeats harmless.
    const failure = outcomes.findIndex(({ status }) => status === 'rejected');
    const published = new Set(failure < 0 ? batch : batch.slice(0, failure));
    for (const { subject } of published) onPublished(subject);
    // The oldest may have been dropped meanwhile.
    while (this.#queue[0] !== undefined && published.has(this.#queue[0])) this.#queue.shift();
    const failed = outcomes[failure];
    if (failed?.status === 'rejected') {
      this.#refusedBy(failed.reason, `${batch[failure]?.subject} could not be published`);
      return false;
    }
    if (this.#refused) log.info({ waiting: this.#queue.length }, 'messages can be published again');
    this.#refused = false;
    return true;
  }

  /** Once, until it goes well again: it is tried five times a second. */
  #refusedBy(error: unknown, what: string): void {
    const { log } = this.#options;
    if (!this.#refused) log.warn({ err: error, waiting: this.#queue.length }, `${what}; it is tried again`);
    this.#refused = true;
  }
}

function withHeaders(fields: Readonly<Record<string, string>>) {
  const entries = Object.entries(fields);
  if (entries.length === 0) return {};
  const headers = natsHeaders();
  for (const [name, value] of entries) headers.set(name, value);
  return { headers };
}
