// The gRPC face of the registration: translates requests and answers, decides nothing.
import type {
  PlanResponse,
  RegistrationServiceServer,
  TenantRegistration,
  Warning,
} from '@sidestream/proto/registration/v1';
import type { UnaryHandlers } from '@sidestream/service';
import type { Finding, RegistrationPlan } from '@sidestream/tenant-registration';
import type { TenantStatus } from '../domain/ports.js';
import type { RegistrationDesk } from '../domain/registration-desk.js';
import { oneLine } from './announcer.js';

/** Makes the implementation for the server. */
export function registrationService(
  desk: RegistrationDesk,
  handlers: UnaryHandlers,
  instance: string,
): RegistrationServiceServer {
  return {
    plan: handlers.handle('Plan', async ({ tenant }) => {
      const { plan, reason } = await desk.plan(tenant);
      return writePlan(tenant, plan, reason);
    }),
    apply: handlers.handle('Apply', async ({ tenant, force }) => {
      const { outcome, status } = await desk.apply(tenant, force);
      return { outcome, registration: writeStatus(status) };
    }),
    getStatus: handlers.handle('GetStatus', async ({ tenant }) => ({
      instance,
      active: desk.active,
      tenants: (await desk.status(tenant)).map(writeStatus),
    })),
  };
}

function writePlan(tenant: string, plan: RegistrationPlan, reason: string | undefined): PlanResponse {
  return {
    tenant,
    needed: reason !== undefined,
    reason: reason ?? '',
    url: plan.url,
    body: plan.body === undefined ? '' : JSON.stringify(plan.body),
    contentHash: plan.contentHash,
    warnings: written(plan.findings, 'warning'),
    errors: written(plan.findings, 'error'),
  };
}

function writeStatus(status: TenantStatus): TenantRegistration {
  const { tenant, state, contentHash, appliedAt, lastError, nextAttemptAt, certificate, findings } = status;
  return {
    tenant,
    state,
    contentHash,
    appliedAt,
    lastError: lastError?.message ?? '',
    lastErrorAt: lastError?.at,
    certificateSubject: oneLine(certificate?.subject ?? ''),
    certificateIssuer: oneLine(certificate?.issuer ?? ''),
    certificateExpiresAt: certificate?.notAfter,
    warnings: written(findings, 'warning'),
    nextAttemptAt,
  };
}

function written(findings: readonly Finding[], wanted: Finding['severity']): Warning[] {
  return findings.filter(({ severity }) => severity === wanted).map(({ code, text }) => ({ code, text }));
}
