// One tenant's registration: looks, decides, registers, remembers. It knows neither HTTP nor NATS nor files.
import { type Logger, pause, SidestreamError } from '@sidestream/service';
import {
  planRegistration,
  type RegistrationPlan,
  type RegistrationRecord,
  reasonToRegister,
  type TenantSettings,
  unreadablePlan,
} from '@sidestream/tenant-registration';
import { graceful } from './graceful.js';
import { expiryToTell, nextStep, type Step, statusOf } from './next-step.js';
import {
  type Announcements,
  type Materials,
  type Outcome,
  type Provider,
  ProviderFailure,
  type RecordStore,
  type StoredRecord,
  type TenantStatus,
} from './ports.js';
import { withAccepted, withExpiryTold, withFailure, withIntent } from './record-changes.js';

/** The longest time between two looks: certificates age, and others may change the record. */
const lookMs = 60_000;
/** After a look that failed, or found files that do not fit together: they may be changing just now. */
const againMs = 2_000;
/** A request under way is not cut off at once when the work has to end: its outcome would be lost. */
const graceMs = 2_000;

export interface RegistrarOptions {
  readonly tenant: string;
  readonly settings: TenantSettings;
  /** Name of this instance, noted with each attempt. */
  readonly instance: string;
  readonly provider: Provider;
  readonly store: RecordStore;
  readonly materials: Materials;
  readonly announcements: Announcements;
  readonly log: Logger;
  readonly now?: () => Date;
  readonly random?: () => number;
}

interface Considered extends StoredRecord {
  readonly plan: RegistrationPlan;
}

export class Registrar {
  readonly #options: RegistrarOptions;
  readonly #now: () => Date;
  readonly #random: () => number;
  #queue: Promise<unknown> = Promise.resolve();
  #wake = new AbortController();
  #urged = false;
  /** What was said last of a plan that can't be registered: it is said once. */
  #obstacle: string | undefined;
  #warned = '';

