// How a record changes. Pure: a record in, a record out.
import type { RegistrationPlan, RegistrationRecord } from '@sidestream/tenant-registration';
import type { Outcome, ProviderFailure } from './ports.js';

const firstRetryMs = 5_000;
const longestRetryMs = 15 * 60_000;
/** What nobody's waiting will cure is tried again this seldom: somebody may have cured it elsewhere, such as in Entra. */
const permanentRetryMs = 3_600_000;
const spread = 1 / 5;
/** No attempt is due later than this: a provider may ask for much, and a clock that wrote the record may have been wrong. */
export const longestWaitMs = permanentRetryMs * (1 + spread);

/** A request is about to leave. */
export function withIntent(
  record: RegistrationRecord,
  { contentHash }: RegistrationPlan,
  { at, by }: { at: Date; by: string },
): RegistrationRecord {
  return { ...record, intent: { contentHash, at: at.toISOString(), by } };
}

/** The provider accepted the plan; with `outcome` undefined the content was accepted before, under another certificate. */
export function withAccepted(
  { expiryTold, accepted: before }: RegistrationRecord,
  { contentHash, digests, identity }: RegistrationPlan,
  { at, outcome }: { at: Date; outcome?: Outcome },
): RegistrationRecord {
  return {
    accepted: {
      contentHash,
      digests: { ...digests },
      outcome: outcome ?? before?.outcome ?? 'registered',
      at: outcome === undefined ? (before?.at ?? at.toISOString()) : at.toISOString(),
      subject: identity?.subject ?? '',
      issuer: identity?.issuer ?? '',
      fingerprint256: identity?.fingerprint256 ?? '',
    },
    ...(expiryTold && { expiryTold }),
  };
}

/**
 * The provider refused the plan or could not be asked. Retries double from 5 s to 15 min, or come as late as the provider asks; what
 * is permanent is tried again after an hour.
 *
 * @param random from 0 up to 1; spreads retries by a fifth, so that several deployments do not come at once.
 */
export function withFailure(
  record: RegistrationRecord,
  { contentHash }: RegistrationPlan,
  failure: ProviderFailure,
  { at, random }: { at: Date; random: number },
): RegistrationRecord {
  const { intent: _, failure: before, ...rest } = record;
  const attempts = before?.contentHash === contentHash && before.retryable ? before.attempts + 1 : 1;
  const { code, message, retryable, retryAfterMs } = failure;
  const backoffMs = Math.min(firstRetryMs * 2 ** Math.min(attempts - 1, 20), longestRetryMs);
  const waitMs = retryable ? Math.max(retryAfterMs ?? 0, backoffMs) : permanentRetryMs;
  const retryAt = new Date(at.getTime() + Math.min(waitMs, permanentRetryMs) * (1 + random * spread)).toISOString();
  return { ...rest, failure: { contentHash, code, message, retryable, attempts, at: at.toISOString(), retryAt } };
}

/** The certificate's end was announced. */
export function withExpiryTold(
  record: RegistrationRecord,
  fingerprint256: string,
  withinDays: number,
): RegistrationRecord {
  return { ...record, expiryTold: { fingerprint256, withinDays } };
}
