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
  const path = environment['SIDESTREAM_CONFIG'];
  if (!path) throw new ConfigError('environment', [{ path: 'SIDESTREAM_CONFIG', message: 'names no sidestream.yaml' }]);
  const { nats, grpc, registration, tenants, log, management } = readConfig(path);
  const instance = environment['SIDESTREAM_INSTANCE'] || registration.id || hostname().replaceAll('.', '-');
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

/** Where others reach what listens at `listen` on `port`: `advertise` may be a host or host:port. */
export function advertisedAddress({ listen, advertise }: RegistrationConfig, port: number): string {
  if (advertise !== undefined)
    return /^(\[.+\]|[^:]+):\d+$/.test(advertise) ? advertise : formatHostPort({ host: advertise, port });
  const wildcard = listen.host === '0.0.0.0' || listen.host === '::';
  return formatHostPort({ host: wildcard ? hostname() : listen.host, port });
}
