// The connection to NATS. It may be absent at any time: nothing on the call path waits for it.
import { type JetStreamClient, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { type KV, Kvm } from '@nats-io/kv';
import { type ObjectStore, Objm } from '@nats-io/obj';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { Gauge, type Registry } from 'prom-client';
import type { SidestreamConfig } from '../config/schema.js';
import type { Health } from '../health.js';
import type { Logger } from '../log.js';
import { pause } from '../pause.js';
import { natsIdentity } from './connect-options.js';
import {
  type BucketName,
  bucketDefinitions,
  eventStream,
  type ObjectStoreName,
  objectStoreDefinitions,
  type RecordRetention,
  recordStream,
} from './layout.js';

const connectTimeoutMs = 2_000;
const retryMs = 500;

export interface BusOptions {
  readonly nats: SidestreamConfig['nats'];
  /** Name shown in the server's connection list. */
  readonly name: string;
  readonly log: Logger;
  readonly metrics: Registry;
  /** Told whether NATS is there, under `nats`, until the first connection; later losses do not make a service unready. */
  readonly health?: Health;
}

/** Connects in the background, for as long as the process lives, and makes what Sidestream keeps in JetStream. */
export class Bus {
  readonly #options: BusOptions;
  readonly #closing = new AbortController();
  readonly #up: Gauge;
  readonly #waiters = new Set<(session: BusSession) => void>();
  #session: BusSession | undefined;
  #connection: NatsConnection | undefined;

  private constructor(options: BusOptions) {
    this.#options = options;
    this.#up = new Gauge({
      name: 'sidestream_nats_up',
      help: '1 while connected to NATS.',
      registers: [options.metrics],
    });
    this.#up.set(0);
  }

  /** Returns at once; connects and reconnects until close(). */
  static open(options: BusOptions): Bus {
    const bus = new Bus(options);
    options.health?.set('nats', false, `no server answers at ${options.nats.servers.join(', ')}`);
    void bus.#connectForEver();
    return bus;
  }

  /** The live session, or undefined while NATS is away. */
  get session(): BusSession | undefined {
    return this.#session;
  }

  get connected(): boolean {
    return this.#session !== undefined;
  }

  /** Resolves with the session once there is one; rejects with the signal's reason. */
  whenConnected(signal: AbortSignal): Promise<BusSession> {
    const closing = this.#closing.signal;
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        // Both are listened to directly: on Node 20 AbortSignal.any() lets a time-out signal be collected before it fires.
        signal.removeEventListener('abort', onAbort);
        closing.removeEventListener('abort', onAbort);
        this.#waiters.delete(done);
        finish();
      };
      const done = (session: BusSession) => settle(() => resolve(session));
      const onAbort = () => settle(() => reject(signal.aborted ? signal.reason : closing.reason));
      if (this.#session) return resolve(this.#session);
      if (signal.aborted || closing.aborted) return onAbort();
      this.#waiters.add(done);
      signal.addEventListener('abort', onAbort, { once: true });
      closing.addEventListener('abort', onAbort, { once: true });
    });
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('closed'));
    const connection = this.#connection;
    this.#session = undefined;
    await connection?.close();
  }

  async #connectForEver(): Promise<void> {
    const { nats, name, log } = this.#options;
    let told = false;
    while (!this.#closing.signal.aborted) {
      try {
        const connection = await connect(this.#connectOptions(nats, name));
        this.#connection = connection;
        if (this.#closing.signal.aborted) return await connection.close();
        await this.#serve(connection);
        told = false;
      } catch (error) {
        // One line per outage, not per attempt.
        if (!told) log.warn({ err: error, servers: nats.servers }, 'NATS is away; connecting in the background');
        told = true;
      }
      await pause(retryMs, this.#closing.signal);
    }
  }

  #connectOptions(nats: SidestreamConfig['nats'], name: string): Parameters<typeof connect>[0] {
    return {
      ...natsIdentity(nats, name),
      timeout: connectTimeoutMs,
      reconnect: true,
      maxReconnectAttempts: -1,
      reconnectTimeWait: retryMs,
      pingInterval: 5_000,
      maxPingOut: 2,
    };
  }

  async #serve(connection: NatsConnection): Promise<void> {
    const { log, nats } = this.#options;
    const open = async () => {
      this.#become(await BusSession.prepare(connection, nats.replicas));
      log.info({ server: connection.getServer() }, 'NATS is there');
    };
    try {
      await open();
      for await (const status of connection.status()) {
        if (status.type === 'disconnect' && this.#session) {
          this.#become(undefined);
          log.warn('NATS is away; calls go on');
        } else if (status.type === 'reconnect') {
          await open();
        }
      }
    } finally {
      // The next attempt makes a connection of its own; this one must not reconnect beside it.
      this.#become(undefined);
      await connection.close();
    }
  }

  #become(session: BusSession | undefined): void {
    this.#session = session;
    this.#up.set(session ? 1 : 0);
    if (!session) return;
    this.#options.health?.set('nats', true);
    for (const wake of [...this.#waiters]) wake(session);
  }
}

