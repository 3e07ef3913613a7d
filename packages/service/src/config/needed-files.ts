// Which of the files that sidestream.yaml names a service reads: the others needn't be there, so no process gets a key for nothing.

/** How a service reaches NATS, its fellows and the collector of traces; the edge has the last alone. */
const ofAll = /^(nats|grpc|telemetry)\./;

/** By the path of the key. The chart mounts the same (`sidestream.config`). */
const ofService = {
  'sip-edge': /^(signalling|telemetry)\./,
  signalling: /^(signalling|trunks)\.|^tenants\.[^.]+\.(recording\.|policy\.file$)/,
  'media-relay': undefined,
  'policy-sync': /^tenants\.[^.]+\.(provider\.(client\w+|trust)File|policy\.identitiesFile)$/,
  // It reads the key, too: a recorder would refuse an identity whose key isn't the certificate's.
  registration: /^tenants\.[^.]+\.(provider|recording\.identity)\./,
  gateway: /^gateway\./,
  // The commands that ask services; those that examine files read all.
  cli: undefined,
} as const;

/** A process that reads sidestream.yaml. */
export type ServiceName = keyof typeof ofService;

/** Who reads it; cli: a command of the command line, which looks at everything. */
export type ConfigReader = ServiceName | 'cli';

/** Whether the file is read that the key at this path (`tenants.contoso.policy.file`) names. */
export function readsFile(reader: ConfigReader, path: string): boolean {
  if (reader === 'cli') return true;
  return (reader !== 'sip-edge' && ofAll.test(path)) || ofService[reader]?.test(path) === true;
}
