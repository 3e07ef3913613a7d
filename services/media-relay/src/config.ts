// What this process needs of the deployment's configuration and its environment; the only reader of both.
import { hostname } from 'node:os';
import {
  ConfigError,
  formatHostPort,
  type HostPort,
  type ProcessConfig,
  parseHostPort,
  readConfig,
  type SidestreamConfig,
} from '@sidestream/service';

export interface RelayConfig extends ProcessConfig {
  readonly nats: SidestreamConfig['nats'];
  readonly grpcTls: SidestreamConfig['grpc']['tls'];
  readonly region: string;
  readonly ng: HostPort;
  readonly listen: HostPort;
  readonly advertise: string | undefined;
  readonly maxSessions: number;
  /** How long live sessions may last after SIGTERM, in ms: a little longer than signalling takes to end its calls. */
  readonly drainMs: number;
}

/**
 * Reads `SIDESTREAM_CONFIG` (path of sidestream.yaml) and `SIDESTREAM_INSTANCE` (this relay's id; else `mediaRelay.id`,
 * else the host name).
 *
 * @throws ConfigError
 */
export function readRelayConfig(environment: NodeJS.ProcessEnv = process.env): RelayConfig {
  const path = environment['SIDESTREAM_CONFIG'];
  if (!path) throw new ConfigError('environment', [{ path: 'SIDESTREAM_CONFIG', message: 'names no sidestream.yaml' }]);
  const { nats, grpc, mediaRelay, signalling, log, management } = readConfig(path);
  const instance = environment['SIDESTREAM_INSTANCE'] || mediaRelay.id || hostname().replaceAll('.', '-');
  // The id is part of a NATS key and of every call-id in the engine.
  if (!/^[A-Za-z0-9_-]{1,40}$/.test(instance))
    throw new ConfigError('environment', [
      { path: 'SIDESTREAM_INSTANCE', message: `'${instance}' is not 1 to 40 letters, digits, dashes` },
    ]);
  return {
    instance,
    log,
    management,
    nats,
    grpcTls: grpc.tls,
    region: mediaRelay.region,
    ng: parseHostPort(mediaRelay.rtpengine.ng),
    listen: parseHostPort(mediaRelay.listen),
    advertise: mediaRelay.advertise,
    maxSessions: mediaRelay.maxSessions,
    drainMs: signalling.drainSeconds * 1_000 + 2_000,
  };
}

/** Where others reach what listens at `listen` on `port`: `advertise` may be a host or host:port. */
export function advertisedAddress({ listen, advertise }: RelayConfig, port: number): string {
  if (advertise !== undefined)
    return /^(\[.+\]|[^:]+):\d+$/.test(advertise) ? advertise : formatHostPort({ host: advertise, port });
  const wildcard = listen.host === '0.0.0.0' || listen.host === '::';
  return formatHostPort({ host: wildcard ? hostname() : listen.host, port });
}
