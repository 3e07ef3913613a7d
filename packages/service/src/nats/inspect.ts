// A look at NATS as one user sees it, for those who check a deployment: it makes nothing, changes nothing and ends with its connection.
import { type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect, type NatsConnection, PermissionViolationError } from '@nats-io/transport-node';
import type { SidestreamConfig } from '../config/schema.js';
import { natsIdentity } from './connect-options.js';
import { streamDifferences, type WantedStream, wantedStreams } from './wanted-streams.js';

/** One of our streams; a bucket is `KV_…`, an object store `OBJ_…`. */
export interface StreamReport {
  readonly name: string;
  readonly state: 'there' | 'missing' | 'forbidden' | 'unknown';
  /** What is other than we would make it; for `unknown`, why. */
  readonly differences: readonly string[];
  /** What it reserves, all replicas of it, once it is made. */
  readonly reservedBytes: number;
}

export interface NatsInspection {
  /** `host:port` of the server that answered. */
  readonly server: string;
  readonly version: string;
  readonly maxPayloadBytes: number;
  readonly roundTripMs: number;
  /** Undefined: JetStream is not enabled there, or not for our account. */
  readonly jetStream:
    | {
        readonly usedBytes: number;
        /** Of the account; undefined: no limit of its own. */
        readonly limitBytes: number | undefined;
        readonly reservedBytes: number;
        readonly streams: readonly StreamReport[];
        /** The JSON value of a key; undefined where there is none. Rejects where that can't be known. */
        read(bucket: string, key: string): Promise<unknown>;
      }
    | undefined;
}

/**
 * Connects, looks, and lets `use` look further; the connection ends afterwards.
 *
 * @param server one of nats.servers
 * @throws what connecting, or `use`, throws
 */
export async function inspectNats<R>(
  config: Pick<SidestreamConfig, 'nats' | 'records' | 'tenants'>,
  { server, timeoutMs }: { readonly server: string; readonly timeoutMs: number },
  use: (inspection: NatsInspection) => Promise<R>,
): Promise<R> {
  const connection = await connect({
    ...natsIdentity({ ...config.nats, servers: [server] }, 'sidestream doctor'),
    ...{ timeout: timeoutMs, reconnect: false, maxReconnectAttempts: 0, ignoreClusterUpdates: true },
  });
  // Nobody waits for it when the connection breaks: the requests under way fail by themselves.
  connection.closed().catch(() => undefined);
  try {
    return await use(await inspected(connection, config, timeoutMs));
  } finally {
    await connection.close();
  }
}

async function inspected(
  connection: NatsConnection,
  { nats, records, tenants }: Pick<SidestreamConfig, 'nats' | 'records' | 'tenants'>,
  timeout: number,
): Promise<NatsInspection> {
  const begunMs = performance.now();
  await connection.flush();
  const facts = {
    server: connection.getServer(),
    version: connection.info?.version ?? 'unknown',
    maxPayloadBytes: connection.info?.max_payload ?? 0,
    roundTripMs: performance.now() - begunMs,
  };
  let manager: JetStreamManager;
  try {
    manager = await jetstreamManager(connection, { timeout });
  } catch (error) {
    // Its class is not exported.
    if (error instanceof Error && error.name === 'JetStreamNotEnabled') return { ...facts, jetStream: undefined };
    throw error;
  }
  const account = await manager.getAccountInfo();
  const { storage, limits } = account;
  const policies = Object.values(tenants).some(({ policy }) => policy.source === 'provider');
  const wanted = wantedStreams({ records, replicas: nats.replicas, policies });
  return {
    ...facts,
    jetStream: {
      usedBytes: storage,
      // The client's type leaves it out.
      reservedBytes: 'reserved_storage' in account ? Number(account.reserved_storage) : 0,
      limitBytes: limits.max_storage < 0 ? undefined : limits.max_storage,
      streams: await Promise.all(wanted.map((one) => reportOn(manager, one))),
      read: async (bucket, key) => {
        const kv = await new Kvm(jetstream(connection, { timeout })).open(bucket, { allow_direct: true });
        const entry = await kv.get(key);
        return entry?.operation === 'PUT' ? entry.json() : undefined;
      },
    },
  };
}

async function reportOn(manager: JetStreamManager, wanted: WantedStream): Promise<StreamReport> {
  const { name } = wanted;
  const reservedBytes = wanted.max_bytes * wanted.num_replicas;
  try {
    const { config } = await manager.streams.info(name);
    return { name, reservedBytes, state: 'there', differences: streamDifferences(wanted, config) };
  } catch (error) {
    if (isForbidden(error)) return { name, reservedBytes, state: 'forbidden', differences: [] };
    const said = error instanceof Error ? error.message : String(error);
    const isMissing = /stream not found/i.test(said);
    return { name, reservedBytes, state: isMissing ? 'missing' : 'unknown', differences: isMissing ? [] : [said] };
  }
}

function isForbidden(error: unknown): boolean {
  if (error instanceof PermissionViolationError) return true;
  return error instanceof Error && error.cause !== undefined && isForbidden(error.cause);
}
