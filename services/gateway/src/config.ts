// What this process needs of the deployment's configuration and its environment; the only reader of both.
import {
  ConfigError,
  type GatewaySection,
  type HostPort,
  type ProcessConfig,
  parseHostPort,
  readServiceConfig,
  type SidestreamConfig,
} from '@sidestream/service';

export interface GatewayConfig extends ProcessConfig {
  readonly nats: SidestreamConfig['nats'];
  readonly grpcTls: SidestreamConfig['grpc']['tls'];
  readonly listen: HostPort;
  readonly gateway: GatewaySection;
  /** What policy-sync and registration do, by tenant. */
  readonly providers: Readonly<Record<string, { readonly policy: boolean; readonly registration: boolean }>>;
}

/**
 * Reads `SIDESTREAM_CONFIG` (path of sidestream.yaml) and `SIDESTREAM_INSTANCE` (this instance's id; else `gateway.id`, else the host
 * name).
 *
 * @throws ConfigError
 */
export function readGatewayConfig(environment: NodeJS.ProcessEnv = process.env): GatewayConfig {
  const { path, config, instance } = readServiceConfig(environment, 'gateway', ({ gateway }) => gateway?.id);
  const { nats, grpc, gateway, log, management, telemetry } = config;
  if (gateway === undefined) throw new ConfigError(path, [{ path: 'gateway', message: 'is needed by the gateway' }]);
  return {
    instance,
    log,
    management,
    telemetry,
    nats,
    grpcTls: grpc.tls,
    listen: parseHostPort(gateway.listen),
    gateway,
    providers: Object.fromEntries(
      Object.entries(config.tenants).map(([tenant, { policy, provider }]) => [
        tenant,
        { policy: policy.source === 'provider', registration: provider?.register === true },
      ]),
    ),
  };
}
