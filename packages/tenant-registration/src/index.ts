// @sidestream/tenant-registration: what the provider is told of a tenant, and what is known of its registration. No I/O, no HTTP, no NATS.
export type { NameForm } from './name-form.js';
export {
  type CertificateIdentity,
  checkIdentity,
  expiryThreshold,
  type Finding,
  type RecorderIdentity,
  readIdentity,
  sameNames,
} from './recorder-identity.js';
export type { JsonObject } from './registration-body.js';
export {
  isPublicAddress,
  obstacle,
  planRegistration,
  type RegistrationPlan,
  type TenantMaterial,
  type TenantSettings,
  tenantSettings,
  unreadablePlan,
} from './registration-plan.js';
export {
  isAccepted,
  type RegistrationRecord,
  reasonToRegister,
  registrationRecordSchema,
} from './registration-record.js';
