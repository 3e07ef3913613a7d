// What this process needs of the deployment's configuration and its environment; the only reader of both.
import {
  type HostPort,
  type ProcessConfig,
  type ProviderConfig,
  parseHostPort,
  readServiceConfig,
  type SidestreamConfig,
} from '@sidestream/service';
import { type TenantSettings, tenantSettings } from '@sidestream/tenant-registration';

/** A tenant that is to be registered. */
export interface RegisteredTenant {
  readonly settings: TenantSettings;
  readonly provider: ProviderConfig;
  readonly identity: { readonly certFile: string; readonly keyFile: string };
}

export interface RegistrationConfig extends ProcessConfig {
  readonly nats: SidestreamConfig['nats'];
  readonly grpcTls: SidestreamConfig['grpc']['tls'];
  readonly listen: HostPort;
  readonly advertise: string | undefined;
  readonly tenants: ReadonlyMap<string, RegisteredTenant>;
}

/**
 * Reads `SIDESTREAM_CONFIG` (path of sidestream.yaml) and `SIDESTREAM_INSTANCE` (this instance's id; else `registration.id`, else
 * the host name).
 *
 * @throws ConfigError
 */
export function readRegistrationConfig(environment: NodeJS.ProcessEnv = process.env): RegistrationConfig {
  const { config, instance } = readServiceConfig(environment, 'registration', ({ registration }) => registration.id);
  const { nats, grpc, registration, tenants, log, management, telemetry } = config;
  return {
    instance,
    log,
    management,
    telemetry,
    nats,
    grpcTls: grpc.tls,
    listen: parseHostPort(registration.listen),
    advertise: registration.advertise,
    tenants: registeredTenants(tenants),
  };
}

function registeredTenants(tenants: SidestreamConfig['tenants']): ReadonlyMap<string, RegisteredTenant> {
  const found = new Map<string, RegisteredTenant>();
  for (const [name, tenant] of Object.entries(tenants)) {
    const settings = tenantSettings(tenant);
    if (settings === undefined || tenant.provider === undefined) continue;
    found.set(name, { settings, provider: tenant.provider, identity: tenant.recording.identity });
  }
  return found;
}
