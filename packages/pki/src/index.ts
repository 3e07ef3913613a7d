/** The one door of @sidestream/pki: throw-away certificates and NATS credentials for tests, simulators, the demo and deploy/kind. */
export {
  type Authority,
  type CertificateRequest,
  type CertificateUsage,
  type Credential,
  createAuthority,
} from './authority.js';
export type { CredentialFiles } from './credential-files.js';
export { CredentialFolder } from './credential-folder.js';
export { issueNatsCredentials, type NatsCredentials, type NatsPermissions } from './nats-credentials.js';
