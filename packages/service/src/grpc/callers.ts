// Who calls whom between services, and by which names in their certificates they know each other.
import type { GrpcTls } from '../config/schema.js';

/** By whom each service is called; `cli` is the command line. */
const callersOf = {
  'media-relay': ['signalling'],
  signalling: ['gateway', 'cli'],
  'policy-sync': ['gateway', 'cli'],
  registration: ['gateway', 'cli'],
} as const;

/** A service that others call. */
export type CalledService = keyof typeof callersOf;

/** The name that the service must show to whoever calls it; undefined: its address. */
export function nameOfCalled(service: CalledService, { checkNames, serverName }: GrpcTls): string | undefined {
  return checkNames === true ? `${service}.${serverName}` : serverName;
}

/** The names of which a caller of the service must show one; undefined: a certificate of the authority is enough. */
export function namesOfCallers(service: CalledService, tls: GrpcTls | undefined): string[] | undefined {
  return tls?.checkNames === true ? callersOf[service].map((caller) => `${caller}.${tls.serverName}`) : undefined;
}
