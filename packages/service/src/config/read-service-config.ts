// What every service process reads first: which configuration, and which instance of its kind it is.
import { isIPv6 } from 'node:net';
import { hostname } from 'node:os';
import type { OwnPod } from '../deletion-cost.js';
import { ConfigError } from './config-error.js';
import { readsFile, type ServiceName } from './needed-files.js';
import { readConfig } from './read-config.js';
import type { SidestreamConfig } from './schema.js';

/** A deployment's configuration as one process of it sees it. */
export interface ServiceConfig {
  /** Where the configuration was read, for errors. */
  readonly path: string;
  readonly config: SidestreamConfig;
  /** Unique among the instances of its kind. */
  readonly instance: string;
  /** Where it may say what its end costs; undefined: nowhere. */
  readonly pod: OwnPod | undefined;
}

/**
 * Reads `SIDESTREAM_CONFIG` (path of sidestream.yaml), `SIDESTREAM_INSTANCE`, without which the instance is called as the
 * configuration says, else as the host, `SIDESTREAM_ADVERTISE`: the host under which others reach this process's gRPC, and, in a pod that
 * may say what its end costs, `SIDESTREAM_POD_URL` and `SIDESTREAM_POD_CREDENTIALS`. Files must be there that this service reads.
 * Who advertises an IPv6 address listens on `::` where the configuration says `0.0.0.0`.
 *
 * @throws ConfigError with every problem found.
 */
export function readServiceConfig(
  environment: NodeJS.ProcessEnv,
  service: ServiceName,
  idOf: (config: SidestreamConfig) => string | undefined,
): ServiceConfig {
  const path = environment['SIDESTREAM_CONFIG'];
  if (!path) throw new ConfigError('environment', [{ path: 'SIDESTREAM_CONFIG', message: 'names no sidestream.yaml' }]);
  const config = readConfig(path, (key) => readsFile(service, key), service);
  const instance = environment['SIDESTREAM_INSTANCE'] || idOf(config) || hostname().replaceAll('.', '-').slice(0, 63);
  // The id is part of NATS keys, and of every call-id in rtpengine.
  if (!/^[A-Za-z0-9_-]{1,63}$/.test(instance)) {
    const message = `'${instance}' is not 1 to 63 letters, digits, dashes`;
    throw new ConfigError('environment', [{ path: 'SIDESTREAM_INSTANCE', message }]);
  }
  const advertise = environment['SIDESTREAM_ADVERTISE'];
  const pod = ownPod(environment);
  return { path, config: advertise ? advertisedAs(config, advertise) : config, instance, pod };
}

function ownPod(environment: NodeJS.ProcessEnv): OwnPod | undefined {
  const url = environment['SIDESTREAM_POD_URL'];
  const credentials = environment['SIDESTREAM_POD_CREDENTIALS'];
  if (!url && !credentials) return undefined;
  if (!url || !/^https:\/\/[^\s/?#@]+\/api\/v1\/namespaces\/[a-z0-9-]+\/pods\/[a-z0-9.-]+$/.test(url)) {
    const message = 'must be https://host[:port]/api/v1/namespaces/<namespace>/pods/<name>';
    throw new ConfigError('environment', [{ path: 'SIDESTREAM_POD_URL', message }]);
  }
  if (!credentials) {
    const message = 'names no folder with token and ca.crt';
    throw new ConfigError('environment', [{ path: 'SIDESTREAM_POD_CREDENTIALS', message }]);
  }
  return { url, credentials };
}

/** Instances share a sidestream.yaml but not an address: what the file says of it gives way. */
function advertisedAs(config: SidestreamConfig, advertise: string): SidestreamConfig {
  const { signalling, mediaRelay, policySync, registration, gateway, management } = config;
  // Not on the advertised address itself: that would shut loopback out, where port forwarding of Kubernetes comes in.
  const everywhere = (listen: string) => (isIPv6(advertise) ? listen.replace(/^0\.0\.0\.0:/, '[::]:') : listen);
  return {
    ...config,
    signalling: { ...signalling, grpcListen: everywhere(signalling.grpcListen), grpcAdvertise: advertise },
    mediaRelay: { ...mediaRelay, listen: everywhere(mediaRelay.listen), advertise },
    policySync: { ...policySync, listen: everywhere(policySync.listen), advertise },
    registration: { ...registration, listen: everywhere(registration.listen), advertise },
    gateway: gateway && { ...gateway, listen: everywhere(gateway.listen) },
    management: { ...management, listen: everywhere(management.listen) },
  };
}
