/** The one door of @sidestream/pki: throw-away certificates for tests, simulators and the demo. */
export {
  type Authority,
  type CertificateRequest,
  type CertificateUsage,
  type Credential,
  createAuthority,
} from './authority.js';
export type { CredentialFiles } from './credential-files.js';
export { CredentialFolder } from './credential-folder.js';
