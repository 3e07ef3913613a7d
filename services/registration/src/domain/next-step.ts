// What is to be done for a tenant now. Pure: plan and record in, step out.
import {
  expiryThreshold,
  isAccepted,
  obstacle,
  type RegistrationPlan,
  type RegistrationRecord,
  reasonToRegister,
} from '@sidestream/tenant-registration';
import type { RegistrationState, TenantStatus } from './ports.js';
import { longestWaitMs } from './record-changes.js';

export type Step =
  | { readonly do: 'rest' }
  /** The content was accepted, though from another certificate: its names are to be noted. */
  | { readonly do: 'adopt' }
  | { readonly do: 'register'; readonly reason: string }
  | { readonly do: 'wait'; readonly until: Date; readonly reason: string }
  | { readonly do: 'refuse'; readonly obstacle: string };

/** @param urged somebody asked, or changed something: do not wait for the time of the next attempt. @param force register in any case. */
export function nextStep(
  plan: RegistrationPlan,
  record: RegistrationRecord,
  { now, urged, force }: { now: Date; urged: boolean; force: boolean },
): Step {
  const blocked = obstacle(plan);
  if (blocked !== undefined) return { do: 'refuse', obstacle: blocked };
  const reason = force ? 'forced' : explained(record, reasonToRegister(record, plan));
  if (reason === undefined) return { do: plan.identity && isAccepted(record, plan.identity) ? 'rest' : 'adopt' };
  const { failure } = record;
  const until = new Date(failure?.retryAt ?? 0);
  const leftMs = until.getTime() - now.getTime();
  const waits = failure?.contentHash === plan.contentHash && leftMs > 0 && leftMs <= longestWaitMs && !urged && !force;
  return waits ? { do: 'wait', until, reason } : { do: 'register', reason };
}

/** The threshold of the certificate's end that is to be announced now; undefined when there is none or all were told. */
export function expiryToTell(
  plan: RegistrationPlan,
  { expiryTold }: RegistrationRecord,
  now: Date,
): number | undefined {
  if (plan.identity === undefined) return undefined;
  const { notAfter, fingerprint256 } = plan.identity;
  const days = expiryThreshold(notAfter, now);
  if (days === undefined) return undefined;
  return expiryTold?.fingerprint256 === fingerprint256 && expiryTold.withinDays <= days ? undefined : days;
}

/** How a registration stands, for people and metrics. */
export function statusOf(tenant: string, plan: RegistrationPlan, record: RegistrationRecord): TenantStatus {
  const { accepted, failure } = record;
  const blocked = obstacle(plan);
  const error =
    blocked === undefined ? failure && { message: failure.message, at: new Date(failure.at) } : { message: blocked };
  return {
    tenant,
    state: stateOf(plan, record),
    contentHash: accepted?.contentHash ?? '',
    ...(accepted && { appliedAt: new Date(accepted.at) }),
    ...(error && { lastError: error }),
    ...(failure && blocked === undefined && { nextAttemptAt: new Date(failure.retryAt) }),
    ...(plan.identity && { certificate: plan.identity }),
    findings: plan.findings,
  };
}

function stateOf(plan: RegistrationPlan, { accepted, failure }: RegistrationRecord): RegistrationState {
  if (accepted !== undefined) return accepted.contentHash === plan.contentHash ? 'applied' : 'drifted';
  return failure !== undefined || obstacle(plan) !== undefined ? 'failed' : 'never';
}

function explained({ intent }: RegistrationRecord, reason: string | undefined): string | undefined {
  if (reason === undefined || intent === undefined) return reason;
  return `${reason}; the outcome of the attempt of ${intent.by} at ${intent.at} is unknown`;
}
