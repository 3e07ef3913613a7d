// Which of the files that sidestream.yaml names a service reads: the others needn't be there, so no process gets a key for nothing.

/** Of every service but the edge, which calls nobody: how it reaches NATS, its fellows and the collector of traces. */
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

/** Whether the service reads the file that the key at this path (`tenants.contoso.policy.file`) names. */
export function readsFile(service: ServiceName, path: string): boolean {
  return (service !== 'sip-edge' && ofAll.test(path)) || ofService[service]?.test(path) === true;
}
