// `sidestream register`: what would be registered with the provider, and the registering of it.
import {
  type ApplyResponse,
  type PlanResponse,
  RegistrationServiceClient,
  type Warning,
} from '@sidestream/proto/registration/v1';
import { ConfigError, callUnary, type SidestreamConfig, SidestreamError } from '@sidestream/service';
import { tenantSettings } from '@sidestream/tenant-registration';
import { answered } from '../answered.js';
import { callInstance, isGone } from '../control-plane.js';
import { planHere } from '../plan-here.js';

const planDeadlineMs = 10_000;
/** The service may have to ask Entra and the provider more than once. */
const applyDeadlineMs = 90_000;

export interface RegisterOptions {
  readonly config: string;
  readonly tenant?: string;
  readonly dryRun: boolean;
  readonly force: boolean;
  readonly json: boolean;
  /** Of a registration service, instead of the one that NATS knows. */
  readonly address?: string;
}

/** What is said of one tenant; `--json` prints a list of it. */
interface Report {
  readonly tenant: string;
  /** Whether it has to be registered; null: nobody was there who knows. */
  readonly needed: boolean | null;
  readonly reason: string;
  readonly url: string;
  readonly body: unknown;
  readonly contentHash: string;
  readonly warnings: readonly Warning[];
  readonly errors: readonly Warning[];
  readonly outcome: 'registered' | 'already-registered' | 'unchanged' | 'dry-run' | 'failed';
  readonly error?: string;
}

/** @returns the process's exit code: 0 done, 1 failed, 2 wrong configuration or tenant. */
export function register(options: RegisterOptions): Promise<number> {
  return answered(options.config, async (config) => {
    const reports: Report[] = [];
    for (const tenant of wantedTenants(config, options)) reports.push(await reportOn(tenant, config, options));
    process.stdout.write(options.json ? `${JSON.stringify(reports, null, 2)}\n` : reports.map(written).join('\n'));
    return reports.some(({ outcome, errors }) => outcome === 'failed' || errors.length > 0) ? 1 : 0;
  });
}

function wantedTenants({ tenants }: SidestreamConfig, { config, tenant }: RegisterOptions): string[] {
  const registered = Object.keys(tenants).filter((name) => tenantSettings(tenants[name] ?? {}) !== undefined);
  if (tenant === undefined && registered.length > 0) return registered;
  if (tenant !== undefined && registered.includes(tenant)) return [tenant];
  const [path, message] =
    tenant === undefined
      ? ['tenants', 'none has a provider with which it is to be registered']
      : [`tenants.${tenant}`, tenant in tenants ? 'has no provider, or provider.register is false' : 'is not there'];
  throw new ConfigError(config, [{ path, message }]);
}

async function reportOn(tenant: string, config: SidestreamConfig, options: RegisterOptions): Promise<Report> {
  const instance = { config, service: 'registration', address: options.address } as const;
  try {
    return await callInstance(instance, RegistrationServiceClient, (client) => askService(client, tenant, options));
  } catch (thrown) {
    const { code, message } = SidestreamError.from(thrown);
    if (code === 'not-ready' && options.dryRun && options.address === undefined) return plannedHere(tenant, config);
    return failed(tenant, message);
  }
}

async function askService(
  client: RegistrationServiceClient,
  tenant: string,
  { dryRun, force }: RegisterOptions,
): Promise<Report> {
  const plan = await callUnary(client.plan.bind(client), { tenant }, { deadlineMs: planDeadlineMs });
  if (dryRun || plan.errors.length > 0) return planned(plan, dryRun ? 'dry-run' : 'failed');
  let applied: ApplyResponse;
  try {
    applied = await callUnary(client.apply.bind(client), { tenant, force }, { deadlineMs: applyDeadlineMs });
  } catch (thrown) {
    const error = SidestreamError.from(thrown);
    if (isGone(error)) throw error;
    return { ...planned(plan, 'failed'), error: error.message };
  }
  return planned(
    plan,
    applied.outcome === 'registered' || applied.outcome === 'already-registered' ? applied.outcome : 'unchanged',
  );
}

function planned(plan: PlanResponse, outcome: Report['outcome']): Report {
  const { body, ...rest } = plan;
  return { ...rest, body: body === '' ? null : JSON.parse(body), outcome };
}

async function plannedHere(tenant: string, config: SidestreamConfig): Promise<Report> {
  const reason = 'unknown: no registration service was found, so this was planned here, from the configuration';
  try {
    return { ...planned(await planHere(tenant, config), 'dry-run'), needed: null, reason };
  } catch (thrown) {
    // A file that isn't here: only this way of planning reads it.
    return failed(
      tenant,
      `${SidestreamError.from(thrown).message}; and no registration service was found, which reads it where it is`,
    );
  }
}

function failed(tenant: string, error: string): Report {
  const nothing = { needed: null, reason: '', url: '', body: null, contentHash: '', warnings: [], errors: [] };
  return { tenant, ...nothing, outcome: 'failed', error };
}

function written(report: Report): string {
  const { tenant, reason, url, body, warnings, errors } = report;
  const lines = [tenant];
  if (url !== '')
    lines.push(`  why      ${reason || 'the provider has accepted this already'}`, `  request  POST ${url}`);
  if (body !== null) lines.push(`  body     ${JSON.stringify(body, null, 2).replaceAll('\n', '\n           ')}`);
  for (const { code, text } of warnings) lines.push(`  warning  ${code}: ${text}`);
  for (const { code, text } of errors) lines.push(`  error    ${code}: ${text}`);
  lines.push(`  outcome  ${outcomeText(report)}`);
  return `${lines.join('\n')}\n`;
}

function outcomeText({ outcome, error }: Report): string {
  switch (outcome) {
    case 'registered':
      return 'registered';
    case 'already-registered':
      return 'the provider says that it is registered already (409), which is as good';
    case 'unchanged':
      return 'nothing was sent: the provider has accepted this already (--force sends it again)';
    case 'dry-run':
      return 'dry run: nothing was sent';
    case 'failed':
      return `failed: ${error ?? 'nothing was sent, because of the errors'}`;
    default:
      return outcome satisfies never;
  }
}
