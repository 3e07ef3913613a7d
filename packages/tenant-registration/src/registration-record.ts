// What is kept of a registration in the KV bucket `registrations`, key = the tenant: written by the registration service, read by
// signalling, which shows a certificate of other names only once the provider knows them.
import { z } from 'zod';
import { type CertificateIdentity, sameNames } from './recorder-identity.js';
import type { RegistrationPlan } from './registration-plan.js';

const time = z.iso.datetime();

const acceptedSchema = z.object({
  contentHash: z.string(),
  outcome: z.enum(['registered', 'already-registered']),
  at: time,
  /** Digest of each key that was sent, by its path: says later what has changed. */
  digests: z.record(z.string(), z.string()),
  subject: z.string(),
  issuer: z.string(),
  fingerprint256: z.string(),
});

/** The value of a key; it holds no secret and nothing of a template's values. */
export const registrationRecordSchema = z.object({
  /** What the provider accepted last. */
  accepted: acceptedSchema.optional(),
  /** Written before a request leaves, removed with its outcome: what is left of it tells that nobody knows the outcome. */
  intent: z.object({ contentHash: z.string(), at: time, by: z.string() }).optional(),
  /** The last attempt, if it failed. */
  failure: z
    .object({
      contentHash: z.string(),
      code: z.string(),
      message: z.string(),
      at: time,
      retryable: z.boolean(),
      /** How often in a row. */
      attempts: z.int().min(1),
      retryAt: time,
    })
    .optional(),
  /** The last threshold of the certificate's end that was announced. */
  expiryTold: z.object({ fingerprint256: z.string(), withinDays: z.int().min(0) }).optional(),
});

export type RegistrationRecord = z.output<typeof registrationRecordSchema>;

/** Whether the provider has accepted a certificate of these names for the tenant. */
export function isAccepted({ accepted }: RegistrationRecord, identity: CertificateIdentity): boolean {
  return accepted !== undefined && sameNames(accepted, identity);
}

/** Why a plan has to be registered, for people; undefined when the provider has accepted the same already. */
export function reasonToRegister({ accepted }: RegistrationRecord, plan: RegistrationPlan): string | undefined {
  if (accepted === undefined) return 'never registered';
  if (accepted.contentHash === plan.contentHash) return undefined;
  const paths = [...new Set([...Object.keys(accepted.digests), ...Object.keys(plan.digests)])];
  const changed = paths.filter((path) => accepted.digests[path] !== plan.digests[path]);
  return `${changed.join(', ') || 'the order of a list'} changed`;
}
