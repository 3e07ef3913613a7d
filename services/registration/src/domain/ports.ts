// What the domain needs of the outside.
import type { Finding, JsonObject, RegistrationRecord, TenantMaterial } from '@sidestream/tenant-registration';

/** How the provider took a registration; both are success. */
export type Outcome = 'registered' | 'already-registered';

/** Why it did not, as the provider's client tells it; the message says what to do and holds no secret. */
export class ProviderFailure extends Error {
  override readonly name = 'ProviderFailure';
  readonly code: string;
  /** Whether the same request may succeed later without anybody changing anything. */
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(
    code: string,
    message: string,
    { retryable, retryAfterMs }: { retryable: boolean; retryAfterMs?: number },
  ) {
    super(message);
    this.code = code;
    this.retryable = retryable;
    this.retryAfterMs = retryAfterMs;
  }
}

export interface Provider {
  /** @throws ProviderFailure; the signal's reason when it aborts: then nobody knows the outcome. */
  register(tenant: string, body: JsonObject, signal: AbortSignal): Promise<Outcome>;
}

/** A record with the revision that it was read at; undefined: there is none yet. */
export interface StoredRecord {
  readonly record: RegistrationRecord;
  readonly revision: number | undefined;
}

export interface RecordStore {
  /** @throws SidestreamError `not-ready` while the store is away. */
  read(tenant: string): Promise<StoredRecord>;
  /** Writes only if the record is still the one of `revision`; resolves with the new revision. */
  write(tenant: string, record: RegistrationRecord, revision: number | undefined): Promise<number>;
}

export interface Materials {
  /** @throws Error that names the file that can't be read. */
  load(tenant: string): Promise<TenantMaterial>;
}

/** `never` tried, `applied`, `drifted`: what is configured differs from what was accepted, `failed`: never accepted, and refused. */
export type RegistrationState = 'never' | 'applied' | 'drifted' | 'failed';

/** How one tenant's registration stands. */
export interface TenantStatus {
  readonly tenant: string;
  readonly state: RegistrationState;
  /** Of what was accepted last; empty if nothing was. */
  readonly contentHash: string;
  readonly appliedAt?: Date;
  readonly lastError?: { readonly message: string; readonly at?: Date };
  readonly nextAttemptAt?: Date;
  readonly certificate?: { readonly subject: string; readonly issuer: string; readonly notAfter: Date };
  readonly findings: readonly Finding[];
}

/** Whom the registrar tells. */
export interface Announcements {
  applied(tenant: string, contentHash: string, outcome: Outcome): void;
  drifted(tenant: string, reason: string): void;
  expiring(
    tenant: string,
    certificate: { readonly subject: string; readonly notAfter: Date },
    withinDays: number,
  ): void;
  /** One request to the provider is settled: an outcome or the failure's code. */
  attempted(tenant: string, outcome: string): void;
  /** After every look. */
  observed(status: TenantStatus): void;
}
