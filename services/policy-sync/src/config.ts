// What this process needs of the deployment's configuration and its environment; the only reader of both.
import { hostname } from 'node:os';
import {
  ConfigError,
  formatHostPort,
  type HostPort,
  type ProcessConfig,
  type ProviderConfig,
  parseHostPort,
  readConfig,
  type SidestreamConfig,
  type TenantConfig,
} from '@sidestream/service';

type ProviderPolicy = Extract<TenantConfig['policy'], { source: 'provider' }>;

/** A tenant whose policy comes from the provider. Plain data: it goes to the fetching thread, too. */
export interface SyncedTenant {
  readonly tenant: string;
  readonly policy: ProviderPolicy;
  readonly provider: ProviderConfig;
  /** The tenant's recorders, in order. */
  readonly recorders: readonly string[];
  /** Whether calls of the tenant are recorded at all. */
  readonly enabled: boolean;
}

export interface PolicySyncConfig extends ProcessConfig {
  readonly nats: SidestreamConfig['nats'];
  readonly grpcTls: SidestreamConfig['grpc']['tls'];
  readonly listen: HostPort;
  readonly advertise: string | undefined;
  readonly tenants: readonly SyncedTenant[];
}

/**
 * Reads `SIDESTREAM_CONFIG` (path of sidestream.yaml) and `SIDESTREAM_INSTANCE` (this instance's id; else `policySync.id`, else the
 * host name).
 *
 * @throws ConfigError
 */
export function readPolicySyncConfig(environment: NodeJS.ProcessEnv = process.env): PolicySyncConfig {
  const path = environment['SIDESTREAM_CONFIG'];
  if (!path) throw new ConfigError('environment', [{ path: 'SIDESTREAM_CONFIG', message: 'names no sidestream.yaml' }]);
  const config = readConfig(path);
  const { nats, grpc, policySync, log, management } = config;
  const instance = environment['SIDESTREAM_INSTANCE'] || policySync.id || hostname().replaceAll('.', '-');
  // The id is part of a NATS key.
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
    listen: parseHostPort(policySync.listen),
    advertise: policySync.advertise,
    tenants: Object.entries(config.tenants).flatMap(([tenant, value]) => syncedTenant(tenant, value, config)),
  };
}

function syncedTenant(tenant: string, value: TenantConfig, { regions }: SidestreamConfig): SyncedTenant[] {
  const { policy, provider, region, recording } = value;
  if (policy.source !== 'provider' || provider === undefined) return [];
  const recorders = value.recorders ?? regions[region]?.recorders ?? [];
  return [{ tenant, policy, provider, recorders, enabled: recording.enabled }];
}

/** Where others reach what listens at `listen` on `port`: `advertise` may be a host or host:port. */
export function advertisedAddress({ listen, advertise }: PolicySyncConfig, port: number): string {
  if (advertise !== undefined)
    return /^(\[.+\]|[^:]+):\d+$/.test(advertise) ? advertise : formatHostPort({ host: advertise, port });
  const wildcard = listen.host === '0.0.0.0' || listen.host === '::';
  return formatHostPort({ host: wildcard ? hostname() : listen.host, port });
}
