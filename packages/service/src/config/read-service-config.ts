// What every service process reads first: which configuration, and which instance of its kind it is.
import { hostname } from 'node:os';
import { ConfigError } from './config-error.js';
import { readConfig } from './read-config.js';
import type { SidestreamConfig } from './schema.js';

/** A deployment's configuration as one process of it sees it. */
export interface ServiceConfig {
  /** Where the configuration was read, for errors. */
  readonly path: string;
  readonly config: SidestreamConfig;
  /** Unique among the instances of its kind. */
  readonly instance: string;
}

/**
 * Reads `SIDESTREAM_CONFIG` (path of sidestream.yaml) and `SIDESTREAM_INSTANCE`; without the latter the instance is called as the
 * configuration says, else as the host.
 *
 * @throws ConfigError with every problem found.
 */
export function readServiceConfig(
  environment: NodeJS.ProcessEnv,
  idOf: (config: SidestreamConfig) => string | undefined,
): ServiceConfig {
  const path = environment['SIDESTREAM_CONFIG'];
  if (!path) throw new ConfigError('environment', [{ path: 'SIDESTREAM_CONFIG', message: 'names no sidestream.yaml' }]);
  const config = readConfig(path);
  const instance = environment['SIDESTREAM_INSTANCE'] || idOf(config) || hostname().replaceAll('.', '-').slice(0, 63);
  // The id is part of NATS keys, and of every call-id in rtpengine.
  if (!/^[A-Za-z0-9_-]{1,63}$/.test(instance)) {
    const message = `'${instance}' is not 1 to 63 letters, digits, dashes`;
    throw new ConfigError('environment', [{ path: 'SIDESTREAM_INSTANCE', message }]);
  }
  return { path, config, instance };
}
