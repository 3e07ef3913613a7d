// What this process needs of the deployment's configuration and its environment; the only reader of both.
import { isCountryCode } from '@sidestream/policy';
import {
  ConfigError,
  type ConfigProblem,
  type HostPort,
  type ProcessConfig,
  type ProviderConfig,
  parseHostPort,
  readServiceConfig,
  recordersOf,
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
  const { path, config, instance } = readServiceConfig(environment, 'policy-sync', ({ policySync }) => policySync.id);
  const { nats, grpc, policySync, log, management, telemetry } = config;
  const tenants = Object.entries(config.tenants).flatMap(([tenant, value]) => syncedTenant(tenant, value, config));
  const problems = tenants.flatMap(countryProblems);
  if (problems.length > 0) throw new ConfigError(path, problems);
  return {
    instance,
    log,
    management,
    telemetry,
    nats,
    grpcTls: grpc.tls,
    listen: parseHostPort(policySync.listen),
    advertise: policySync.advertise,
    tenants,
  };
}

function syncedTenant(tenant: string, value: TenantConfig, { regions }: SidestreamConfig): SyncedTenant[] {
  const { policy, provider, recording } = value;
  if (policy.source !== 'provider' || provider === undefined) return [];
  const recorders = recordersOf(value, regions).map(({ recorder }) => recorder);
  return [{ tenant, policy, provider, recorders, enabled: recording.enabled }];
}

function countryProblems({ tenant, policy: { defaultCountry } }: SyncedTenant): ConfigProblem[] {
  if (defaultCountry === undefined || isCountryCode(defaultCountry)) return [];
  const message = `'${defaultCountry}' is no country whose numbers are known`;
  return [{ path: `tenants.${tenant}.policy.defaultCountry`, message }];
}
