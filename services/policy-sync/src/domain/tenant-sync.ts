// One tenant's policy, kept in step with the provider for as long as this instance is the active one. A failure of any kind leaves
// the last good policy where it is.
import type { Limiter } from '@sidestream/service';
import type {
  Announcements,
  Clock,
  Failure,
  FetchedPolicy,
  PolicyDetails,
  PolicyStore,
  StoredPolicy,
  Unchanged,
  UserSource,
} from './ports.js';
import { type AttemptOutcome, nextAttemptAt, type Pace } from './schedule.js';
import { SyncError } from './sync-error.js';

export interface TenantSyncOptions {
  readonly tenant: string;
  readonly pace: Pace;
  readonly source: UserSource;
  readonly store: PolicyStore;
  readonly announce: Announcements;
  readonly clock: Clock;
  readonly limiter: Limiter;
  readonly random: () => number;
}

/** How it stands. */
export interface TenantState {
  readonly stored: StoredPolicy | undefined;
  /** Why the last attempt failed; undefined when it succeeded. */
  readonly failure: Failure | undefined;
  /** Undefined while an attempt is under way. */
  readonly nextAt: Date | undefined;
}

export interface SyncResult {
  readonly changed: boolean;
  readonly stored: StoredPolicy;
}

interface Request {
  readonly promise: Promise<SyncResult>;
  resolve(result: SyncResult): void;
  reject(error: unknown): void;
}

/** Instances begin at different moments, so that not all tenants are asked for at once. */
const longestStartMs = 2_000;
/** A whole attempt, a list of a million users and its upload included. */
const attemptDeadlineMs = 600_000;

export class TenantSync {
  readonly #options: TenantSyncOptions;
  #stored: StoredPolicy | undefined;
  /** Whether `#stored` is known to be what is stored. */
  #loaded = false;
  #failure: Failure | undefined;
  #failures = 0;
  readonly #told = new Set<string>();
  #staleTold = false;
  #nextAt: number | undefined;
  #waking = new AbortController();
  #request: Request | undefined;

  constructor(options: TenantSyncOptions) {
    this.#options = options;
  }

