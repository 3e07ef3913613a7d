// Where the metrics are of what stands beside a service. The chart says it in the pod, not in sidestream.yaml: pods of the version before get the
// new file, too, and refuse keys that they don't know.
import { parseHostPort } from '../address.js';
import { ConfigError } from './config-error.js';

/**
 * @param variable of the environment, which counts before the file
 * @param ofFile what sidestream.yaml says
 * @returns host:port; undefined: nowhere
 * @throws ConfigError
 */
export function neighbourAddress(
  environment: NodeJS.ProcessEnv,
  variable: string,
  ofFile: string | undefined,
): string | undefined {
  const address = environment[variable];
  if (!address) return ofFile;
  try {
    parseHostPort(address);
    return address;
  } catch (error) {
    throw new ConfigError('environment', [{ path: variable, message: error instanceof Error ? error.message : '' }]);
  }
}
