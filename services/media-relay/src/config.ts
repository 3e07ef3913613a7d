// What this process needs of the deployment's configuration and its environment; the only reader of both.
import {
  type HostPort,
  neighbourAddress,
  type OwnPod,
  type ProcessConfig,
  parseHostPort,
  readServiceConfig,
  type SidestreamConfig,
} from '@sidestream/service';

export interface RelayConfig extends ProcessConfig {
  /** Where it may say what its end costs; undefined: nowhere. */
  readonly pod: OwnPod | undefined;
  readonly nats: SidestreamConfig['nats'];
  readonly grpcTls: SidestreamConfig['grpc']['tls'];
  readonly region: string;
  readonly ng: HostPort;
  /** Where rtpengine tells its own metrics; undefined: nowhere. */
  readonly engineHttp: string | undefined;
  readonly listen: HostPort;
  readonly advertise: string | undefined;
  readonly maxSessions: number;
  /** How long nobody may be heard in a call; 0: for ever. */
  readonly mediaTimeoutMs: number;
  readonly forks: SidestreamConfig['mediaRelay']['forks'];
  /** How long live sessions may last after SIGTERM, in ms: a little longer than signalling takes to end its calls. */
  readonly drainMs: number;
}

/**
 * Reads `SIDESTREAM_CONFIG` (path of sidestream.yaml), `SIDESTREAM_INSTANCE` (this relay's id; else `mediaRelay.id`,
 * else the host name) and `SIDESTREAM_ENGINE_METRICS` (host:port, over `mediaRelay.rtpengine.http`).
 *
 * @throws ConfigError
 */
export function readRelayConfig(environment: NodeJS.ProcessEnv = process.env): RelayConfig {
  const { config, instance, pod } = readServiceConfig(environment, 'media-relay', ({ mediaRelay }) => mediaRelay.id);
  const { nats, grpc, mediaRelay, signalling, log, management, telemetry } = config;
  return {
    instance,
    pod,
    log,
    management,
    telemetry,
    nats,
    grpcTls: grpc.tls,
    region: mediaRelay.region,
    ng: parseHostPort(mediaRelay.rtpengine.ng),
    engineHttp: neighbourAddress(environment, 'SIDESTREAM_ENGINE_METRICS', mediaRelay.rtpengine.http),
    listen: parseHostPort(mediaRelay.listen),
    advertise: mediaRelay.advertise,
    maxSessions: mediaRelay.maxSessions,
    mediaTimeoutMs: mediaRelay.mediaTimeout,
    forks: mediaRelay.forks,
    drainMs: signalling.drainSeconds * 1_000 + 2_000,
  };
}