  get state(): TenantState {
    const nextAt = this.#nextAt === undefined ? undefined : new Date(this.#nextAt);
    return { stored: this.#stored, failure: this.#failure, nextAt };
  }

  /** Polls until the signal aborts. Begins with what is stored; what was announced in an earlier run is not said again. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, pace, limiter, random } = this.#options;
    this.#loaded = false;
    this.#waking = new AbortController();
    const onAbort = () => this.#waking.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    await clock.until(clock.now() + random() * Math.min(pace.pollIntervalMs / 10, longestStartMs), this.#waking.signal);
    while (!signal.aborted) {
      // What comes from here on wants an attempt of its own: this one may have been answered already.
      const request = this.#request;
      this.#request = undefined;
      this.#waking = new AbortController();
      this.#nextAt = undefined;
      const [startedAt, outcome] = await limiter.run(
        async () => [clock.now(), await this.#attempt(request, signal)] as const,
      );
      if (signal.aborted) break;
      this.#nextAt = nextAttemptAt({ startedAt, endedAt: clock.now(), outcome }, pace, random());
      await clock.until(this.#nextAt, this.#waking.signal);
    }
    signal.removeEventListener('abort', onAbort);
    this.#request?.reject(signal.reason);
    this.#request = undefined;
  }

  /** Something changed that no answer of the provider tells: try now. */
  wake(): void {
    this.#waking.abort();
  }

  /** Asks the provider now, for the whole list. @throws SyncError; the reason why `run` ended */
  request(): Promise<SyncResult> {
    this.#request ??= newRequest();
    this.wake();
    return this.#request.promise;
  }

  /** To be called now and then: announces that the policy has become stale. */
  checkAge(): void {
    const { tenant, announce, clock, pace } = this.#options;
    const stored = this.#stored;
    const isStale = stored !== undefined && clock.now() - Date.parse(stored.pointer.checkedAt) > pace.maxAgeMs;
    if (isStale && !this.#staleTold) announce.stale(tenant, stored);
    this.#staleTold = isStale;
  }

  async #attempt(request: Request | undefined, signal: AbortSignal): Promise<AttemptOutcome> {
    const { tenant, announce, clock } = this.#options;
    const startedAt = clock.now();
    const duration = () => clock.now() - startedAt;
    try {
      const { result, maxAgeMs } = await bounded(signal, (within) => this.#renew(request !== undefined, within));
      this.#failure = undefined;
      this.#failures = 0;
      this.#told.clear();
      announce.attempted(tenant, result.changed ? 'applied' : 'confirmed', duration());
      request?.resolve(result);
      return { ok: true, maxAgeMs };
    } catch (thrown) {
      request?.reject(thrown);
      // Nothing failed: this instance is no longer the one to do it.
      if (signal.aborted) return { ok: true };
      const error = toSyncError(thrown);
      this.#failures += 1;
      this.#failure = { code: error.code, message: error.message, at: new Date(clock.now()) };
      announce.attempted(tenant, error.code, duration());
      if (!this.#told.has(error.code)) announce.rejected(tenant, this.#failure, this.#stored);
      this.#told.add(error.code);
      return { ok: false, failures: this.#failures, retryable: error.retryable, retryAfterMs: error.retryAfterMs };
    }
  }

  async #renew(whole: boolean, signal: AbortSignal): Promise<{ result: SyncResult; maxAgeMs?: number | undefined }> {
    const { tenant, source, store, announce, clock } = this.#options;
    if (!this.#loaded) this.#stored = await store.read(tenant, signal);
    this.#loaded = true;
    const before = this.#stored;
    // The answer is true of the moment at which it was asked for, not of the one at which it came.
    const at = new Date(clock.now());
    const basis = whole || before?.complete !== true ? undefined : before.details?.basis;
    const fetched = await source.fetch(tenant, basis, signal);
    signal.throwIfAborted();
    // If writing fails, it is unknown what is stored.
    this.#loaded = false;
    const { maxAgeMs } = fetched;
    const known = before?.complete === true ? before : undefined;
    if (known !== undefined && (!fetched.changed || fetched.revision === known.pointer.revision)) {
      this.#stored = await store.confirm(tenant, known, detailsAfter(fetched, known), at, signal);
      this.#loaded = true;
      return { result: { changed: false, stored: this.#stored }, maxAgeMs };
    }
    if (!fetched.changed)
      throw new SyncError('policy-unusable', 'The source said "unchanged" of what it was not asked about.');
    const now = await store.replace(tenant, before, fetched, at, signal);
    this.#stored = now;
    this.#loaded = true;
    const changed = before?.pointer.revision !== now.pointer.revision;
    if (changed) announce.applied(tenant, now, before);
    return { result: { changed, stored: now }, maxAgeMs };
  }
}

function detailsAfter(fetched: FetchedPolicy | Unchanged, { details }: StoredPolicy): PolicyDetails | undefined {
  if (fetched.changed) return fetched.details;
  return details && { ...details, basis: fetched.basis ?? details.basis };
}

function toSyncError(thrown: unknown): SyncError {
  if (thrown instanceof SyncError) return thrown;
  return new SyncError('fetch-failed', thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
}

function newRequest(): Request {
  const settle: Partial<Request> = {};
  const promise = new Promise<SyncResult>((resolve, reject) => Object.assign(settle, { resolve, reject }));
  // Whoever asked may be gone by the time it is refused.
  promise.catch(() => undefined);
  return { promise, ...(settle as Omit<Request, 'promise'>) };
}

/** Runs the work with a signal that aborts when the given one does, or when the attempt takes too long. */
async function bounded<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const within = new AbortController();
  const onAbort = () => within.abort(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  const late = new SyncError('timeout', `The sync did not end within ${attemptDeadlineMs} ms.`, { retryable: true });
  const timer = setTimeout(() => within.abort(late), attemptDeadlineMs);
  try {
    return await work(within.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