  constructor(options: RegistrarOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => new Date());
    this.#random = options.random ?? Math.random;
  }

  /** Keeps the tenant registered until the signal aborts; for the active instance alone. */
  async run(signal: AbortSignal): Promise<void> {
    const end = () => this.#wake.abort();
    signal.addEventListener('abort', end, { once: true });
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const waitMs = await this.look(signal).catch((error: unknown) => {
        if (!signal.aborted) this.#options.log.warn({ err: error, tenant: this.#options.tenant }, 'looking again soon');
        return againMs;
      });
      if (!signal.aborted) await pause(waitMs, this.#wake.signal);
    }
    signal.removeEventListener('abort', end);
  }

  /** A file changed: looks at once, and does not wait for the time of a retry. */
  changed(): void {
    this.#urged = true;
    this.#wake.abort();
  }

  /** What would be sent, and why; undefined: it need not be. */
  async plan(): Promise<{ plan: RegistrationPlan; reason: string | undefined }> {
    const { plan, record } = await this.#consider();
    return { plan, reason: reasonToRegister(record, plan) };
  }

  async status(): Promise<TenantStatus> {
    const { plan, record } = await this.#consider();
    return statusOf(this.#options.tenant, plan, record);
  }

  /**
   * Registers now if the plan differs from what was accepted, or in any case with `force`.
   *
   * @throws SidestreamError `bad-request` when the plan can't be registered, `provider-refused`, `provider-unavailable`.
   */
  apply(force: boolean, signal: AbortSignal): Promise<{ outcome: Outcome | 'unchanged'; status: TenantStatus }> {
    return this.#exclusive(async () => {
      const considered = await this.#consider();
      const { plan } = considered;
      const step = nextStep(plan, considered.record, { now: this.#now(), urged: true, force });
      if (step.do === 'refuse') throw new SidestreamError('bad-request', step.obstacle);
      const { record } = await this.#take(step, considered, signal).catch((error: unknown) => {
        if (!signal.aborted) throw error;
        throw new SidestreamError('not-active', 'this instance stands by now; what became of the request is unknown');
      });
      const status = statusOf(this.#options.tenant, plan, record);
      this.#options.announcements.observed(status);
      // Whatever was waited for, such as a retry, is to be thought over.
      this.#wake.abort();
      if (step.do !== 'register') return { outcome: 'unchanged' as const, status };
      if (record.failure === undefined) return { outcome: record.accepted?.outcome ?? 'registered', status };
      const { retryable, message } = record.failure;
      throw new SidestreamError(retryable ? 'provider-unavailable' : 'provider-refused', message);
    });
  }

  /** One look, and what follows from it; resolves with the time in ms until the next one is due. */
  look(signal: AbortSignal): Promise<number> {
    return this.#exclusive(() => this.#look(signal));
  }

  async #look(signal: AbortSignal): Promise<number> {
    const { tenant, announcements } = this.#options;
    const urged = this.#urged;
    this.#urged = false;
    const considered = await this.#tellExpiry(await this.#consider());
    this.#warn(considered.plan);
    const step = nextStep(considered.plan, considered.record, { now: this.#now(), urged, force: false });
    announcements.observed(statusOf(tenant, considered.plan, considered.record));
    const { plan, record } = await this.#take(step, considered, signal);
    announcements.observed(statusOf(tenant, plan, record));
    if (step.do === 'refuse') return this.#refused(step.obstacle);
    this.#obstacle = undefined;
    const retryAt = nextStep(plan, record, { now: this.#now(), urged: false, force: false });
    return retryAt.do === 'wait' ? Math.min(retryAt.until.getTime() - this.#now().getTime(), lookMs) : lookMs;
  }

  /** Files that are being replaced do not fit together for a moment: what is still so at the second look is said. */
  #refused(obstacle: string): number {
    const { tenant, log, announcements } = this.#options;
    const seen = this.#obstacle;
    if (seen === undefined) {
      this.#obstacle = '';
      return againMs;
    }
    if (seen !== obstacle) {
      log.error({ tenant, obstacle }, 'the tenant can not be registered');
      announcements.drifted(tenant, obstacle);
    }
    this.#obstacle = obstacle;
    return lookMs;
  }

  async #take(step: Step, considered: Considered, signal: AbortSignal): Promise<Considered> {
    switch (step.do) {
      case 'rest':
      case 'wait':
      case 'refuse':
        return considered;
      case 'adopt':
        return this.#write(considered, withAccepted(considered.record, considered.plan, { at: this.#now() }));
      case 'register':
        return this.#register(considered, step.reason, signal);
      default:
        return step satisfies never;
    }
  }

  async #register(considered: Considered, reason: string, signal: AbortSignal): Promise<Considered> {
    const { tenant, instance, provider, log, announcements } = this.#options;
    const { plan, record: before } = considered;
    const intent = withIntent(before, plan, { at: this.#now(), by: instance });
    const intended = await this.#write(considered, intent);
    // Meanwhile another instance may have become the active one: what has not left yet is its to send.
    signal.throwIfAborted();
    log.info({ tenant, reason, contentHash: plan.contentHash }, 'the tenant is being registered');
    const grace = graceful(signal, graceMs);
    let after: RegistrationRecord;
    try {
      const outcome = await provider.register(tenant, plan.body ?? {}, grace.signal);
      after = withAccepted(intent, plan, { at: this.#now(), outcome });
      announcements.attempted(tenant, outcome);
      log.info({ tenant, outcome }, 'the tenant is registered');
    } catch (error) {
      // Cut off, it has no verdict: the intent stays, since nobody knows whether the provider took it.
      if (grace.signal.aborted) throw error;
      const failure = asFailure(error);
      after = withFailure(intent, plan, failure, { at: this.#now(), random: this.#random() });
      announcements.attempted(tenant, failure.code);
      log.error({ tenant, code: failure.code, retryAt: after.failure?.retryAt }, failure.message);
    } finally {
      grace.end();
    }
    const written = await this.#write(intended, after);
    this.#announce(before, after);
    return written;
  }

  #announce(before: RegistrationRecord, { accepted, failure }: RegistrationRecord): void {
    const { tenant, announcements } = this.#options;
    if (failure === undefined) {
      if (accepted !== undefined) announcements.applied(tenant, accepted.contentHash, accepted.outcome);
    } else if (failure.code !== before.failure?.code || failure.contentHash !== before.failure.contentHash) {
      announcements.drifted(tenant, failure.message);
    }
  }

  async #tellExpiry(considered: Considered): Promise<Considered> {
    const { plan, record } = considered;
    const withinDays = expiryToTell(plan, record, this.#now());
    if (withinDays === undefined || plan.identity === undefined) return considered;
    // Written before it is said, so that no other instance says it again.
    const written = await this.#write(considered, withExpiryTold(record, plan.identity.fingerprint256, withinDays));
    this.#options.announcements.expiring(this.#options.tenant, plan.identity, withinDays);
    return written;
  }

  #warn({ findings }: RegistrationPlan): void {
    const warnings = findings.filter(({ severity }) => severity === 'warning').map(({ text }) => text);
    const text = warnings.join('; ');
    if (text !== this.#warned && text !== '')
      this.#options.log.warn({ tenant: this.#options.tenant, warnings }, 'the registration has warnings');
    this.#warned = text;
  }

  async #write(considered: Considered, record: RegistrationRecord): Promise<Considered> {
    const revision = await this.#options.store.write(this.#options.tenant, record, considered.revision);
    return { plan: considered.plan, record, revision };
  }

  async #consider(): Promise<Considered> {
    const { tenant, settings, materials, store } = this.#options;
    const stored = await store.read(tenant);
    let plan: RegistrationPlan;
    try {
      plan = planRegistration(settings, await materials.load(tenant), this.#now());
    } catch (error) {
      plan = unreadablePlan(settings, error instanceof Error ? error.message : String(error));
    }
    return { ...stored, plan };
  }

  /** One after the other: the loop's looks and what people ask for. */
  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }
}

/** A fault of ours is retried as slowly as one of the provider's. */
function asFailure(error: unknown): ProviderFailure {
  if (error instanceof ProviderFailure) return error;
  return new ProviderFailure('internal', error instanceof Error ? error.message : String(error), { retryable: true });
}