/** JetStream and the buckets on one live connection. */
export class BusSession {
  readonly jetstream: JetStreamClient;
  /** What the server takes in one message. */
  readonly maxPayloadBytes: number;
  readonly #buckets: ReadonlyMap<BucketName, KV>;
  readonly #replicas: number;

  private constructor(
    client: JetStreamClient,
    buckets: ReadonlyMap<BucketName, KV>,
    { replicas, maxPayloadBytes }: { readonly replicas: number; readonly maxPayloadBytes: number },
  ) {
    this.jetstream = client;
    this.maxPayloadBytes = maxPayloadBytes;
    this.#buckets = buckets;
    this.#replicas = replicas;
  }

  /** Creates the event stream and the buckets where they are missing. */
  static async prepare(connection: NatsConnection, replicas: number): Promise<BusSession> {
    const manager = await jetstreamManager(connection, { timeout: connectTimeoutMs });
    const client = jetstream(connection, { timeout: connectTimeoutMs });
    try {
      await manager.streams.info(eventStream.name);
    } catch {
      await manager.streams.add({ ...eventStream, num_replicas: replicas });
    }
    const kvm = new Kvm(client);
    const buckets = new Map<BucketName, KV>();
    for (const [name, options] of Object.entries(bucketDefinitions)) {
      buckets.set(name as BucketName, await kvm.create(name, { ...options, replicas }));
    }
    return new BusSession(client, buckets, {
      replicas,
      maxPayloadBytes: connection.info?.max_payload ?? Number.POSITIVE_INFINITY,
    });
  }

  /**
   * Makes the stream of call records where it is missing, and gives it this retention. A stream that is there is usable whatever the
   * server says of the retention.
   *
   * @returns why the stream that is there keeps its retention of before; undefined where it has this one
   * @throws Error where there is no stream and none can be made
   */
  async prepareRecords(retention: RecordRetention): Promise<Error | undefined> {
    const { streams } = await this.jetstream.jetstreamManager(false);
    const { name, ...wanted } = recordStream(retention);
    try {
      await streams.update(name, { ...wanted, num_replicas: this.#replicas });
      return undefined;
    } catch (error) {
      const isThere = await streams.info(name).catch(() => undefined);
      if (isThere !== undefined) return error instanceof Error ? error : new Error(String(error));
      await streams.add({ name, ...wanted, num_replicas: this.#replicas });
      return undefined;
    }
  }

  bucket(name: BucketName): KV {
    const bucket = this.#buckets.get(name);
    if (!bucket) throw new Error(`no bucket '${name}'`);
    return bucket;
  }

  /** Opens an object store, and makes it where it is missing: few services need one. */
  objectStore(name: ObjectStoreName): Promise<ObjectStore> {
    return new Objm(this.jetstream).create(name, { ...objectStoreDefinitions[name], replicas: this.#replicas });
  }
}
