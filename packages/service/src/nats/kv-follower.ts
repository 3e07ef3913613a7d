// Follows a bucket so that no change is missed for long. A plain kv.watch() can be silent for a minute when the node dies that holds
// its consumer; here silence of a few heartbeats makes a new consumer, and now and then everything is read again anyway.
import { type ConsumerMessages, DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import { Gauge, type Registry } from 'prom-client';
import type { Logger } from '../log.js';
import { pause } from '../pause.js';
import type { Bus, BusSession } from './bus.js';
import type { BucketName } from './layout.js';

/** What a key holds. */
export interface KvValue {
  readonly bytes: Uint8Array;
  /** By the server's clock. */
  readonly storedAt: Date;
}

export interface KvFollowerOptions {
  readonly bucket: BucketName;
  /**
   * Told of a key's value, undefined when it was deleted: of every change, and of every key again at each reconciliation, so that
   * to hear the same twice must be harmless. Must not throw.
   */
  readonly onValue: (key: string, value: KvValue | undefined) => void;
  readonly log: Logger;
  readonly metrics: Registry;
  readonly reconcileMs?: number;
  /** More keys than this are not followed. */
  readonly maxKeys?: number;
}

const heartbeatMs = 1_000;
/** Two heartbeats are missing: whatever holds the consumer is gone or cut off. */
const silenceMs = 2_500;
const checkMs = 250;
const retryMs = 200;
/** A consumer that we could not delete goes by itself. */
const inactiveMs = 30_000;

/**
 * Reads the last value of every key, then every change, with an ordered consumer that is made anew when NATS is silent, when it
 * comes back, and every 30 s. A key that is gone without a trace (expired, or a store that was lost) is told as deleted at the next
 * reconciliation.
 */
export class KvFollower {
  readonly #bus: Bus;
  readonly #options: KvFollowerOptions;
  readonly #stopping = new AbortController();
  /** Keys with a value, as far as it was told. */
  readonly #known = new Set<string>();
  #heardAt = performance.now();
  #failing = false;
  #full = false;

  /** One follower of a bucket per registry of metrics. */
  constructor(bus: Bus, options: KvFollowerOptions) {
    this.#bus = bus;
    this.#options = options;
    const silence = () => (performance.now() - this.#heardAt) / 1_000;
    new Gauge({
      name: `sidestream_${options.bucket}_watch_silence_seconds`,
      help: 'Seconds since NATS last said anything about this bucket, heartbeats included.',
      registers: [options.metrics],
      collect() {
        this.set(silence());
      },
    });
  }

  start(): void {
    void this.#follow();
  }

  stop(): void {
    this.#stopping.abort(new Error('stopped'));
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stopping;
    const { bucket, log } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#read(await this.#bus.whenConnected(signal));
      } catch (error) {
        if (signal.aborted) return;
        // One line per outage; that NATS is away altogether the bus has said already.
        if (!this.#failing && this.#bus.connected)
          log.warn({ err: error, bucket }, 'a bucket is not readable; retrying');
        this.#failing = true;
      }
      await pause(retryMs, signal);
    }
  }

  /** One consumer's life: all values, then the changes until it is silent or due to be replaced. */
  async #read(session: BusSession): Promise<void> {
    const { bucket, reconcileMs = 30_000 } = this.#options;
    const consumer = await session.jetstream.consumers.get(`KV_${bucket}`, {
      deliver_policy: DeliverPolicy.LastPerSubject,
      inactive_threshold: inactiveMs,
    });
    const { num_pending: stored } = await consumer.info(true);
    const messages = await consumer.consume({ idle_heartbeat: heartbeatMs, expires: 5 * heartbeatMs });
    const stop = () => messages.stop();
    this.#heard();
    void this.#hearHeartbeats(messages);
    const replaceAt = performance.now() + reconcileMs;
    const checking = setInterval(() => {
      const now = performance.now();
      if (now - this.#heardAt > silenceMs || now > replaceAt || this.#bus.session !== session) stop();
    }, checkMs);
    checking.unref();
    this.#stopping.signal.addEventListener('abort', stop, { once: true });
    try {
      const seen = new Set<string>();
      if (stored === 0) this.#forgetAllBut(seen);
      let all = stored === 0;
      for await (const message of messages) {
        this.#heard();
        const key = this.#tell(message);
        if (all) continue;
        seen.add(key);
        all = message.info.pending === 0;
        if (all) this.#forgetAllBut(seen);
      }
    } finally {
      clearInterval(checking);
      this.#stopping.signal.removeEventListener('abort', stop);
      stop();
      // Where it fails, the server does it after a while.
      consumer.delete().catch(() => undefined);
    }
  }

  async #hearHeartbeats(messages: ConsumerMessages): Promise<void> {
    for await (const { type } of messages.status()) if (type === 'heartbeat') this.#heard();
  }

  #heard(): void {
    this.#heardAt = performance.now();
    this.#failing = false;
  }

  #tell(message: JsMsg): string {
    const { bucket, onValue, log, maxKeys = 10_000 } = this.#options;
    const key = message.subject.slice(`$KV.${bucket}.`.length);
    const operation = message.headers?.get('KV-Operation') ?? '';
    if (operation !== '') this.#known.delete(key);
    else if (this.#known.has(key) || this.#known.size < maxKeys) this.#known.add(key);
    else {
      if (!this.#full) log.warn({ bucket, maxKeys }, 'a bucket has too many keys; the rest of them is not followed');
      this.#full = true;
      return key;
    }
    onValue(key, operation === '' ? { bytes: message.data, storedAt: message.time } : undefined);
    return key;
  }

  /** What was not among all values is gone. */
  #forgetAllBut(seen: ReadonlySet<string>): void {
    for (const key of this.#known) {
      if (seen.has(key)) continue;
      this.#known.delete(key);
      this.#options.onValue(key, undefined);
    }
  }
}
